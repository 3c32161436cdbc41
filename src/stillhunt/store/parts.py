"""Writes observations as parts: gathered up to a bound, cut by day, sorted, compressed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.store.durable import sync
from stillhunt.store.layout import (
    IDENTITY_KINDS,
    IDENTITY_SCHEMA,
    NAMES_ENCODING,
    NAMES_SCHEMA,
    OBSERVATION_ENCODING,
    ROW_GROUP,
    Layout,
)
from stillhunt.store.manifest import Part

GATHER = 1 << 18
"""Rows that are gathered before they are written."""

GATHER_BYTES = 1 << 28
"""The same in bytes, for the names of hostile logs may be long."""

_KINDS = tuple(f"name_{kind}" for kind in IDENTITY_KINDS)


class PartWriter:
    """Gathers observations and writes them as parts of one transaction.

    Attributes:
        parts: what was written, in order.
        rows: taken so far, those still gathered included.
    """

    def __init__(self, layout: Layout, transaction: int, *, lasting: bool = True) -> None:
        """Nothing is written yet.

        Args:
            layout: of the store.
            transaction: number, for the parts' names.
            lasting: False for a store that ends with its hunt: then parts are not cut by day, which
                only retention needs, and not forced to the disk.
        """
        self._layout = layout
        self._transaction = transaction
        self._lasting = lasting
        self._held: list[pa.RecordBatch] = []
        self._size = self._bytes = 0
        self.parts: list[Part] = []
        self.rows = 0

    def add(
        self, stored: pa.RecordBatch, exchanges: pa.RecordBatch, file: int, rows: np.ndarray
    ) -> None:
        """Take n observations.

        Args:
            stored: STORED_SCHEMA, with ``pairs`` or without, always the same.
            exchanges: EXCHANGE_SCHEMA, of which they are.
            file: number of their input; rows: int64 (n,), where in it they stand.
        """
        n = stored.num_rows
        names = {
            "exchange_id": exchanges.column("exchange_id"),
            "file": pa.array(np.full(n, file, dtype=np.int32)),
            "row": pa.array(rows, pa.int64()),
        }
        for column, (_, clear) in zip(_KINDS, IDENTITY_KINDS.values(), strict=True):
            # As a dictionary: of a batch's accounts and clients most come again and again.
            names[column] = exchanges.column(clear).dictionary_encode()
        fields = [*stored.schema, *NAMES_SCHEMA]
        fields += [pa.field(column, names[column].type) for column in _KINDS]
        columns = [*stored.columns, *names.values()]
        self._held.append(pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields)))
        self.rows += n
        self._size += n
        self._bytes += self._held[-1].nbytes
        if self._size >= GATHER or self._bytes >= GATHER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered."""
        if not self._held:
            return
        table = pa.Table.from_batches(self._held)
        self._held, self._size, self._bytes = [], 0, 0
        for day, rows in self._days(table):
            name = f"{self._transaction:08d}-{len(self.parts):04d}"
            self.parts.append(
                write_part(
                    self._layout,
                    name,
                    day,
                    rows.drop_columns(list(_KINDS)),
                    identities_of(rows),
                    sync_files=self._lasting,
                )
            )

    def _days(self, table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        day = np.asarray(table.column("time")).astype("datetime64[D]")
        if not self._lasting:
            yield str(day.min()), table
            return
        for value in np.unique(day):
            yield str(value), table.filter(pa.array(day == value))


def write_part(
    layout: Layout,
    name: str,
    day: str,
    table: pa.Table,
    identities: pa.Table,
    *,
    sync_files: bool = True,
) -> Part:
    """Write observations, names and identities of one part.

    Args:
        layout: of the store.
        name: of the part; day: of all its rows.
        table: STORED_SCHEMA (with ``pairs`` or without) and NAMES_SCHEMA, in any order.
        identities: IDENTITY_SCHEMA.
        sync_files: have all on the disk before returning.
    """
    table = table.sort_by([("account", "ascending"), ("time", "ascending")])
    names = table.select(NAMES_SCHEMA.names).cast(NAMES_SCHEMA)
    observations = table.drop_columns(NAMES_SCHEMA.names)
    paths = layout.part_files(name, day)
    write_parquet(paths[0], observations, OBSERVATION_ENCODING, sync_files=sync_files)
    write_parquet(paths[1], names, NAMES_ENCODING, sync_files=sync_files)
    write_parquet(paths[2], identities, {}, sync_files=sync_files)
    return Part(name, day, table.num_rows, paths[0].stat().st_size, paths[1].stat().st_size)


def read_part(layout: Layout, part: Part) -> tuple[pa.Table, pa.Table]:
    """A part as ``write_part`` takes it: observations with names, and identities."""
    paths = layout.part_files(part.part, part.day)
    table, names, identities = (pq.ParquetFile(path).read() for path in paths)
    for name in NAMES_SCHEMA.names:
        table = table.append_column(NAMES_SCHEMA.field(name), names.column(name))
    return table, identities


def write_parquet(
    path: Path, table: pa.Table, encoding: dict[str, object], *, sync_files: bool = True
) -> None:
    """Write one file of a store; on the disk, name included, before it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table, path, compression="zstd", compression_level=3 if sync_files else 1,
        row_group_size=ROW_GROUP, **encoding,
    )  # fmt: skip
    if sync_files:
        sync(path)
        sync(path.parent)
        sync(path.parent.parent)  # the day's folder may be new


def identities_of(table: pa.Table) -> pa.Table:
    """Distinct names and their hashes (IDENTITY_SCHEMA), of gathered rows."""
    found = []
    for column, (kind, (hashed, _)) in zip(_KINDS, IDENTITY_KINDS.items(), strict=True):
        names = table.column(column)
        known = names.is_valid()
        pairs = pa.table(
            {
                "value": table.column(hashed).filter(known).cast(pa.int64()),
                "name": names.filter(known).cast(pa.string()),
            }
        )
        distinct = pairs.group_by(["value", "name"]).aggregate([]).sort_by("value")
        found.append(
            pa.table(
                [
                    pa.array([kind] * distinct.num_rows, pa.string()),
                    distinct.column("value"),
                    distinct.column("name"),
                ],
                schema=IDENTITY_SCHEMA,
            )
        )
    return pa.concat_tables(found)


def distinct_identities(tables: list[pa.Table]) -> pa.Table:
    """Several parts' identities as one part's."""
    every = pa.concat_tables(tables)
    return (
        every.group_by(IDENTITY_SCHEMA.names)
        .aggregate([])
        .sort_by([(name, "ascending") for name in IDENTITY_SCHEMA.names])
        .select(IDENTITY_SCHEMA.names)
        .cast(IDENTITY_SCHEMA)
    )


def without_rows(layout: Layout, part: Part, rows: np.ndarray, *, sync_files: bool) -> Part | None:
    """Write a part again without some of its rows; None where none is left.

    Args:
        layout: of the store.
        part: not yet committed.
        rows: int64, their positions; identities stay, a name more does no harm.
    """
    observations, names, identities = layout.part_files(part.part, part.day)
    keep = np.ones(part.rows, dtype=bool)
    keep[rows] = False
    if not keep.any():
        for path in (observations, names, identities):
            path.unlink()
        return None
    for path, encoding in ((observations, OBSERVATION_ENCODING), (names, NAMES_ENCODING)):
        table = pq.ParquetFile(path).read().filter(pa.array(keep))
        write_parquet(path, table, encoding, sync_files=sync_files)
    return Part(
        part.part, part.day, int(keep.sum()), observations.stat().st_size, names.stat().st_size
    )
