"""Reads OTLP files of every kind: the loop that the formats of OTLP share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from stillhunt.readers.compression import ByteStream
from stillhunt.readers.otlp.calls import Call, Calls
from stillhunt.readers.otlp.exchange import exchange_of
from stillhunt.readers.otlp.frames import Frame, Framing, read_frames
from stillhunt.readers.otlp.item import Item
from stillhunt.readers.otlp.json_items import json_items
from stillhunt.readers.otlp.wire import (
    MALFORMED,
    NO_EXCHANGES,
    Bad,
    WireError,
    fields,
    wire_items,
)
from stillhunt.readers.pause import no_collections
from stillhunt.readers.records import parse_object
from stillhunt.readers.registry import BadRecordError, Fields, Mapper, Opened

ORPHAN = "content of a call whose span is not in this file"
NO_OTLP = "no OTLP: neither resourceSpans nor resourceLogs"


class OtlpMapper(Mapper):
    """Turns OTLP's JSON, one request a record, into exchanges; its window is its own."""

    def __init__(self, file: Opened, trusted_hops: int) -> None:
        self._file = file
        self._hops = trusted_hops
        self._calls = Calls()
        wanted = file.settler.wanted
        self._text = any(wanted(name) for name in ("system", "prompt", "response"))

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Take one request; give the calls that fell out of the window."""
        if "resourceSpans" not in record and "resourceLogs" not in record:
            if "resourceMetrics" in record or "resourceProfiles" in record:
                self._skip(NO_EXCHANGES)
                return
            raise BadRecordError(NO_OTLP)
        with no_collections():
            for item in json_items(row, record):
                self.take(item)
            done = list(self.done())
        yield from done

    def take(self, item: Item) -> None:
        """Take one span or log record."""
        if (reason := self._calls.take(item)) is not None:
            self._skip(reason)

    def done(self) -> Iterator[tuple[int, Fields]]:
        """Give the calls that fell out of the window."""
        for call in self._calls.full():
            yield from self._exchange(call)

    def flush(self) -> Iterator[tuple[int, Fields]]:
        """Give the calls still in the window."""
        with no_collections():
            done = [one for call in self._calls.rest() for one in self._exchange(call)]
        yield from done

    def _exchange(self, call: Call) -> Iterator[tuple[int, Fields]]:
        if call.whole:
            yield call.row, exchange_of(call, self._hops, text=self._text)
        else:
            self._file.settler.lose(self._file.name, call.row, ORPHAN)

    def _skip(self, reason: str) -> None:
        self._file.settler.quarantine.skip(self._file.name, reason)


def binary_exchanges(
    file: Opened, framing: Framing, mapper: OtlpMapper
) -> Iterator[tuple[list[tuple[int, Fields]], int]]:
    """Give the exchanges of a binary file, with the bytes that they came from.

    Rows are spans and log records, counted from 1 through the whole file; what cannot be read of an
    envelope counts as one, and its excerpt says where it lies.
    """
    file.progress.stream = ByteStream(file.path)
    row = 1
    for frame in read_frames(file.progress.stream, framing):
        if frame.problem is not None:
            _lose(file, row, frame.problem, frame)
            row += 1
            continue
        with no_collections():
            row = _frame(file, frame, row, mapper)
            done = list(mapper.done())
        yield done, len(frame.data)
    yield list(mapper.flush()), 0


def _frame(file: Opened, frame: Frame, row: int, mapper: OtlpMapper) -> int:
    """Take one frame; returns the row behind its last."""
    data = frame.data
    if data[:1] == b"{":
        record, problem = parse_object(data)
        if record is None or not ("resourceSpans" in record or "resourceLogs" in record):
            _lose(file, row, problem or NO_OTLP, frame)
            return row + 1
        for item in json_items(row, record, len(data)):
            item.row = row
            mapper.take(item)
            row += 1
        return row
    try:
        if frame.resource:
            return _resource(file, data, row, mapper)
        for field in fields(data, 0, len(data)):
            if field.number == 1 and field.start < field.end:
                row = _resource(file, data[field.start : field.end], row, mapper)
    except WireError:
        _lose(file, row, MALFORMED, frame)
        row += 1
    return row


def _resource(file: Opened, data: bytes, row: int, mapper: OtlpMapper) -> int:
    try:
        for found in wire_items(data, row):
            if isinstance(found, Item):
                mapper.take(found)
            elif isinstance(found, Bad):
                file.settler.lose(file.name, row, found.reason)
            else:
                file.settler.quarantine.skip(file.name, found)
            row += 1
    except WireError:
        file.settler.lose(file.name, row, MALFORMED)
        row += 1
    return row


def _lose(file: Opened, row: int, reason: str, frame: Frame) -> None:
    file.settler.lose(file.name, row, reason, f"at byte {frame.place}")
