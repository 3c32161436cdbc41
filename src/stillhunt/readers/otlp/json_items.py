"""OTLP's JSON: camelCase, ids in hex, 64-bit numbers as strings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stillhunt.readers.nested import first, mapping
from stillhunt.readers.otlp.item import DEEPEST, Attributes, Item

_ERROR = (2, "STATUS_CODE_ERROR")
_PLAIN = frozenset({"stringValue", "boolValue", "doubleValue", "bytesValue"})
_LONGEST_NUMBER = 32


def json_items(row: int, record: Mapping[str, Any], size: int = 0) -> Iterator[Item]:
    """Give the spans and log records of one export request.

    Args:
        row: what places them.
        record: the request.
        size: bytes of it; each item is held to be an equal part.
    """
    found = list(_spans(record)) + list(_logs(record))
    each = 256 + size // max(1, len(found))
    for is_span, item, shared in found:
        key = (_word(item.get("traceId")), _word(item.get("spanId")))
        attributes = _attributes(item.get("attributes"))
        if is_span:
            events = [
                (name, _attributes(event.get("attributes")))
                for event in _objects(item.get("events"))
                if isinstance(name := event.get("name"), str)
            ]
            failed = mapping(item.get("status")).get("code") in _ERROR
            time = _nanoseconds(item.get("startTimeUnixNano"))
            yield Item(row, True, key, time, None, attributes, shared, each, failed, events)
        else:
            named = first(item.get("eventName"), attributes.get("event.name"))
            yield Item(
                row, False, key,
                first(_nanoseconds(item.get("timeUnixNano")), item.get("observedTimeUnixNano")),
                named if isinstance(named, str) else None,
                attributes, shared, each, body=mapping(_value(item.get("body"))),
            )  # fmt: skip


def _spans(record: Mapping[str, Any]) -> Iterator[tuple[bool, Mapping[str, Any], Attributes]]:
    for resource in _objects(record.get("resourceSpans")):
        shared = _attributes(mapping(resource.get("resource")).get("attributes"))
        for scope in _objects(
            resource.get("scopeSpans"), resource.get("instrumentationLibrarySpans")
        ):
            for span in _objects(scope.get("spans")):
                yield True, span, shared


def _logs(record: Mapping[str, Any]) -> Iterator[tuple[bool, Mapping[str, Any], Attributes]]:
    for resource in _objects(record.get("resourceLogs")):
        shared = _attributes(mapping(resource.get("resource")).get("attributes"))
        for scope in _objects(
            resource.get("scopeLogs"), resource.get("instrumentationLibraryLogs")
        ):
            for log in _objects(scope.get("logRecords"), scope.get("logs")):
                yield False, log, shared


def _attributes(pairs: Any) -> Attributes:
    """Return OTLP's list of {key, value} as a dictionary."""
    found: Attributes = {}
    if isinstance(pairs, list):
        for pair in pairs:
            if isinstance(pair, dict) and isinstance(key := pair.get("key"), str):
                value = pair.get("value")
                if isinstance(value, dict) and len(value) == 1:  # nearly always
                    text = value.get("stringValue")
                    found[key] = _value(value) if text is None else text
                else:
                    found[key] = _value(value)
    return found


def _value(value: Any, depth: int = 0) -> Any:
    """Return an OTLP AnyValue as a plain value."""
    if not isinstance(value, Mapping) or depth > DEEPEST:
        return None
    for kind, inner in value.items():
        if kind in _PLAIN:
            return inner
        if kind == "intValue":
            digits = str(inner)[:_LONGEST_NUMBER]
            return int(digits) if digits.lstrip("-").isdecimal() else inner
        if kind == "arrayValue":
            return [_value(item, depth + 1) for item in _objects(mapping(inner).get("values"))]
        if kind == "kvlistValue":
            return {
                pair["key"]: _value(pair.get("value"), depth + 1)
                for pair in _objects(mapping(inner).get("values"))
                if isinstance(pair.get("key"), str)
            }
    return None


def _objects(*lists: Any) -> Iterator[Mapping[str, Any]]:
    for items in lists:
        if isinstance(items, list):
            yield from (item for item in items if isinstance(item, Mapping))


def _nanoseconds(value: Any) -> Any:
    return None if value in (0, "0", "") else value


def _word(value: Any) -> str:
    return str(value)[:64] if value else ""
