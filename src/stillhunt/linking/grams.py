"""Passes over the grams of exchanges: what each recurring gram occurs with, and whose templates a text holds.

Both are functions of a stream of observations, compiled, and called on shares of it; what they find
of a gram on several shares, or on several days, can be merged.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
from numba import njit

from stillhunt.engines.base import Rows

BANDS = 3
"""Grams are joined where both minima of some band agree. Two grams that share a part J of their
exchanges are joined with probability 1 - (1 - J^2)^BANDS: .99 at J = .9, .03 at J = .1."""

MINIMA = 2 * BANDS
"""Hash functions of exchanges whose minima over a gram's exchanges are kept (Broder 1997)."""

ITEMS = 8
"""Different items of a gram that are kept: enough to know that there are so many."""

SKETCH_SCHEMA = pa.schema(
    [
        pa.field("at", pa.int32(), nullable=False),
        *(pa.field(f"m{i}", pa.int64(), nullable=False) for i in range(MINIMA)),
        pa.field("items", pa.list_(pa.int64()), nullable=False),
    ]
)
"""What one share of the observations says of a gram: place in the index, the minima, and different
items, ITEMS of them at most."""

USE_SCHEMA = pa.schema(
    [
        pa.field("key", pa.int64(), nullable=False),
        pa.field("entity", pa.int64(), nullable=False),
        pa.field("item", pa.int64(), nullable=False),
        pa.field("words", pa.int32()),
        pa.field("template", pa.int64(), nullable=False),
    ]
)
"""One row for each template that an exchange holds."""

