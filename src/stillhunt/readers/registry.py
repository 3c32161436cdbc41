"""The formats that can be read. A new one is one new file in ``readers/formats``.

A format is a class decorated with ``@register``: a name, a way to recognise it (``sniff``), and a
way to turn a record into exchanges (``mapper``), or a whole ``read`` of its own.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.readers import formats as _formats
from stillhunt.readers.compression import ByteStream
from stillhunt.readers.options import ReadBatch, ReadOptions
from stillhunt.readers.records import (
    PARQUET_ERRORS,
    Record,
    Sample,
    csv_records,
    document_record,
    first_line,
    json_records,
    parquet_parts,
)
from stillhunt.readers.settle import Settler

BATCH_BYTES = 16 << 20
"""About how many bytes of records are gathered before they become a batch."""

Fields = dict[str, Any]
"""An exchange under way: canonical column names to values of any type."""


_SHAPES = (TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError)
UNEXPECTED = "a value of a shape that nobody expected"
"""Reason for a record at which a mapper stumbled. That is a mistake of the mapper's, but who writes
a record that makes it stumble must not be able to end everybody's hunt."""


class BadRecordError(ValueError):
    """A record cannot be an exchange; ``args[0]`` is the reason for the quarantine."""


@dataclass
class Progress:
    """How far a file has been read.

    Attributes:
        stream: the bytes being read, or None before the first.
        bytes: bytes of the file that were read, where there is no stream.
    """

    stream: ByteStream | None = None
    bytes: int = 0

    @property
    def consumed(self) -> int:
        """Bytes of the file (compressed) consumed so far."""
        return self.bytes if self.stream is None else self.stream.consumed


@dataclass(frozen=True)
class Opened:
    """A file about to be read.

    Attributes:
        path: the file.
        name: the file as the user named it.
        sample: its beginning.
        settler: turns columns into batches.
        progress: to be kept current.
    """

    path: Path
    name: str
    sample: Sample
    settler: Settler
    progress: Progress = field(default_factory=Progress)


class Mapper(ABC):
    """Turns the records of one file into exchanges, one after the other."""

    @abstractmethod
    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Take a record; give (row, exchange) for each exchange that is now complete.

        Raises:
            BadRecordError: the record is not of this format.
        """

    def flush(self) -> Iterable[tuple[int, Fields]]:
        """Give the exchanges still held at the end of the file."""
        return ()


@dataclass(frozen=True)
class Switch:
    """What an operator can switch on at the producer so that its log carries more.

    Attributes:
        columns: canonical columns that it brings.
        how: what to do, one sentence.
    """

    columns: tuple[str, ...]
    how: str


def filled(*, carried: str, derived: str = "") -> Mapping[str, str]:
    """Declare which canonical columns a format can fill, each list a text of their names.

    Args:
        carried: the value is as the log has it.
        derived: the value is put together or computed.
    """
    return dict.fromkeys(carried.split(), "carried") | dict.fromkeys(derived.split(), "derived")


class LogFormat(ABC):
    """One log format.

    Attributes:
        name: what ``--source`` calls it.
        summary: what it reads, in a line.
        columns: canonical columns that a log of it can fill, and how (see ``filled``); all others
            are absent.
        switches: what an operator can switch on to get more.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    columns: ClassVar[Mapping[str, str]] = {}
    switches: ClassVar[tuple[Switch, ...]] = ()

    def __init__(self, options: ReadOptions) -> None:
        self.options = options

    @abstractmethod
    def sniff(self, sample: Sample) -> float:
        """Return how sure it is that a file is of this format: 0 (not) to 1 (certainly)."""

    def mapper(self, file: Opened) -> Mapper:
        """Return what maps the records of one file."""
        raise NotImplementedError

    def check(self, sample: Sample) -> None:  # noqa: B027 - most formats have nothing to check
        """Raise InputError where a file plainly lacks what the format needs."""

    def read(self, file: Opened) -> Iterator[ReadBatch]:
        """Read a whole file. What is given here reads it record by record."""
        mapper = self.mapper(file)
        gathered = Gathered(file)
        quarantine = file.settler.quarantine
        for record in records_of(file):
            if record.values is None:
                problem = record.problem or "unreadable"
                file.settler.lose(file.name, record.row, problem, record.excerpt)
                continue
            if record.problem is not None:
                quarantine.note(file.name, record.row, record.problem, record.excerpt)
            try:
                produced = list(mapper.feed(record.row, record.values))
            except BadRecordError as error:
                excerpt = ", ".join(list(record.values)[:20])
                file.settler.lose(file.name, record.row, str(error.args[0]), excerpt)
                continue
            except _SHAPES as error:
                reason = f"{UNEXPECTED} ({type(error).__name__})"
                file.settler.lose(file.name, record.row, reason)
                continue
            gathered.extend(produced, record.size)
            if gathered.full:
                yield from gathered.settle()
        try:
            for produced_last in mapper.flush():
                gathered.extend((produced_last,), 0)
        except _SHAPES as error:
            file.settler.lose(file.name, None, f"{UNEXPECTED} ({type(error).__name__})")
        yield from gathered.settle()


