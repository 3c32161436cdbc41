"""Spans as OTLP in every encoding; protobuf by the published schema, which the reader does not use."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from written import Rows, Written
from written._spans import CARRIED, Attributes, genai, openinference, requests, span_of
from written.canonical import json_lines_bare

Told = Callable[[dict[str, Any]], Attributes]


def any_value(value: Any) -> AnyValue:
    """A plain value as protobuf."""
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list):
        made = AnyValue()
        made.array_value.values.extend(any_value(one) for one in value)
        return made
    return AnyValue(string_value=value)


def any_json(value: Any) -> dict[str, Any]:
    """A plain value as OTLP's JSON."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_json(one) for one in value]}}
    return {"stringValue": value}


def messages(rows: Rows, told: Told) -> list[ExportTraceServiceRequest]:
    """Requests of protobuf."""
    made = []
    for batch in requests(rows, told):
        request = ExportTraceServiceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        for trace, span, nanoseconds, attributes in batch:
            added = scope.spans.add(
                trace_id=bytes.fromhex(trace), span_id=bytes.fromhex(span), name="chat", kind=3,
                start_time_unix_nano=nanoseconds, end_time_unix_nano=nanoseconds + 10**9,
            )  # fmt: skip
            added.attributes.extend(
                KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()
            )
        made.append(request)
    return made


def documents(rows: Rows, told: Told) -> list[dict[str, Any]]:
    """Requests of JSON."""
    return [
        {
            "resourceSpans": [
                {
                    "scopeSpans": [
                        {
                            "spans": [
                                {
                                    "traceId": trace,
                                    "spanId": span,
                                    "name": "chat",
                                    "kind": 3,
                                    "startTimeUnixNano": str(nanoseconds),
                                    "endTimeUnixNano": str(nanoseconds + 10**9),
                                    "attributes": [
                                        {"key": key, "value": any_json(value)}
                                        for key, value in attributes.items()
                                    ],
                                }
                                for trace, span, nanoseconds, attributes in batch
                            ]
                        }
                    ]
                }
            ]
        }
        for batch in requests(rows, told)
    ]


def _json_lines(told: Told, rows: Rows, folder: Path) -> list[Path]:
    path = folder / "traces.jsonl"
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in documents(rows, told)))
    return [path]


def _framed(told: Told, rows: Rows, folder: Path) -> list[Path]:
    path = folder / "traces.otlp"
    bodies = [one.SerializeToString() for one in messages(rows, told)]
    path.write_bytes(b"".join(struct.pack(">I", len(body)) + body for body in bodies))
    return [path]


def _alone(told: Told, rows: Rows, folder: Path) -> list[Path]:
    whole = ExportTraceServiceRequest()
    for one in messages(rows, told):
        whole.MergeFrom(one)
    path = folder / "traces.pb"
    path.write_bytes(whole.SerializeToString())
    return [path]


def _framed_bare(path: Path) -> int:
    data = path.read_bytes()
    at = spans = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        request = ExportTraceServiceRequest.FromString(data[at + 4 : at + 4 + size])
        spans += sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans)
        at += 4 + size
    return spans


def _alone_bare(path: Path) -> int:
    return len(ExportTraceServiceRequest.FromString(path.read_bytes()).resource_spans)


# OpenInference has no attribute for the response's id: the span's serves.
FORMATS = (
    Written("otel (JSON lines)", "otel", CARRIED, partial(_json_lines, genai), json_lines_bare),
    Written("otel (protobuf)", "otel", CARRIED, partial(_framed, genai), _framed_bare),
    Written("otel (protobuf, one request)", "otel", CARRIED, partial(_alone, genai), _alone_bare),
    Written(
        "openinference (JSON lines)", "openinference", CARRIED,
        partial(_json_lines, openinference), json_lines_bare, renamed=span_of,
    ),
    Written(
        "openinference (protobuf)", "openinference", CARRIED,
        partial(_framed, openinference), _framed_bare, renamed=span_of,
    ),
)  # fmt: skip
