"""Which exchange lies where in the log: sorted runs of digests, merged as they grow.

A run is a file of three columns of n 64-bit integers, little-endian: the first and the second 8 bytes of
digests, unsigned, ascending as pairs, and their positions. It is named by the batches that it covers,
and can be made again from payloads. Runs are merged when the younger has come to half the size of the
older (O'Neil et al. 1996), so that there are few.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stillhunt.evidence.log.files import put
from stillhunt.evidence.merkle import Rows

DIGEST_BYTES = 16
_NAME = re.compile(r"(\d{8})-(\d{8})\.run")

Positions = npt.NDArray[np.int64]

Columns = npt.NDArray[np.uint64]
"""A run: (3, n)."""


class ExchangeIndex:
    """Positions of exchanges, up to a batch.

    Attributes:
        through: last batch that is covered.
    """

    def __init__(self, folder: Path, through: int, *, write: bool = False) -> None:
        """Args:
        folder: of runs; through: last batch of the log, beyond which runs do not count.
        write: what is added is written; False: it is held in memory only.
        """
        self._folder = folder
        self._may_write = write
        self._runs = _cover(folder, through)
        self.through = self._runs[-1][1] if self._runs else 0
        self._opened: dict[tuple[int, int], Columns] = {}

    def positions_of(self, digests: Rows) -> Positions:
        """Position of each of n exchanges, -1 where it is not sealed.

        Args:
            digests: uint8 (n, 16).
        """
        found = np.full(len(digests), -1, dtype=np.int64)
        wanted = np.ascontiguousarray(digests).view("<u8").reshape(-1, 2)
        for run in self._runs:
            open_ = np.flatnonzero(found < 0)
            if not len(open_):
                break
            found[open_] = _look_up(wanted[open_], self._open(run))
        return found

    def add(self, batch: int, digests: Rows, positions: Positions) -> None:
        """Cover the next batch.

        Args:
            batch: its number, one more than ``through``.
            digests: (n, 16); positions: (n,).
        """
        if batch != self.through + 1:
            raise ValueError("an index covers batches one after another")
        pairs = np.ascontiguousarray(digests).view("<u8").reshape(-1, 2)
        columns = np.stack([pairs[:, 0], pairs[:, 1], positions.view(np.uint64)])
        first, merged = batch, []
        for run in reversed(self._runs):
            older = self._open(run)
            if older.shape[1] > 2 * columns.shape[1]:
                break
            columns = np.concatenate([older, columns], axis=1)
            first = run[0]
            merged.append(run)
        self._write(first, batch, columns)
        self._runs = [*(run for run in self._runs if run not in merged), (first, batch)]
        self.through = batch
        for run in merged:
            self._opened.pop(run, None)
        self.sweep()

    def sweep(self) -> None:
        """Delete runs that others have taken the place of, also of killed writers."""
        if not self._may_write:
            return
        named = {self._path(run) for run in self._runs}
        for path in self._folder.glob("*.run"):
            if path not in named:
                path.unlink()

    def forget(self, keep: Callable[[Positions], npt.NDArray[np.bool_]]) -> None:
        """Write runs again without some positions.

        Args:
            keep: positions (n,) to whether each stays, bool (n,).
        """
        for run in self._runs:
            columns = self._open(run)
            stays = keep(columns[2].view(np.int64))
            if not stays.all():
                self._opened.pop(run, None)
                self._write(*run, columns[:, stays])

    def _path(self, run: tuple[int, int]) -> Path:
        return self._folder / f"{run[0]:08d}-{run[1]:08d}.run"

    def _open(self, run: tuple[int, int]) -> Columns:
        if run not in self._opened:
            path = self._path(run)
            empty = path.stat().st_size == 0
            data = np.zeros(0, dtype="<u8") if empty else np.memmap(path, dtype="<u8", mode="r")
            self._opened[run] = data.reshape(3, -1)
        return self._opened[run]

    def _write(self, first: int, last: int, columns: Columns) -> None:
        columns = _sorted(columns)
        if not self._may_write:
            self._opened[first, last] = columns
            return
        put(self._path((first, last)), columns.astype("<u8").tobytes(), 0o600)


def _sorted(columns: Columns) -> Columns:
    # A stable sort makes use of the runs that are in order already. Digests that begin alike are rare.
    order = np.argsort(columns[0], kind="stable")
    first = columns[0][order]
    if (first[1:] == first[:-1]).any():
        order = np.lexsort((columns[2], columns[1], columns[0]))
    made: Columns = columns[:, order]
    return made


def _look_up(wanted: np.ndarray, run: Columns) -> Positions:
    found = np.full(len(wanted), -1, dtype=np.int64)
    high, low, positions = run
    at = np.searchsorted(high, wanted[:, 0])
    left = np.flatnonzero(at < len(high))
    # As a rule one step: two digests that begin alike are rare, unless somebody makes them.
    while len(left):
        left = left[high[at[left]] == wanted[left, 0]]
        same = low[at[left]] == wanted[left, 1]
        found[left[same]] = positions[at[left[same]]].view(np.int64)
        left = left[~same]
        at[left] += 1
        left = left[at[left] < len(high)]
    return found


def _cover(folder: Path, through: int) -> list[tuple[int, int]]:
    """Runs that cover batches from 1 on without a gap, the widest first."""
    if not folder.is_dir():
        return []
    names = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    by_first: dict[int, int] = {}
    for match in names:
        if match and int(match[2]) <= through:
            first, last = int(match[1]), int(match[2])
            by_first[first] = max(last, by_first.get(first, 0))
    runs, batch = [], 1
    while batch in by_first:
        runs.append((batch, by_first[batch]))
        batch = by_first[batch] + 1
    return runs
