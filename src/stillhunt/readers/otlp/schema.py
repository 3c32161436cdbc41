"""The part of OTLP's protobuf schema that exchanges come from.

Field numbers are those of opentelemetry/proto/{trace,logs,common,resource}/v1. Made here rather than
taken from opentelemetry-proto for two reasons: text is declared as bytes, so that a string that is
not UTF-8 costs a character and not the whole span; and what is not declared (links, scopes) is never
unpacked. Tests hold it to the published schema.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from stillhunt.errors import MissingExtraError

_PACKAGE = "stillhunt.otlp"
# message: field name, number, kind; [] marks repeated ones
_FIELDS: dict[str, tuple[tuple[str, int, str], ...]] = {
    "AnyValue": (
        ("string_value", 1, "bytes"),
        ("bool_value", 2, "bool"),
        ("int_value", 3, "int64"),
        ("double_value", 4, "double"),
        ("array_value", 5, "ArrayValue"),
        ("kvlist_value", 6, "KeyValueList"),
        ("bytes_value", 7, "bytes"),
    ),
    "ArrayValue": (("values", 1, "[]AnyValue"),),
    "KeyValueList": (("values", 1, "[]KeyValue"),),
    "KeyValue": (("key", 1, "bytes"), ("value", 2, "AnyValue")),
    "Resource": (("attributes", 1, "[]KeyValue"),),
    "Status": (("code", 3, "int32"),),
    "Event": (("name", 2, "bytes"), ("attributes", 3, "[]KeyValue")),
    "Span": (
        ("trace_id", 1, "bytes"),
        ("span_id", 2, "bytes"),
        ("start_time_unix_nano", 7, "fixed64"),
        ("attributes", 9, "[]KeyValue"),
        ("events", 11, "[]Event"),
        ("status", 15, "Status"),
    ),
    "LogRecord": (
        ("time_unix_nano", 1, "fixed64"),
        ("body", 5, "AnyValue"),
        ("attributes", 6, "[]KeyValue"),
        ("trace_id", 9, "bytes"),
        ("span_id", 10, "bytes"),
        ("observed_time_unix_nano", 11, "fixed64"),
        ("event_name", 12, "bytes"),
    ),
}


class Schema(NamedTuple):
    """Message classes of the protobuf library, and its error for what is no such message."""

    resource: Any
    span: Any
    log: Any
    error: type[Exception]


@cache
def otlp_schema() -> Schema:
    """Return the classes.

    Raises:
        MissingExtraError: protobuf is not installed.
    """
    try:
        from google.protobuf import (  # noqa: PLC0415 - an extra
            descriptor_pb2,
            descriptor_pool,
            message,
            message_factory,
        )
    except ImportError as error:
        raise MissingExtraError(
            "Reading OTLP protobuf needs protobuf, which is not installed.",
            "Install it with: pip install 'stillhunt[otlp]'; or export OTLP as JSON.",
        ) from error
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="stillhunt/otlp.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _FIELDS.items():
        described = file.message_type.add(name=name)
        if name == "AnyValue":
            described.oneof_decl.add(name="value")
        for field, number, kind in fields:
            repeated, kind = kind.startswith("[]"), kind.removeprefix("[]")  # noqa: PLW2901
            added = described.field.add(
                name=field,
                number=number,
                label=kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL,
            )
            if kind in _FIELDS:
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                added.type = getattr(kinds, f"TYPE_{kind.upper()}")
            if name == "AnyValue":
                added.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)

    def made(name: str) -> Any:
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))

    return Schema(made("Resource"), made("Span"), made("LogRecord"), message.DecodeError)
