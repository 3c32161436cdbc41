"""Observations to the arrays that the window alarm compares."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.scoring.window.rows import BUCKETS, NAMES, NUMBERS, Floats, Ints, Lists, Rows


def rows_of(observations: pa.Table) -> Rows:
    """Take what is compared from observations.

    Args:
        observations: columns of OBSERVATION_SCHEMA and, where word pairs were sampled, ``pairs``
            (list<int32>); n rows in time order.
    """
    # A prompt's cues are a mask of 63 bits, so that -1 is free to say that there is no text.
    return Rows(
        {name: _numbers(observations.column(name)) for name in NUMBERS},
        {name: _buckets(observations.column(name)) for name in NAMES},
        _integers(observations.column("cues"), -1),
        _integers(observations.column("item"), 0),
        _lists(observations.column("grams")),
        _lists(observations.column("pairs"))
        if "pairs" in observations.column_names
        else Lists(np.zeros(observations.num_rows + 1, np.int64), np.zeros(0, np.int64)),
    )


def _numbers(column: pa.ChunkedArray) -> Floats:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan), dtype=np.float64)


def _integers(column: pa.ChunkedArray, missing: int) -> Ints:
    return np.asarray(pc.fill_null(column.cast(pa.int64()), missing), dtype=np.int64)


def _buckets(column: pa.ChunkedArray) -> Ints:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    known = np.asarray(column.is_valid())
    values = _integers(column, 0)
    # Small codes keep their own bucket; hashes are spread already.
    return np.where(known, values % BUCKETS, -1)


def _lists(column: pa.ChunkedArray) -> Lists:
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    offsets = np.asarray(whole.offsets, dtype=np.int64)
    values = np.asarray(whole.values, dtype=np.int64)[offsets[0] : offsets[-1]]
    return Lists(offsets - offsets[0], values)
