"""Which of very many values occur often: a count of the cells that values fall in, then of values.

Most word runs and items of a log occur once. Grouping them all to find those that do not takes the
memory of them all; counting the cells of a table that they fall in takes a byte for each cell. A value
that occurs often enough falls in a cell that counts as much, so none is missed; a cell may count
several rare values, so values of such cells are then counted by themselves, which are few. (A counting
Bloom filter with one hash function: Fan, Cao, Almeida and Broder 2000.)
"""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
from numba import njit

from stillhunt.engines.base import Rows

TALLY_SCHEMA = pa.schema(
    [pa.field("value", pa.int64(), nullable=False), pa.field("n", pa.int64(), nullable=False)]
)
"""A value and how often one share of the rows holds it."""

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MOST = 255
_BITS = 30
"""Cells at most: a gigabyte for each thread."""

_GIVEN = 1 << 17  # rows of a batch


class FrequentValues:
    """Counts cells of values on any number of threads, then values of cells that count enough.

    Args:
        values: how many will be counted at most.
        at_least: how often a value must occur to be counted by itself for certain, from 1 to 255.
    """

    def __init__(self, values: int, at_least: int) -> None:
        if not 1 <= at_least <= _MOST:
            raise ValueError(at_least)
        bits = min(max(10, int(values).bit_length() - 1), _BITS)
        self._shift = np.uint64(64 - bits)
        self._cells: np.ndarray | None = None
        self._at_least = at_least
        self._lock = threading.Lock()

    def count(self, rows: Rows) -> Rows:
        """Count the cells of the first column's values; nulls are passed over, and nothing is given."""
        cells = np.zeros(1 << (64 - int(self._shift)), dtype=np.uint8)
        for batch in rows:
            _count(_plain(batch.column(0)), self._shift, cells)
        with self._lock:
            if self._cells is None:
                self._cells = cells
            else:
                _add(self._cells, cells)
        yield from ()

    def tally(self, rows: Rows) -> Rows:
        """How often values occur whose cell counts enough; batches of TALLY_SCHEMA."""
        if self._cells is None:
            return
        held, counts, used = np.zeros(1 << 12, np.int64), np.zeros(1 << 12, np.int64), 0
        for batch in rows:
            values = _plain(batch.column(0))
            at = 0
            while True:
                at, used = _tally(
                    values, at, self._shift, self._cells, self._at_least, held, counts, used
                )
                if at == len(values):
                    break
                held, counts = _grown(held, counts)
        seen = np.flatnonzero(counts)
        for first in range(0, len(seen), _GIVEN):
            at_ = seen[first : first + _GIVEN]
            yield pa.RecordBatch.from_arrays(
                [pa.array(held[at_]), pa.array(counts[at_])], schema=TALLY_SCHEMA
            )


def _plain(values: pa.Array) -> np.ndarray:
    """Values of a column, or of its lists, without nulls."""
    if pa.types.is_list(values.type):
        values = values.flatten()
    return np.asarray(values.drop_null())


def _grown(held: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    more = np.zeros(2 * len(held), np.int64), np.zeros(2 * len(held), np.int64)
    _move(held, counts, *more)
    return more


@njit(cache=True, nogil=True)
def _count(values, shift, cells):  # type: ignore[no-untyped-def]
    for i in range(len(values)):
        cell = (np.uint64(np.int64(values[i])) * _SPREAD) >> shift
        if cells[cell] < _MOST:
            cells[cell] += np.uint8(1)


@njit(cache=True, nogil=True)
def _add(cells, more):  # type: ignore[no-untyped-def]
    for i in range(len(cells)):
        cells[i] = min(np.int64(cells[i]) + np.int64(more[i]), _MOST)


@njit(cache=True, nogil=True)
def _tally(values, at, shift, cells, at_least, held, counts, used):  # type: ignore[no-untyped-def]
    """Go on from ``at`` as far as there is room; where that was, and how many places are used."""
    mask = len(held) - 1
    for i in range(at, len(values)):
        value = np.int64(values[i])
        spread = np.uint64(value) * _SPREAD
        if cells[spread >> shift] < at_least:
            continue
        place = np.int64(spread >> np.uint64(20)) & mask
        while counts[place] and held[place] != value:
            place = (place + 1) & mask
        if not counts[place]:
            if 2 * used >= len(held):
                return i, used
            held[place] = value
            used += 1
        counts[place] += 1
    return len(values), used


@njit(cache=True, nogil=True)
def _move(held, counts, new_held, new_counts):  # type: ignore[no-untyped-def]
    mask = len(new_held) - 1
    for i in range(len(held)):
        if counts[i]:
            spread = np.uint64(held[i]) * _SPREAD
            place = np.int64(spread >> np.uint64(20)) & mask
            while new_counts[place]:
                place = (place + 1) & mask
            new_held[place] = held[i]
            new_counts[place] = counts[i]