_CONSTANTS = np.array(
    [
        int.from_bytes(hashlib.blake2b(b"minimum %d" % i, digest_size=8).digest(), "little") >> 1
        for i in range(MINIMA)
    ],
    dtype=np.int64,
)
_NONE = np.iinfo(np.int64).max
_EMPTY = np.int64(-1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class GramIndex:
    """Finds the place of a gram among sorted ones.

    Args:
        grams: int32 (n,), rising.
    """

    def __init__(self, grams: np.ndarray) -> None:
        self.grams = np.ascontiguousarray(grams, dtype=np.int32)
        bits = max(4, int(4 * len(grams)).bit_length())
        self.shift = np.uint64(64 - bits)
        # A gram and its place together, so that one look at memory finds both.
        self.places = np.full(1 << bits, _EMPTY, dtype=np.int64)
        # A bit for each of sixteen cells a gram: most grams that are asked for are none of these, and
        # that is told from a table small enough for the processor's cache.
        self.marks = np.zeros(1 << max(bits - 4, 0), dtype=np.uint64)
        _fill(self.grams, self.shift, self.places, self.marks)

    def __len__(self) -> int:
        return len(self.grams)


def sketch_grams(index: GramIndex, rows: Rows) -> Rows:
    """Sketch what each gram of an index occurs with.

    Args:
        index: of the recurring grams, n of them.
        rows: batches of ``key`` (int64), ``item`` (int64), ``grams`` (list of int32).

    Returns:
        Batches of SKETCH_SCHEMA, a row for each gram that occurs.
    """
    minima = np.full((len(index), MINIMA), _NONE, dtype=np.int64)
    items = np.empty((len(index), ITEMS), dtype=np.int64)
    counts = np.zeros(len(index), dtype=np.int8)
    for batch in rows:
        key, item = (np.asarray(batch.column(name)) for name in ("key", "item"))
        offsets, grams = _lists(batch.column("grams"))
        _sketch(
            key, item, offsets, grams, index.shift, index.places, index.marks, _CONSTANTS,
            minima, items, counts,
        )  # fmt: skip
    seen = np.flatnonzero(counts)
    for first in range(0, len(seen), 1 << 16):
        at = seen[first : first + (1 << 16)]
        held = np.arange(ITEMS) < counts[at][:, None]
        yield pa.RecordBatch.from_arrays(
            [
                pa.array(at.astype(np.int32)),
                *(pa.array(minima[at, i]) for i in range(MINIMA)),
                pa.ListArray.from_arrays(
                    np.r_[0, np.cumsum(counts[at], dtype=np.int64)].astype(np.int32),
                    pa.array(items[at][held]),
                ),
            ],
            schema=SKETCH_SCHEMA,
        )


def merge_sketches(index: GramIndex, sketches: Rows, at_least: int) -> pa.Table:
    """The sketches of each gram put together.

    Args:
        index: that they refer to.
        sketches: batches of SKETCH_SCHEMA, any number of rows for a gram.
        at_least: different items that a gram must have, up to ITEMS.

    Returns:
        ``gram`` (int32, rising) and the minima ``m0``, ``m1``… (int64) of those grams.
    """
    minima = np.full((len(index), MINIMA), _NONE, dtype=np.int64)
    held = np.empty((len(index), ITEMS), dtype=np.int64)
    different = np.zeros(len(index), dtype=np.int8)
    for batch in sketches:
        at = np.asarray(batch.column("at"))
        least = np.column_stack([np.asarray(batch.column(f"m{i}")) for i in range(MINIMA)])
        _merge(at, least, *_lists(batch.column("items")), minima, held, different)
    kept = np.flatnonzero(different >= at_least)
    return pa.table(
        {
            "gram": pa.array(index.grams[kept]),
            **{f"m{i}": pa.array(minima[kept, i]) for i in range(MINIMA)},
        }
    )


def exchange_templates(index: GramIndex, template: np.ndarray, rows: Rows) -> Rows:
    """Which templates each exchange holds.

    Args:
        index: of the templates' grams; template: int64 (n,), the template of each.
        rows: batches of ``key``, ``entity``, ``item`` (int64), ``words`` (int32) and ``grams`` (list of
            int32).

    Returns:
        Batches of USE_SCHEMA.
    """
    for batch in rows:
        offsets, grams = _lists(batch.column("grams"))
        row = np.empty(len(grams), dtype=np.int64)
        held = np.empty(len(grams), dtype=np.int64)
        n = _hold(offsets, grams, index.shift, index.places, index.marks, template, row, held)
        if n:
            yield pa.RecordBatch.from_arrays(
                [
                    *(batch.column(name).take(pa.array(row[:n])) for name in USE_SCHEMA.names[:-1]),
                    pa.array(held[:n]),
                ],
                schema=USE_SCHEMA,
            )


def _lists(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (rows + 1,) into the values of a list column, and the values."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return np.asarray(column.offsets), np.asarray(column.values)


@njit(cache=True, nogil=True, inline="always")
def _mark(gram, shift):  # type: ignore[no-untyped-def]
    """Its bit: of the same product two bits more."""
    return (np.uint64(np.uint32(gram)) * _SPREAD) >> (shift - np.uint64(2))


@njit(cache=True, nogil=True)
def _fill(grams, shift, places, marks):  # type: ignore[no-untyped-def]
    mask = len(places) - 1
    for i in range(len(grams)):
        at = np.int64((np.uint64(np.uint32(grams[i])) * _SPREAD) >> shift)
        while places[at] != _EMPTY:
            at = (at + 1) & mask
        places[at] = (np.int64(i) << 32) | np.int64(np.uint32(grams[i]))
        mark = _mark(grams[i], shift)
        marks[mark >> np.uint64(6)] |= np.uint64(1) << (mark & np.uint64(63))


@njit(cache=True, nogil=True, inline="always")
def _place(gram, shift, places, marks):  # type: ignore[no-untyped-def]
    mark = _mark(gram, shift)
    if not (marks[mark >> np.uint64(6)] >> (mark & np.uint64(63))) & np.uint64(1):
        return _EMPTY
    mask = len(places) - 1
    wanted = np.int64(np.uint32(gram))
    at = np.int64((np.uint64(np.uint32(gram)) * _SPREAD) >> shift)
    while places[at] != _EMPTY:
        if places[at] & 0xFFFFFFFF == wanted:
            return places[at] >> 32
        at = (at + 1) & mask
    return _EMPTY


@njit(cache=True, nogil=True)
def _sketch(  # type: ignore[no-untyped-def]
    key, item, offsets, values, shift, places, marks, constants, minima, items, counts
):
    for r in range(len(key)):
        for j in range(offsets[r], offsets[r + 1]):
            g = _place(values[j], shift, places, marks)
            if g < 0:
                continue
            for i in range(MINIMA):
                h = key[r] ^ constants[i]
                minima[g, i] = min(minima[g, i], h)
            if counts[g] < ITEMS:
                _note(item[r], items[g], counts, g)


@njit(cache=True, nogil=True)
def _merge(at, least, offsets, values, minima, held, different):  # type: ignore[no-untyped-def]
    for r in range(len(at)):
        g = at[r]
        for i in range(MINIMA):
            minima[g, i] = min(minima[g, i], least[r, i])
        for j in range(offsets[r], offsets[r + 1]):
            if different[g] < ITEMS:
                _note(values[j], held[g], different, g)


@njit(cache=True, nogil=True, inline="always")
def _note(value, held, counts, g):  # type: ignore[no-untyped-def]
    """Keep a value if it is another than those held."""
    for i in range(counts[g]):
        if held[i] == value:
            return
    held[counts[g]] = value
    counts[g] += 1


@njit(cache=True, nogil=True)
def _hold(offsets, values, shift, places, marks, template, row, held):  # type: ignore[no-untyped-def]
    n = 0
    for r in range(len(offsets) - 1):
        first = n
        for j in range(offsets[r], offsets[r + 1]):
            g = _place(values[j], shift, places, marks)
            if g < 0:
                continue
            known = False
            for i in range(first, n):
                if held[i] == template[g]:
                    known = True
                    break
            if not known:
                row[n] = r
                held[n] = template[g]
                n += 1
    return n
