"""OTLP's protobuf: the envelope is walked by hand, each span or log record is parsed by itself.

A request holds resources, these scopes, and these the records. Parsing it as a whole would let a few
megabytes of empty messages become gigabytes of objects; walked, it costs as much as its largest
record, of which there is a limit.

Wire format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from stillhunt.readers.otlp.item import DEEPEST, Attributes, Item
from stillhunt.readers.otlp.schema import Schema, otlp_schema

LONGEST_RECORD = 16 << 20
"""Bytes of the longest span or log record that is read."""

MOST_PARTS = 1 << 16
"""Attributes, events, list elements of one record, at most; nothing real has so many."""

MALFORMED = "not valid OTLP protobuf"
MOST_RECORDS = 1 << 20
"""Spans or log records of one resource, at most; nothing real has so many in what is read at once."""

TOO_LONG = "span or log record too long"
TOO_MANY = "span or log record of too many parts"
CROWDED = "resource of too many spans or log records; what follows in it is lost"
NO_EXCHANGES = "metrics and profiles hold no exchanges"
"""Reasons."""

_VARINT, _FIXED64, _LEN, _FIXED32 = 0, 1, 2, 5
_SMALL = 1 << 16
_LONGEST_KEY = 1024
_DEEPEST_COUNTED = 100  # protobuf itself refuses what is deeper
_INSIDE = {
    "Span": {9: "KeyValue", 11: "Event"},
    "LogRecord": {5: "AnyValue", 6: "KeyValue"},
    "Event": {3: "KeyValue"},
    "KeyValue": {2: "AnyValue"},
    "AnyValue": {5: "ArrayValue", 6: "KeyValueList"},
    "ArrayValue": {1: "AnyValue"},
    "KeyValueList": {1: "KeyValue"},
}
_OLD_SCOPES = 1000
_ERROR = 2


class WireError(ValueError):
    """The bytes are no protobuf; ``args[0]`` is where, counted from the beginning of what was given."""


class Field(NamedTuple):
    """A field of a message on the wire.

    Attributes:
        number: of the field.
        kind: wire type.
        start, end: where its content lies; for a varint, both are behind it.
    """

    number: int
    kind: int
    start: int
    end: int


class Bad(NamedTuple):
    """A record that cannot be read, and why."""

    reason: str


def varint(data: bytes | memoryview, at: int, end: int) -> tuple[int, int]:
    """Return the number at a place and the place behind it.

    Raises:
        WireError: it is cut off, or longer than a number can be.
    """
    value = shift = 0
    start = at
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise WireError(start)


def fields(data: bytes | memoryview, start: int, end: int) -> Iterator[Field]:
    """Give the fields of a message, in order.

    Raises:
        WireError: a tag, a length or a number cannot be.
    """
    at = start
    while at < end:
        here = at
        tag = data[at]
        at += 1
        if tag >= 0x80:
            tag, at = varint(data, here, end)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise WireError(here)
        if kind == _LEN:
            size, at = varint(data, at, end)
            if size > end - at:
                raise WireError(here)
            yield Field(number, kind, at, at + size)
            at += size
        elif kind == _VARINT:
            _, at = varint(data, at, end)
            yield Field(number, kind, at, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
            if size > end - at:
                raise WireError(here)
            yield Field(number, kind, at, at + size)
            at += size
        else:
            raise WireError(here)


def encoded(number: int, content: bytes) -> bytes:
    """Return a field of bytes, text or a message as it is on the wire."""
    return encoded_number(number << 3 | _LEN) + encoded_number(len(content)) + content


def encoded_number(value: int) -> bytes:
    """Return a varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def record_key(data: bytes, record: Field) -> tuple[str, str]:
    """Return trace id and span id of a span or log record, in hex; empty where there are none."""
    found = ["", ""]
    try:
        reader = _reader(data, record)
        numbers = (1, 2) if reader is _span else (9, 10)
        for field in fields(data, record.start, record.end):
            if field.kind == _LEN and field.number in numbers:
                found[numbers.index(field.number)] = data[field.start : field.end].hex()
    except WireError:
        return "", ""
    return found[0], found[1]


def wire_items(data: bytes, row: int) -> Iterator[Item | Bad | str]:
    """Give the spans and log records of one ResourceSpans or ResourceLogs.

    Args:
        data: its bytes.
        row: place of its first record.

    Yields:
        An Item; a Bad in place of one that cannot be read; the reason why one is passed over. Each
        counts as one row.

    Raises:
        WireError: the envelope itself is broken; what came before it stays good.
    """
    schema = otlp_schema()
    end, first = len(data), row
    shared: Attributes = {}
    for field in fields(data, 0, end):
        if field.number == 1 and field.kind == _LEN:
            shared = _resource(schema, data[field.start : field.end])
            break
    for field in fields(data, 0, end):
        if field.number in (2, _OLD_SCOPES) and field.kind == _LEN:
            for inner in fields(data, field.start, field.end):
                if inner.number == 2 and inner.kind == _LEN:
                    if row - first >= MOST_RECORDS:
                        yield Bad(CROWDED)
                        return
                    yield _item(schema, data, inner, row, shared)
                    row += 1


