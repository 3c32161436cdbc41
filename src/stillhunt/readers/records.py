"""Files as rows: JSON lines, CSV and Parquet, each row as a dictionary or as the reason why not."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.readers.compression import PARQUET_MAGIC, BrokenStreamError, ByteStream
from stillhunt.readers.lines import LONGEST_LINE, LOST, Line, read_lines
from stillhunt.readers.pause import no_collections
from stillhunt.readers.quarantine import EXCERPT

# A footer that lies may also give names that are not UTF-8, and numbers beyond reason.
PARQUET_ERRORS = (pa.ArrowException, OSError, ValueError, OverflowError)
"""What reading a damaged Parquet file raises."""

Container = Literal["parquet", "csv", "json lines"]

_SAMPLE_RECORDS = 50
_SAMPLE_BYTES = 8 << 20
_HEAD = 4096
_MOST_PARTS = 1 << 20
_MANY = 1 << 16
_BATCH_BYTES = 16 << 20

csv.field_size_limit(LONGEST_LINE)


class Record(NamedTuple):
    """One row of a file.

    Attributes:
        row: line number (JSON lines) or row number (CSV, Parquet), from 1.
        values: the row; None where it could not be read.
        problem: why it could not be read, or what had to be repaired; None where all is well.
        excerpt: the beginning of a row that could not be read.
        size: about how many bytes it holds.
    """

    row: int
    values: dict[str, Any] | None
    problem: str | None = None
    excerpt: str | None = None
    size: int = 0


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, by which formats recognise it.

    Attributes:
        path: the file.
        container: how its rows are stored.
        columns: names of its columns, for Parquet and CSV; empty for JSON lines.
        records: its first readable rows (JSON lines and CSV; none for Parquet).
        problem: why nothing of it could be read, or None.
        damaged: it is a log, or was one, but not even its beginning can be read.
        head: its first bytes, unpacked, where it is none of Parquet and CSV.
        document: it is one JSON object over several lines, and its only row.
    """

    path: Path
    container: Container
    columns: tuple[str, ...]
    records: tuple[dict[str, Any], ...]
    problem: str | None = None
    damaged: bool = False
    head: bytes = b""
    document: bool = False


def take_sample(path: Path) -> Sample:
    """Look at the beginning of a file.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == PARQUET_MAGIC:
        try:
            names = tuple(pq.read_schema(path).names)
        except PARQUET_ERRORS as error:
            problem = f"not readable as Parquet: {first_line(error)}"
            return Sample(path, "parquet", (), (), problem, damaged=True)
        return Sample(path, "parquet", names, ())
    if is_csv(path):
        rows = list(islice(csv_records(ByteStream(path)), _SAMPLE_RECORDS))
        found = tuple(row.values for row in rows if row.values is not None)
        return Sample(path, "csv", tuple(csv_header(path)), found)
    return _sample_lines(path)


def is_csv(path: Path) -> bool:
    """Whether a file's name, less a compression's suffix, ends in .csv."""
    name = path.name.lower()
    for suffix in (".gz", ".zst", ".zstd"):
        name = name.removesuffix(suffix)
    return name.endswith(".csv")


def _sample_lines(path: Path) -> Sample:
    found: list[dict[str, Any]] = []
    first: Record | None = None
    size = 0
    with no_collections():
        for seen, record in enumerate(json_records(ByteStream(path))):
            first = first or record
            if record.values is not None:
                found.append(record.values)
            size += record.size
            if size > _SAMPLE_BYTES or seen + 1 >= _SAMPLE_RECORDS:
                break
    head = _head(path)
    if not found and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        whole = next(document_record(ByteStream(path)))
        if whole.values is not None:
            return Sample(path, "json lines", (), (whole.values,), head=head, document=True)
    problem = None
    damaged = False
    if not found and first is not None:
        damaged = (first.problem or "").endswith(LOST)
        problem = f"its first lines are no JSON objects ({first.problem})"
        if (first.excerpt or "").lstrip().startswith("["):
            problem = "it is one JSON array, not JSON lines (jq -c '.[]' makes lines of it)"
    return Sample(path, "json lines", (), tuple(found), problem, damaged, head)


def _head(path: Path) -> bytes:
    head = b""
    try:
        for piece in ByteStream(path):
            head += piece[:_HEAD]
            if len(head) >= _HEAD:
                break
    except BrokenStreamError:
        pass
    return head[:_HEAD]


def document_record(stream: ByteStream) -> Iterator[Record]:
    """Give a file that is one JSON object as its only Record, if it is no longer than a line may be."""
    parts: list[bytes] = []
    size = 0
    try:
        for piece in stream:
            size += len(piece)
            if size > LONGEST_LINE:
                yield Record(1, None, "JSON document too long", _beginning(parts[0]), size)
                return
            parts.append(piece)
    except BrokenStreamError as error:
        yield Record(1, None, str(error.args[0]) + LOST, size=size)
        return
    data = b"".join(parts).removeprefix(b"\xef\xbb\xbf")
    values, problem = parse_object(data)
    yield Record(1, values, problem, None if problem is None else _beginning(data), size)


def json_records(stream: ByteStream) -> Iterator[Record]:
    """Give every line that is not blank as a Record."""
    loads, failed = orjson.loads, orjson.JSONDecodeError
    for line in read_lines(stream):
        if line.problem is None and len(line.data) <= _MANY:  # the way nearly all go
            try:
                values = loads(line.data)
            except failed:
                values = None
            if type(values) is dict:
                yield Record(line.number, values, None, None, len(line.data))
                continue
        yield from _json_record(line)


def _json_record(line: Line) -> Iterator[Record]:
    size = len(line.data)
    if line.problem is not None:
        if line.data:  # the last line before a break may be whole
            values, _ = parse_object(line.data)
            if values is not None:
                yield Record(line.number, values, size=size)
        yield Record(line.number, None, line.problem, _beginning(line.data), size)
        return
    values, problem = parse_object(line.data)
    excerpt = None if problem is None else _beginning(line.data)
    yield Record(line.number, values, problem, excerpt, size)


def _beginning(data: bytes) -> str:
    return data[: 4 * EXCERPT].decode("utf-8", "replace")


def parse_object(data: bytes) -> tuple[dict[str, Any] | None, str | None]:
    """Parse one JSON object; returns it (or None) and what is wrong with it (or None).

    What orjson refuses though it can be understood (invalid UTF-8, lone surrogates, NaN) is
    parsed again with the standard library and repaired.
    """
    # Three bytes of an empty list become sixty-four: a line is bounded, so must these be.
    if len(data) > _MOST_PARTS and data.count(b"[") + data.count(b"{") > _MOST_PARTS:
        return None, "JSON of too many parts"
    try:
        value = orjson.loads(data) if len(data) < _MANY else _loads_at_once(data)
    except orjson.JSONDecodeError:
        if not data.lstrip().startswith(b"{"):
            return None, "not a JSON object"
        try:
            value = _repair(json.loads(data.decode("utf-8", "replace")))
        except (ValueError, RecursionError):
            return None, "not valid JSON"
        if isinstance(value, dict):
            return value, "invalid UTF-8 or JSON repaired"
    if not isinstance(value, dict):
        return None, "not a JSON object"
    return value, None


def _loads_at_once(data: bytes) -> Any:
    with no_collections():
        return orjson.loads(data)


def _repair(value: Any) -> Any:
    """Replace lone surrogates, which no UTF-8 text can hold."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_repair(item) for item in value]
    if isinstance(value, dict):
        return {_repair(key): _repair(item) for key, item in value.items()}
    return value


