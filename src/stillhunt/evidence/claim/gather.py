"""From the digests of exchanges to what a log holds of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillhunt.errors import InputError
from stillhunt.evidence.claim.rows import ClaimRows, in_order
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.merkle import Rows
from stillhunt.records.leaf import LAYOUT

_AT_ONCE = 1 << 17


class LogLeaves:
    """A log's leaves, of which some may have been deleted. Reads as an ``answer.LeafSource``."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def open_leaves(self, positions: np.ndarray) -> tuple[np.ndarray, Rows, Rows]:
        """As of ``LeafSource``."""
        readable = self._kept(positions)
        rows = np.zeros((len(positions), LAYOUT.itemsize), dtype=np.uint8)
        salts = np.zeros((len(positions), 48), dtype=np.uint8)
        at = np.flatnonzero(readable)
        done = 0
        if len(at):
            for opened in self._log.open_leaves(positions[at]):
                here = at[done : done + len(opened.positions)]
                rows[here], salts[here] = opened.rows, opened.salts
                done += len(here)
        return readable, rows, salts

    def _kept(self, positions: np.ndarray) -> np.ndarray:
        kept = np.zeros(len(positions), dtype=bool)
        for batch in self._log.batches():
            low, high = np.searchsorted(positions, [batch.first, batch.first + batch.observations])
            if low < high:
                kept[low:high] = self._log.is_openable(batch)
        return kept


@dataclass(frozen=True)
class Gathered:
    """What a log holds of some exchanges.

    Attributes:
        rows: to be claimed.
        first, last: earliest and latest time, microseconds.
        low, high: least and largest position.
        not_sealed: exchanges without a leaf that could be opened.
        other_account: exchanges whose leaf is of an account that is not named.
        repeated: leaves of exchanges that are claimed already.
    """

    rows: ClaimRows
    first: int
    last: int
    low: int
    high: int
    not_sealed: int
    other_account: int
    repeated: int


def gather(log: Log, digests: Rows, accounts: np.ndarray) -> Gathered:
    """Find exchanges in a log.

    Args:
        log: to look in.
        digests: uint8 (n, 16), of exchange ids.
        accounts: int64 (m,), hashes of the accounts that are named.

    Raises:
        InputError: the log holds none of them.
    """
    positions = log.positions_of(digests)
    sealed = positions[positions >= 0]
    wanted = np.unique(sealed)
    lost = others = 0
    leaves = LogLeaves(log)
    parts: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        readable, rows, _ = leaves.open_leaves(some)
        lost += int(np.count_nonzero(~readable))
        records = np.ascontiguousarray(rows[readable]).reshape(-1).view(LAYOUT)
        named = np.isin(records["account"], accounts)
        others += int(np.count_nonzero(~named))
        names = ["exchange", "time", "account", "input_tokens", "output_tokens"]
        parts.append(np.ascontiguousarray(records[names][named]))
        places.append(some[readable][named])
    position = np.concatenate([*places, np.empty(0, dtype=np.int64)])
    if not len(position):
        raise InputError(
            "The log holds none of this campaign's exchanges.",
            "Seal the logs that were hunted into it first: stillhunt seal LOGS --log LOG.",
        )
    found = np.concatenate(parts)
    ordered, twice = in_order(
        found["account"], found["exchange"], position, found["input_tokens"], found["output_tokens"]
    )
    return Gathered(
        rows=ordered,
        first=int(found["time"].min()),
        last=int(found["time"].max()),
        low=int(position.min()),
        high=int(position.max()),
        not_sealed=len(positions) - len(sealed) + lost,
        other_account=others,
        repeated=len(sealed) - len(wanted) + twice,
    )
