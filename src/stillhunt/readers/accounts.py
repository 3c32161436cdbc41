"""Reads the optional table of accounts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.errors import InputError
from stillhunt.readers.casts import EARLIEST, Column, cast
from stillhunt.readers.compression import ByteStream
from stillhunt.readers.options import ReadOptions
from stillhunt.readers.quarantine import Quarantine
from stillhunt.readers.records import (
    Record,
    Sample,
    csv_records,
    json_records,
    parquet_parts,
    take_sample,
)
from stillhunt.readers.settle import LONGEST_IDENTIFIER
from stillhunt.records.account import ACCOUNT_SCHEMA

_BATCH = 65_536
_PSEUDONYMS = {
    "account": "account",
    "organization": "organization",
    "payment": "payment",
    "email_domain": "email_domain",
}
_DAY = 86_400


def read_accounts(path: Path, options: ReadOptions, quarantine: Quarantine) -> pa.Table:
    """Read the accounts table: Parquet, CSV or JSON lines, plain, gzip or Zstandard.

    Args:
        path: the file.
        options: its pseudonymiser is the one that counts here.
        quarantine: where bad rows go.

    Returns:
        A table of ACCOUNT_SCHEMA. An account that comes twice stays twice.

    Raises:
        InputError: the file cannot be read, or has no column ``account``.
    """
    if options.pseudonymiser is not None:
        quarantine.excerpts = False
    try:
        sample = take_sample(path)
        if sample.problem is not None:
            raise InputError(f"The accounts {path} cannot be read: {sample.problem}.", _remedy())
        _check(path, sample)
        batches = [
            batch
            for columns, rows in _columns(path, sample, quarantine)
            if (batch := _settle(str(path), columns, rows, options, quarantine)) is not None
        ]
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError(f"The accounts {path} cannot be read: {reason}.", _remedy()) from error
    return pa.Table.from_batches(batches, schema=ACCOUNT_SCHEMA)


def _remedy() -> str:
    return f"Give Parquet, CSV or JSON lines with the columns {', '.join(ACCOUNT_SCHEMA.names)}."


def _check(path: Path, sample: Sample) -> None:
    names = set(sample.columns)
    if sample.container == "json lines":
        names = {key for record in sample.records for key in record}
    if "account" not in names and (sample.columns or sample.records):
        raise InputError(f"The accounts {path} have no column account.", _remedy())


def _columns(
    path: Path, sample: Sample, quarantine: Quarantine
) -> Iterator[tuple[dict[str, Column], np.ndarray]]:
    if sample.container != "parquet":
        stream = ByteStream(path)
        records = csv_records(stream) if sample.container == "csv" else json_records(stream)
        yield from _gathered(str(path), records, quarantine)
        return
    known = [name for name in sample.columns if name in ACCOUNT_SCHEMA.names]
    for part in parquet_parts(path, known, _BATCH):
        if part.batch is None:
            problem = part.problem or "unreadable"
            quarantine.add(str(path), part.first, problem, rows=part.rows)
            continue
        columns = dict(zip(part.batch.schema.names, part.batch.columns, strict=True))
        yield columns, np.arange(part.first, part.first + part.rows, dtype=np.int64)


def _gathered(
    file: str, records: Iterator[Record], quarantine: Quarantine
) -> Iterator[tuple[dict[str, Column], np.ndarray]]:
    rows: list[int] = []
    gathered: list[dict[str, Any]] = []
    for record in records:
        if record.values is None:
            quarantine.add(file, record.row, record.problem or "unreadable", record.excerpt)
            continue
        if record.problem is not None:
            quarantine.note(file, record.row, record.problem, record.excerpt)
        rows.append(record.row)
        gathered.append({name: record.values.get(name) for name in ACCOUNT_SCHEMA.names})
        if len(rows) >= _BATCH:
            yield _as_columns(gathered), np.array(rows, dtype=np.int64)
            rows, gathered = [], []
    if rows:
        yield _as_columns(gathered), np.array(rows, dtype=np.int64)


def _as_columns(gathered: list[dict[str, Any]]) -> dict[str, Column]:
    return {name: [row[name] for row in gathered] for name in ACCOUNT_SCHEMA.names}


def _settle(
    file: str,
    columns: dict[str, Column],
    rows: np.ndarray,
    options: ReadOptions,
    quarantine: Quarantine,
) -> pa.RecordBatch | None:
    if len(rows) == 0:
        return None
    arrays = []
    lost = np.zeros(len(rows), dtype=bool)
    for field in ACCOUNT_SCHEMA:
        if field.name not in columns:
            arrays.append(pa.nulls(len(rows), field.type))
            continue
        done = cast(columns[field.name], field.type)
        values = done.values
        bad = done.bad if done.bad is not None else np.zeros(len(rows), dtype=bool)
        if field.name == "created_at":
            numbers = np.asarray(values.cast(pa.int64()).fill_null(EARLIEST))
            latest = int((time.time() + _DAY) * 1_000_000)
            # An account may be older than any API; 1970 is what an unset time looks like.
            bad = bad | (numbers <= 0) | (numbers > latest)
            values = pc.if_else(pa.array(~bad), values, pa.scalar(None, values.type))
        else:
            values = _tidy(field.name, values)
        if field.name == "account":
            long = np.asarray(
                pc.fill_null(pc.greater(pc.utf8_length(values), LONGEST_IDENTIFIER), False)
            )
            lost = np.asarray(values.is_null()) | long
            for i in np.flatnonzero(lost):
                reason = "account unreadable" if bad[i] or long[i] else "no account"
                quarantine.add(file, int(rows[i]), reason)
        else:
            for i in np.flatnonzero(bad & ~lost):
                reason = f"optional column {field.name} unreadable"
                quarantine.note(file, int(rows[i]), reason)
        if options.pseudonymiser is not None and field.name in _PSEUDONYMS:
            values = options.pseudonymiser.column(_PSEUDONYMS[field.name], values)
        arrays.append(values)
    kept = pa.array(np.flatnonzero(~lost))
    return pa.RecordBatch.from_arrays(
        [values.take(kept) for values in arrays], schema=ACCOUNT_SCHEMA
    )


def _tidy(name: str, values: pa.Array) -> pa.Array:
    """Make blank values null, and e-mail domains comparable."""
    if name == "email_domain":
        values = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, values.type), values)
