"""How a cost grows with size: the exponent of a power law, by least squares of logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Growth:
    """A fitted power law, ``cost = factor * size ** exponent``.

    Attributes:
        exponent, factor: of the law; error: standard error of the exponent, nan below three sizes.
    """

    exponent: float
    factor: float
    error: float


def fitted(sizes: Sequence[float], costs: Sequence[float]) -> Growth:
    """Fit a power law.

    Args:
        sizes, costs: positive, at least two different sizes.

    Raises:
        ValueError: fewer than two different sizes, or something that is not positive.
    """
    if len(set(sizes)) < 2 or min(*sizes, *costs) <= 0:
        raise ValueError("a power law needs two different sizes, and positive numbers")
    x, y = np.log(sizes), np.log(costs)
    x_off = x - x.mean()
    exponent = float(x_off @ y / (x_off @ x_off))
    left = y - y.mean() - exponent * x_off
    free = len(x) - 2
    error = float(np.sqrt(left @ left / free / (x_off @ x_off))) if free > 0 else float("nan")
    return Growth(exponent, float(np.exp(y.mean() - exponent * x.mean())), error)