class _Text:
    """Decoded lines of a stream for the csv module; remembers a break."""

    def __init__(self, stream: ByteStream) -> None:
        self._pieces = iter(stream)
        self.broken: str | None = None
        self.invalid = False
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        rest = b""
        first = True
        while True:
            try:
                piece = next(self._pieces, None)
            except BrokenStreamError as error:
                self.broken, piece = str(error.args[0]), None
            if piece is None:
                break
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            if len(rest) > LONGEST_LINE:
                rest = b""
                self.broken = "line too long"
                return
            for line in lines:
                yield self._decode(line, first) + "\n"
                first = False
        if rest and self.broken is None:  # a row cut in half may look whole
            yield self._decode(rest, first)

    def _decode(self, line: bytes, first: bool) -> str:
        self.size += len(line)
        if first:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.invalid = True
            return line.decode("utf-8", "replace")


def csv_header(path: Path) -> list[str]:
    """Return the names in a CSV file's first row; empty where there is none."""
    try:
        return next(csv.reader(iter(_Text(ByteStream(path)))), [])
    except csv.Error:
        return []


def csv_records(stream: ByteStream) -> Iterator[Record]:
    """Give every row of a CSV file with a header; empty fields are None."""
    text = _Text(stream)
    reader = csv.reader(iter(text), strict=True)
    header: list[str] | None = None
    row = 0
    while True:
        before = text.size
        try:
            fields = next(reader, None)
        except csv.Error as error:
            row += 1
            yield Record(row, None, f"not readable as CSV: {error}")
            continue
        if fields is None:
            break
        if header is None:
            header = fields
            continue
        if not fields:
            continue
        row += 1
        size = text.size - before
        if len(fields) != len(header):
            problem = f"{len(fields)} fields where the header has {len(header)}"
            yield Record(row, None, problem, ",".join(fields)[: 4 * EXCERPT], size)
            continue
        invalid = "invalid UTF-8 replaced" if text.invalid else None
        text.invalid = False
        values = {name: value or None for name, value in zip(header, fields, strict=True)}
        yield Record(row, values, invalid, size=size)
    if text.broken is not None:
        yield Record(row + 1, None, text.broken + LOST)


@dataclass(frozen=True)
class ParquetPart:
    """Some rows of a Parquet file, or a gap in it.

    Attributes:
        first: number of its first row, from 1.
        batch: the rows; None where they cannot be read.
        rows: how many rows it is about.
        problem: why they cannot be read.
    """

    first: int
    batch: pa.RecordBatch | None
    rows: int
    problem: str | None = None


def parquet_parts(path: Path, columns: list[str] | None, batch_rows: int) -> Iterator[ParquetPart]:
    """Read a Parquet file in bounded batches; a damaged row group is passed over.

    Args:
        path: the file.
        columns: top-level columns to read; None means all.
        batch_rows: most rows in a batch.

    Raises:
        PARQUET_ERRORS: its footer cannot be read.
    """
    with pq.ParquetFile(path, memory_map=False) as file:
        first = 1
        for group in range(file.metadata.num_row_groups):
            meta = file.metadata.row_group(group)
            average = max(1, meta.total_byte_size // max(1, meta.num_rows))
            size = max(1, min(batch_rows, _BATCH_BYTES // average))
            done = 0
            try:
                for batch in file.iter_batches(size, row_groups=[group], columns=columns):
                    yield ParquetPart(first + done, batch, batch.num_rows)
                    done += batch.num_rows
            except PARQUET_ERRORS as error:
                problem = f"row group {group} unreadable: {first_line(error)}"
                yield ParquetPart(first + done, None, meta.num_rows - done, problem)
            first += meta.num_rows


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, cut to what a reason may hold."""
    return (str(error).splitlines() or [type(error).__name__])[0][:EXCERPT]
