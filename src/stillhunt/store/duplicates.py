"""One exchange id, one observation.

Of rows of one transaction the earliest stays, depending on what rows say and not on where they
stand. What an earlier transaction brought stays before what a later one brings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.store.keys import Keys, known_keys, slices
from stillhunt.store.layout import Layout
from stillhunt.store.manifest import Part
from stillhunt.store.parts import without_rows

_ORDER = ("time", "account", "item", "address", "input_tokens", "output_tokens", "file", "row")
_AT_ONCE = 1 << 20
"""Keys whose rows are compared at a time."""


@dataclass(frozen=True)
class Doubles:
    """Rows that are not taken.

    Attributes:
        rows: ``file``, ``row``, ``exchange_id``, ``stored`` (true: an earlier transaction has it), by
            file and row.
        parts: what is left of the parts.
        keys: file of the transaction's keys, ascending and distinct.
    """

    rows: pa.Table
    parts: tuple[Part, ...]
    keys: Path


def drop_doubles(
    layout: Layout,
    parts: Sequence[Part],
    older: Sequence[Keys],
    work: Path,
    *,
    sync_files: bool = True,
) -> Doubles:
    """Take rows out of parts, not yet committed, whose exchange id is there already.

    Args:
        layout: of the store.
        parts: of one transaction.
        older: runs of the key index; work: folder for intermediate files.
    """
    runs = [_sorted_keys(layout, part, work / f"{part.part}.run") for part in parts]
    again: list[Keys] = []
    stored: list[Keys] = []
    keys = work / "transaction.keys"
    with keys.open("wb") as out:
        for held in slices(runs):
            held.sort()
            again.append(np.unique(held[1:][held[1:] == held[:-1]]))
            distinct = held[np.append(True, held[1:] != held[:-1])] if len(held) else held
            stored.append(distinct[known_keys(distinct, older)])
            out.write(np.ascontiguousarray(distinct, dtype="<i8").data)
    known = np.concatenate([np.zeros(0, np.int64), *stored])
    doubtful = np.union1d(np.concatenate([np.zeros(0, np.int64), *again]), known)
    losers = [
        _losers(layout, parts, doubtful[i : i + _AT_ONCE], known)
        for i in range(0, len(doubtful), _AT_ONCE)
    ]
    if not losers:
        return Doubles(_told(layout, parts, None), tuple(parts), keys)
    lost = pa.concat_tables(losers)
    part_number = np.asarray(lost.column("part"))
    left = []
    told = _told(layout, parts, lost)
    for i, part in enumerate(parts):
        gone = np.asarray(lost.column("position"))[part_number == i]
        kept = without_rows(layout, part, gone, sync_files=sync_files) if len(gone) else part
        if kept is not None:
            left.append(kept)
    return Doubles(told, tuple(left), keys)


def _sorted_keys(layout: Layout, part: Part, path: Path) -> Keys:
    keys = part_keys(layout, part)
    np.sort(keys).tofile(path)
    return np.memmap(path, dtype="<i8", mode="r") if len(keys) else keys


def part_keys(layout: Layout, part: Part) -> Keys:
    """``key`` of a part's rows, in their order."""
    file = pq.ParquetFile(layout.observations(part.part, part.day))
    return np.asarray(file.read(columns=["key"]).column(0))


def _losers(layout: Layout, parts: Sequence[Part], doubtful: Keys, known: Keys) -> pa.Table:
    """``part`` (its place in the list), ``position`` and ``stored`` of all rows but the winners."""
    rows = pa.concat_tables(_candidates(layout, parts, doubtful))
    rows = rows.sort_by([("key", "ascending")] + [(name, "ascending") for name in _ORDER])
    key = np.asarray(rows.column("key"))
    first = np.append(True, key[1:] != key[:-1])
    stored = np.isin(key, known)
    rows = rows.select(["part", "position"]).append_column("stored", pa.array(stored))
    return rows.filter(pa.array(~first | stored))


def _candidates(layout: Layout, parts: Sequence[Part], doubtful: Keys) -> Iterator[pa.Table]:
    for i, part in enumerate(parts):
        key = part_keys(layout, part)
        at = np.flatnonzero(
            doubtful[np.minimum(np.searchsorted(doubtful, key), len(doubtful) - 1)] == key
        )
        observations, names, _ = layout.part_files(part.part, part.day)
        beside = pq.ParquetFile(names).read(columns=["file", "row"]).take(at)
        rows = pq.ParquetFile(observations).read(columns=["key", *_ORDER[:6]]).take(at)
        for name in ("file", "row"):
            rows = rows.append_column(name, beside.column(name))
        rows = rows.append_column("part", pa.array(np.full(len(at), i)))
        yield rows.append_column("position", pa.array(at))


def _told(layout: Layout, parts: Sequence[Part], lost: pa.Table | None) -> pa.Table:
    """What to say of each lost row."""
    schema = pa.schema(
        {"file": pa.int32(), "row": pa.int64(), "exchange_id": pa.string(), "stored": pa.bool_()}
    )
    if lost is None:
        return schema.empty_table()
    found = []
    for i, part in enumerate(parts):
        here = lost.filter(pa.array(np.asarray(lost.column("part")) == i))
        if here.num_rows:
            names = pq.ParquetFile(layout.names(part.part, part.day)).read()
            names = names.take(here.column("position").combine_chunks())
            found.append(
                names.append_column("stored", here.column("stored"))
                .select(schema.names)
                .cast(schema)
            )
    return pa.concat_tables(found).sort_by([("file", "ascending"), ("row", "ascending")])
