"""From loosely typed columns to batches of the Exchange schema; what cannot be, to quarantine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.readers.addresses import client_addresses
from stillhunt.readers.casts import EARLIEST, Cast, Column, cast
from stillhunt.readers.options import ReadBatch, ReadOptions
from stillhunt.readers.quarantine import EXCERPT, Quarantine
from stillhunt.records.exchange import EXCHANGE_SCHEMA, REQUIRED, TEXT

BATCH_BYTES = 16 << 20
"""About how many bytes of text a batch may hold."""

LONGEST_IDENTIFIER = 1024
"""Characters of the longest id, account, organization or credential."""

_IDENTIFIERS = frozenset({"exchange_id", "account", "organization", "credential"})
_PSEUDONYMS = {"account": "account", "organization": "organization", "credential": "credential"}
_LONGEST_SHORT_TEXT = 4096


class Settler:
    """Casts, checks, resolves and pseudonymises; one for a whole read.

    Attributes:
        options: what the caller asked for.
        quarantine: where bad rows go.
        rows_read: rows seen so far, kept or not.
    """

    def __init__(self, options: ReadOptions, quarantine: Quarantine, latest: int) -> None:
        """Begin a read.

        Args:
            options: what the caller asked for.
            quarantine: where bad rows go.
            latest: last time that is believed, in microseconds since 1970.
        """
        self.options = options
        self.quarantine = quarantine
        self.rows_read = 0
        self._latest = latest

    def lose(
        self, file: str, row: int | None, reason: str, excerpt: str | None = None, rows: int = 1
    ) -> None:
        """Count and quarantine rows that never became columns."""
        self.rows_read += rows
        self.quarantine.add(file, row, reason, excerpt, rows)

    def wanted(self, name: str) -> bool:
        """Whether the caller wants this canonical column."""
        columns = self.options.columns
        return columns is None or name in columns or name in REQUIRED

    def settle(
        self, file: str, columns: Mapping[str, Column], rows: np.ndarray
    ) -> Iterator[ReadBatch]:
        """Turn columns into batches.

        Args:
            file: name of the file, for the quarantine.
            columns: canonical names to n values each, of any type; those left out are null.
            rows: shape (n,), int64: row or line numbers, from 1.
        """
        n = len(rows)
        self.rows_read += n
        if n == 0:
            return
        casts = {
            field.name: self._cast(columns[field.name], field)
            for field in EXCHANGE_SCHEMA
            if field.name in columns and self.wanted(field.name)
        }
        lost = self._required(file, columns, casts, rows)
        kept = np.flatnonzero(~lost)
        if len(kept) == 0:
            return
        arrays = []
        for field in EXCHANGE_SCHEMA:
            done = casts.get(field.name)
            if done is None:
                arrays.append(pa.nulls(len(kept), field.type))
                continue
            values = self._finish(file, field.name, done, rows, lost)
            arrays.append(values if len(kept) == n else values.take(pa.array(kept)))
        batch = pa.RecordBatch.from_arrays(arrays, schema=EXCHANGE_SCHEMA)
        yield from _bounded(ReadBatch(batch, file, rows[kept]))

    def _cast(self, column: Column, field: pa.Field) -> Cast:
        done = cast(column, field.type)
        if pa.types.is_string(field.type):
            empty = pc.fill_null(pc.equal(pc.binary_length(done.values), 0), False)
            if pc.any(empty).as_py():  # gateways write "" for what they do not know
                values = pc.if_else(empty, pa.scalar(None, field.type), done.values)
                return Cast(values, done.bad, done.repaired)
        return done

    def _required(
        self, file: str, columns: Mapping[str, Column], casts: dict[str, Cast], rows: np.ndarray
    ) -> np.ndarray:
        """Quarantine rows without a readable id, time and account; return their mask, (n,)."""
        lost = np.zeros(len(rows), dtype=bool)

        def lose(which: np.ndarray, reason: str) -> None:
            for i in np.flatnonzero(which & ~lost):
                excerpt = _excerpt(columns, int(i)) if self.quarantine.excerpts else None
                self.quarantine.add(file, int(rows[i]), reason, excerpt)
            lost[which] = True

        for name in REQUIRED:
            done = casts.get(name)
            if done is None:
                lose(np.ones(len(rows), dtype=bool), f"no {name}")
                continue
            bad = done.bad if done.bad is not None else np.zeros(len(rows), dtype=bool)
            lose(bad, f"{name} unreadable")
            lose(np.asarray(done.values.is_null()), f"no {name}")
            if name == "time":
                lose(self._out_of_range(done.values), "time out of range")
            else:
                reason = f"{name} longer than {LONGEST_IDENTIFIER} characters"
                lose(_longer(done.values, LONGEST_IDENTIFIER), reason)
        return lost

    def _out_of_range(self, times: pa.Array) -> np.ndarray:
        numbers = np.asarray(times.cast(pa.int64()).fill_null(EARLIEST))
        return (numbers < EARLIEST) | (numbers > self._latest)

    def _finish(
        self, file: str, name: str, done: Cast, rows: np.ndarray, lost: np.ndarray
    ) -> pa.Array:
        """Note what was unreadable in an optional column, resolve addresses, pseudonymise."""
        values = done.values
        if name not in REQUIRED and done.bad is not None:
            self._note(file, rows[done.bad & ~lost], f"optional column {name} unreadable")
        if done.repaired is not None:
            self._note(file, rows[done.repaired & ~lost], f"invalid UTF-8 in {name} replaced")
        if name == "client_address":
            values, bad = client_addresses(values, self.options.trusted_hops)
            self._note(file, rows[bad & ~lost], f"optional column {name} unreadable")
        elif name not in REQUIRED and pa.types.is_string(values.type):
            limit = LONGEST_IDENTIFIER if name in _IDENTIFIERS else _LONGEST_SHORT_TEXT
            long = _longer(values, limit)
            if long.any():
                self._note(file, rows[long & ~lost], f"{name} cut to {limit} characters")
                values = pc.utf8_slice_codeunits(values, 0, limit)
        pseudonymiser = self.options.pseudonymiser
        if pseudonymiser is None:
            return values
        if name == "client_address":
            return pseudonymiser.addresses(values)
        if name in _PSEUDONYMS:
            return pseudonymiser.column(_PSEUDONYMS[name], values)
        return values

    def _note(self, file: str, rows: np.ndarray, reason: str) -> None:
        for row in rows:
            self.quarantine.note(file, int(row), reason)


def _longer(values: pa.Array, limit: int) -> np.ndarray:
    if not pc.any(pc.greater(pc.binary_length(values), limit)).as_py():
        return np.zeros(len(values), dtype=bool)
    return np.asarray(pc.fill_null(pc.greater(pc.utf8_length(values), limit), False))


def _excerpt(columns: Mapping[str, Column], i: int) -> str:
    """Return the required values of a row as the log has them."""
    found = []
    for name in REQUIRED:
        if name in columns:
            value: Any = columns[name][i]
            if isinstance(value, pa.Scalar):
                value = _scalar(value)
            found.append(f"{name}={str(value)[:EXCERPT]!r}")
    return " ".join(found)


def _scalar(value: pa.Scalar) -> object:
    try:
        return value.as_py()
    except (UnicodeError, ValueError, OverflowError):
        return str(value)


def _bounded(batch: ReadBatch) -> Iterator[ReadBatch]:
    """Halve a batch until its text fits."""
    n = len(batch.rows)
    size = sum(_text_bytes(batch.exchanges.column(name)) for name in TEXT)
    if size <= BATCH_BYTES or n < 2:
        yield batch
        return
    half = n // 2
    yield from _bounded(ReadBatch(batch.exchanges.slice(0, half), batch.file, batch.rows[:half]))
    yield from _bounded(ReadBatch(batch.exchanges.slice(half), batch.file, batch.rows[half:]))


def _text_bytes(column: pa.Array) -> int:
    if column.null_count == len(column):
        return 0
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int64)
    return int(offsets[column.offset + len(column)] - offsets[column.offset])
