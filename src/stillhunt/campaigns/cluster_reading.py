"""What executors do with rows of canonical Parquet: check, pseudonymise, fingerprint.

Text goes no further than this. What is wrong with rows, and what was counted, goes back to the driver
as rows too, each told as one JSON document.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.engines.base import Rows
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import Quarantine, ReadBatch, ReadOptions
from stillhunt.readers.quarantine import harmless
from stillhunt.readers.settle import Settler
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt.records.observation import OBSERVATION_SCHEMA, keys_of
from stillhunt.store.intake import inside

PLACE = ("told_file", "told_row", "told_bytes")
"""Columns beside the exchange's: address of the file, row in it from 0, size of the file. In a table
that is no files the first and the last are null, and rows have any numbers, each its own."""

NAMES: pa.Schema = pa.schema(
    [
        ("key", pa.int64()),
        ("exchange_id", pa.string()),
        ("account_name", pa.string()),
        ("organization_name", pa.string()),
        ("address_name", pa.string()),
        ("agent_name", pa.string()),
        ("file", pa.int32()),
        ("row", pa.int64()),
    ]
)

ARRIVED: pa.Schema = pa.schema(
    [*(field.with_nullable(True) for field in OBSERVATION_SCHEMA), *NAMES, ("told", pa.string())]
)
"""Rows as executors give them: an observation and its names, or ``told`` and nothing else but the
file and row that it is about."""


@dataclass(frozen=True)
class Reading:
    """A function from rows of logs to rows of ARRIVED (see ``Engine.map``).

    Attributes:
        options: how logs are read.
        files: address of a file as it is reported, to its number and its name in the quarantine.
        since, until: only exchanges from since (inclusive) to until (exclusive); None: all.
        latest: last time that is believed, in microseconds since 1970.
    """

    options: ReadOptions
    files: Mapping[str, tuple[int, str]]
    since: datetime | None
    until: datetime | None
    latest: int

    def __call__(self, rows: Rows) -> Rows:
        """Read some rows."""
        for batch in rows:
            for part in _by_file(batch):
                yield from self._read(part)

    def _read(self, batch: pa.RecordBatch) -> Rows:
        """Read rows of one file."""
        if batch.num_rows == 0:
            return
        reported = batch.column(PLACE[0])[0].as_py() or ""
        number, name = self.files[reported]
        told = _Told(excerpts=self.options.pseudonymiser is None)
        settler = Settler(self.options, told, self.latest)
        columns = {c: batch.column(c) for c in EXCHANGE_SCHEMA.names if c in batch.schema.names}
        at = np.asarray(batch.column(PLACE[1]), dtype=np.int64) + 1
        kept = outside = 0
        for settled in settler.settle(name, columns, at):
            wanted = inside(settled, self.since, self.until)
            outside += settled.exchanges.num_rows - wanted.exchanges.num_rows
            if wanted.exchanges.num_rows:
                kept += wanted.exchanges.num_rows
                yield _observed(wanted, number)
        size = batch.column(PLACE[2])[0].as_py() or 0
        tally = {
            "seen": settler.rows_read,
            "outside": outside,
            "kept": kept,
            "bytes": size,
        }
        entries = [tally, *told.entries]
        yield _told_rows(number, [entry.get("row") for entry in entries], entries)


class _Told(Quarantine):
    """A quarantine that keeps what it is told, to be sent to the driver."""

    def __init__(self, *, excerpts: bool) -> None:
        super().__init__(Path(os.devnull), excerpts=excerpts)
        self.close()
        self.entries: list[dict[str, object]] = []

    def _write(self, line: dict[str, object], excerpt: str | None) -> None:
        if excerpt is not None and self.excerpts:
            line["excerpt"] = harmless(excerpt)
        self.entries.append(line)


@cache
def _observer() -> Observer:
    # One core: Spark runs one such process for each.
    return Observer(threads=1)


def _by_file(batch: pa.RecordBatch) -> Rows:
    """Parts of a batch that are of one file each; rows of a file lie together."""
    reported = batch.column(PLACE[0])
    if batch.num_rows < 2 or reported.null_count == batch.num_rows:
        yield batch
        return
    runs = pc.run_end_encode(reported, pa.int32())
    start = 0
    for end in runs.run_ends.to_pylist():
        yield batch.slice(start, end - start)
        start = end


def _observed(batch: ReadBatch, number: int) -> pa.RecordBatch:
    observed = _observer().observe(batch.exchanges)
    n = observed.num_rows
    columns = [
        *observed.columns,
        keys_of(observed),
        *(
            batch.exchanges.column(c)
            for c in ("exchange_id", "account", "organization", "client_address", "user_agent")
        ),
        pa.array(np.full(n, number, dtype=np.int32)),
        pa.array(batch.rows),
        pa.nulls(n, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ARRIVED)


def _told_rows(number: int, rows: list[object], entries: list[dict[str, object]]) -> pa.RecordBatch:
    n = len(entries)
    given = {
        "file": pa.array([number] * n, pa.int32()),
        "row": pa.array(rows, pa.int64()),
        "told": pa.array([orjson.dumps(entry).decode() for entry in entries], pa.string()),
    }
    return pa.RecordBatch.from_arrays(
        [given.get(f.name, pa.nulls(n, f.type)) for f in ARRIVED], schema=ARRIVED
    )
