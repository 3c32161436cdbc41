"""Divides an OTLP request by the calls that its records are about."""

from __future__ import annotations

from typing import Any

import orjson

from stillhunt.readers.nested import mapping
from stillhunt.readers.otlp.wire import encoded, fields, record_key
from stillhunt.readers.records import parse_object

Keys = frozenset[tuple[str, str]]
"""Trace ids and span ids, in hex."""

_LEN = 2
_PLACES = (("resourceSpans", "scopeSpans", "spans"), ("resourceLogs", "scopeLogs", "logRecords"))


def split_request(data: bytes, keys: Keys, *, is_json: bool) -> tuple[bytes, bytes]:
    """Divide a request in two: records about some calls, and all others.

    Scopes are not kept, for nothing is read from them.

    Args:
        data: a request that ``check_request`` has accepted.
        keys: the calls.
        is_json: or protobuf.

    Returns:
        Two requests, empty where there is nothing for them.
    """
    return _split_json(data, keys) if is_json else _split_protobuf(data, keys)


def _split_protobuf(data: bytes, keys: Keys) -> tuple[bytes, bytes]:
    out = (bytearray(), bytearray())
    for resource in fields(data, 0, len(data)):
        if resource.number != 1 or resource.kind != _LEN:
            continue
        shared = b""
        records = (bytearray(), bytearray())
        for part in fields(data, resource.start, resource.end):
            if part.kind != _LEN:
                continue
            if part.number == 1:
                shared = encoded(1, data[part.start : part.end])
                continue
            for record in fields(data, part.start, part.end):
                if record.number == 2 and record.kind == _LEN:
                    other = record_key(data, record) not in keys
                    records[other].extend(encoded(2, data[record.start : record.end]))
        for side in (0, 1):
            if records[side]:
                out[side].extend(encoded(1, shared + encoded(2, bytes(records[side]))))
    return bytes(out[0]), bytes(out[1])


def _split_json(data: bytes, keys: Keys) -> tuple[bytes, bytes]:
    document, _ = parse_object(data)
    sides: tuple[dict[str, list[Any]], dict[str, list[Any]]] = ({}, {})
    for resources, scopes, records in _PLACES:
        for resource in _list((document or {}).get(resources)):
            divided: tuple[list[Any], list[Any]] = ([], [])
            for scope in _list(mapping(resource).get(scopes)):
                for record in _list(mapping(scope).get(records)):
                    found = mapping(record)
                    key = (str(found.get("traceId") or ""), str(found.get("spanId") or ""))
                    divided[key not in keys].append(record)
            for side, some in zip(sides, divided, strict=True):
                if some:
                    shared = {"resource": mapping(resource).get("resource")}
                    side.setdefault(resources, []).append({**shared, scopes: [{records: some}]})
    one, other = (orjson.dumps(side) if side else b"" for side in sides)
    return one, other


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