class Gathered:
    """Exchanges on their way to becoming a batch."""

    def __init__(self, file: Opened) -> None:
        self._file = file
        self._rows: list[int] = []
        self._fields: list[Fields] = []
        self._size = 0
        self._limit = file.settler.options.batch_rows

    def extend(self, produced: Iterable[tuple[int, Fields]], size: int) -> None:
        """Add exchanges that came from so many bytes."""
        for row, fields in produced:
            self._rows.append(row)
            self._fields.append(fields)
        self._size += size

    @property
    def full(self) -> bool:
        """Whether it is enough for a batch."""
        return len(self._rows) >= self._limit or self._size >= BATCH_BYTES

    def settle(self) -> Iterator[ReadBatch]:
        """Give what is held as batches, and hold nothing."""
        columns = _columns(self._fields)
        rows = np.array(self._rows, dtype=np.int64)
        self._rows, self._fields, self._size = [], [], 0
        yield from self._file.settler.settle(self._file.name, columns, rows)


def _columns(records: list[Fields]) -> dict[str, Sequence[Any]]:
    """Turn rows into columns; the loops over all values are the dictionaries' own."""
    names = sorted(set().union(*records))
    if not names:
        return {}
    if any(len(row) != len(names) for row in records):
        empty: Fields = dict.fromkeys(names)
        records = [row if len(row) == len(names) else {**empty, **row} for row in records]
    values = itemgetter(*names, names[0])  # one name more, so that it always gives a tuple
    return dict(zip(names, zip(*map(values, records), strict=True), strict=False))


def records_of(file: Opened) -> Iterator[Record]:
    """Give the records of a file, whatever stores them."""
    if file.sample.container == "parquet":
        yield from _parquet_records(file)
        return
    file.progress.stream = ByteStream(file.path)
    if file.sample.container == "csv":
        yield from csv_records(file.progress.stream)
    elif file.sample.document:
        yield from document_record(file.progress.stream)
    else:
        yield from json_records(file.progress.stream)


def _parquet_records(file: Opened) -> Iterator[Record]:
    for part in read_parquet(file, None):
        rows = _plain_rows(part.batch)
        size = part.batch.nbytes // max(1, part.rows)
        for i, values in enumerate(rows):
            problem = None if values is not None else "not valid UTF-8, or a time that cannot be"
            yield Record(part.first + i, values, problem, size=size)


@dataclass(frozen=True)
class Rows:
    """Readable rows of a Parquet file: its first row's number (from 1), the rows, how many."""

    first: int
    batch: pa.RecordBatch
    rows: int


def read_parquet(file: Opened, columns: list[str] | None) -> Iterator[Rows]:
    """Give the readable parts of a Parquet file; the others go to the quarantine."""
    size = file.path.stat().st_size
    seen = 0
    try:
        total = max(1, pq.read_metadata(file.path).num_rows)
        for part in parquet_parts(file.path, columns, file.settler.options.batch_rows):
            seen += part.rows
            file.progress.bytes = size * seen // total
            if part.batch is None:
                problem = part.problem or "unreadable"
                file.settler.lose(file.name, part.first, problem, rows=part.rows)
                continue
            yield Rows(part.first, part.batch, part.rows)
    except PARQUET_ERRORS as error:
        reason = f"not readable as Parquet: {first_line(error)}"
        file.settler.lose(file.name, None, reason)
    file.progress.bytes = size


def _plain_rows(batch: pa.RecordBatch) -> list[dict[str, Any] | None]:
    # Python's datetime has no nanoseconds: what is finer than a microsecond is cut off.
    coarse = pa.schema([_coarse(field) for field in batch.schema])
    batch = pa.RecordBatch.from_arrays(
        [
            column.cast(field.type, safe=False)
            for column, field in zip(batch.columns, coarse, strict=True)
        ],
        schema=coarse,
    )
    try:
        return list(batch.to_pylist())
    except (ValueError, OverflowError):  # a string that is not UTF-8, a year beyond 9999
        pass
    rows: list[dict[str, Any] | None] = []
    for i in range(batch.num_rows):
        try:
            rows.append(batch.slice(i, 1).to_pylist()[0])
        except (ValueError, OverflowError):
            rows.append(None)
    return rows


def _coarse(field: pa.Field) -> pa.Field:
    if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
        return field.with_type(pa.timestamp("us", tz=field.type.tz))
    return field


_registered: dict[str, type[LogFormat]] = {}
_Format = TypeVar("_Format", bound=type[LogFormat])


def register(format_class: _Format) -> _Format:
    """Add a format to those that are recognised."""
    _registered[format_class.name] = format_class
    return format_class


@cache
def log_formats() -> dict[str, type[LogFormat]]:
    """Return every format by name, having imported each module of ``readers/formats``."""
    for module in pkgutil.iter_modules(_formats.__path__):
        importlib.import_module(f"{_formats.__name__}.{module.name}")
    return dict(sorted(_registered.items()))
