"""What a licence for a campaign's tokens would have cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stillhunt.errors import UsageError


@dataclass(frozen=True)
class Price:
    """Prices per million tokens, in the currency of whoever gives them."""

    input: float
    output: float

    def of(self, input_tokens: int | None, output_tokens: int | None) -> float | None:
        """Cost of these tokens; None where neither count is known."""
        if input_tokens is None and output_tokens is None:
            return None
        return ((input_tokens or 0) * self.input + (output_tokens or 0) * self.output) / 1e6


def price_of(price_input: float | None, price_output: float | None) -> Price | None:
    """Make a Price of what the user gave; None where they gave none.

    Raises:
        UsageError: one of two, or not a price.
    """
    if price_input is None and price_output is None:
        return None
    if price_input is None or price_output is None:
        raise UsageError(
            "Only one of the two prices was given.",
            "Give --price-input and --price-output, both per million tokens.",
        )
    if not all(math.isfinite(value) and value >= 0 for value in (price_input, price_output)):
        raise UsageError("A price is not a number from 0 up.", "Give prices such as 3 or 15.00.")
    return Price(price_input, price_output)
