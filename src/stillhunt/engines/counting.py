"""Which of very many values may occur often: a count of cells that values fall in.

Most word runs and items of a log occur once. Grouping them all to find those that do not takes the
memory of them all; counting the cells of a table that they fall in takes a byte for each of twice as
many cells. A value that occurs often enough falls in a cell that counts as much, so none is missed; a
cell may count several rare values, so what is kept must still be counted exactly. (A counting Bloom
filter with one hash function: Fan, Cao, Almeida and Broder 2000.)
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numba import njit

from stillhunt.engines.base import Rows

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MOST = 255
_LARGEST = 1 << 32
"""Cells at most: four gigabytes."""


class FrequentValues:
    """Counts cells of values, then keeps values of cells that count enough.

    Args:
        values: how many will be counted.
        at_least: how often a value must occur to be kept, from 1 to 255.
    """

    def __init__(self, values: int, at_least: int) -> None:
        if not 1 <= at_least <= _MOST:
            raise ValueError(at_least)
        bits = max(10, int(2 * max(values, 1) - 1).bit_length())
        self._shift = np.uint64(64 - min(bits, _LARGEST.bit_length() - 1))
        self._cells = np.zeros(1 << (64 - int(self._shift)), dtype=np.uint8)
        self._at_least = at_least

    def count(self, values: pa.Array) -> None:
        """Count the cells of some values; nulls are passed over."""
        _count(_plain(values), self._shift, self._cells)

    def keep(self, rows: Rows) -> Rows:
        """Of the first column's values, as ``value``, those whose cell counts enough, each as often as
        it comes."""
        for batch in rows:
            values = _plain(batch.column(0))
            out = np.empty(len(values), dtype=np.int64)
            kept = _keep(values, self._shift, self._cells, self._at_least, out)
            if kept:
                yield pa.RecordBatch.from_arrays([pa.array(out[:kept])], ["value"])


def _plain(values: pa.Array) -> np.ndarray:
    return np.asarray(values.drop_null())


@njit(cache=True, nogil=True)
def _count(values, shift, cells):  # type: ignore[no-untyped-def]
    for i in range(len(values)):
        cell = (np.uint64(np.int64(values[i])) * _SPREAD) >> shift
        if cells[cell] < _MOST:
            cells[cell] += np.uint8(1)


@njit(cache=True, nogil=True)
def _keep(values, shift, cells, at_least, out):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(len(values)):
        if cells[(np.uint64(np.int64(values[i])) * _SPREAD) >> shift] >= at_least:
            out[n] = np.int64(values[i])
            n += 1
    return n
