"""Where a layer above adds what it knows of a batch before it is sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stillhunt.evidence.merkle import Rows


@dataclass(frozen=True)
class Totals:
    """What a layer above says about a batch, sealed with it.

    Attributes:
        record: goes into the batch record, whose digest is in the log; numbers and strings only.
        data: kept in ``private/totals``; opaque here.
    """

    record: dict[str, Any]
    data: bytes


@dataclass(frozen=True)
class Unsealed:
    """A batch on its way into the log, as a maker of totals sees it.

    Attributes:
        number: of the batch; first: position of its first leaf.
        observations: records of LAYOUT (n,); accounts: bytes of ACCOUNT_LAYOUT (m, 35).
    """

    number: int
    first: int
    observations: np.ndarray
    accounts: Rows


MakeTotals = Callable[[Unsealed], Totals | None]