def _resource(schema: Schema, data: bytes) -> Attributes:
    """Return a resource's attributes; none where it cannot be read, for its records still can."""
    if len(data) > _SMALL:
        return {}
    try:
        return _attributes(schema.resource.FromString(data).attributes)
    except (schema.error, OverflowError):
        return {}


def _item(
    schema: Schema, data: bytes, field: Field, row: int, shared: Attributes
) -> Item | Bad | str:
    size = field.end - field.start
    if size > LONGEST_RECORD:
        return Bad(TOO_LONG)
    try:
        reader = _reader(data, field)
        if reader is None:
            return NO_EXCHANGES
        if size > _SMALL:
            _count(data, field, "Span" if reader is _span else "LogRecord", 0, 0)
        return reader(schema, data[field.start : field.end], row, shared)
    except (schema.error, WireError):
        return Bad(MALFORMED)
    except OverflowError:
        return Bad(TOO_MANY)


def _reader(data: bytes, record: Field) -> Callable[..., Item] | None:
    """Tell spans, log records and the rest apart by the first field that tells.

    Span: 1 trace id, 2 span id, 7 and 8 times. LogRecord: 1 and 11 times, 6 attributes, 12 name.
    Metric: 1 name, 2 description, 5, 7 and 9 to 11 messages.
    """
    for field in fields(data, record.start, record.end):
        if field.kind == _FIXED64:
            return _log if field.number in (1, 11) else _span
        if field.kind != _LEN:
            continue
        if field.number in (1, 2):
            size = field.end - field.start
            return _span if size == (16 if field.number == 1 else 8) else None
        if field.number in (6, 12):
            return _log
    return None


def _count(data: bytes, message: Field, kind: str, depth: int, parts: int) -> int:
    """Count the messages in a message: two bytes of an empty one become some forty.

    Raises:
        OverflowError: there are too many.
    """
    inside = _INSIDE.get(kind)
    if inside is None or depth > _DEEPEST_COUNTED:
        return parts
    for field in fields(data, message.start, message.end):
        if field.kind == _LEN and (inner := inside.get(field.number)) is not None:
            parts += 1
            if parts > MOST_PARTS:
                raise OverflowError
            parts = _count(data, field, inner, depth + 1, parts)
    return parts


def _span(schema: Schema, data: bytes, row: int, shared: Attributes) -> Item:
    span = schema.span.FromString(data)
    events = [(_text(event.name), _attributes(event.attributes)) for event in span.events]
    return Item(
        row, True, (span.trace_id.hex(), span.span_id.hex()), span.start_time_unix_nano or None,
        None, _attributes(span.attributes), shared, 256 + len(data),
        span.status.code == _ERROR, events,
    )  # fmt: skip


def _log(schema: Schema, data: bytes, row: int, shared: Attributes) -> Item:
    log = schema.log.FromString(data)
    attributes = _attributes(log.attributes)
    name = _text(log.event_name) or attributes.get("event.name")
    body = _value(log.body)
    return Item(
        row, False, (log.trace_id.hex(), log.span_id.hex()),
        log.time_unix_nano or log.observed_time_unix_nano or None,
        name if isinstance(name, str) else None, attributes, shared, 256 + len(data),
        body=body if isinstance(body, dict) else {},
    )  # fmt: skip


def _attributes(pairs: Any) -> Attributes:
    found: Attributes = {}
    for pair in pairs:
        value = pair.value
        text = value.string_value  # nearly always; empty where it is something else
        found[_key(pair.key)] = text.decode("utf-8", "replace") if text else _value(value)
    return found


@lru_cache(maxsize=4096)
def _key(data: bytes) -> str:
    return data.decode("utf-8", "replace") if len(data) <= _LONGEST_KEY else "key too long"


def _value(value: Any, depth: int = 0) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or depth > DEEPEST:
        return None
    inner = getattr(value, kind)
    if kind in ("string_value", "bytes_value"):
        return _text(inner)
    if kind == "array_value":
        return [_value(one, depth + 1) for one in inner.values]
    if kind == "kvlist_value":
        return {_text(pair.key): _value(pair.value, depth + 1) for pair in inner.values}
    return inner


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
