"""OpenTelemetry GenAI: OTLP JSON lines as the collector's file exporter writes them.

One line holds a batch of spans or of log records. An exchange is a span of a model call, or the
event ``gen_ai.client.inference.operation.details``. What belongs to the same span (content on
events) is joined within a window of some thousand calls of one file.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stillhunt.readers import messages
from stillhunt.readers.nested import decoded, first, mapping
from stillhunt.readers.records import Sample
from stillhunt.readers.registry import (
    BadRecordError,
    Fields,
    LogFormat,
    Mapper,
    Opened,
    register,
)

_DETAILS = "gen_ai.client.inference.operation.details"
_TURN = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message\Z")
_CHOICE = "gen_ai.choice"
_CONTENT_EVENTS = {
    "gen_ai.content.prompt": "gen_ai.prompt",
    "gen_ai.content.completion": "gen_ai.completion",
}
_NO_MODEL_CALL = frozenset(
    {"execute_tool", "invoke_agent", "create_agent", "invoke_workflow", "retrieval"}
)
_INDEXED = re.compile(
    r"(gen_ai\.prompt|gen_ai\.completion|llm\.input_messages|llm\.output_messages)\.(\d{1,5})\.(?:message\.)?([a-z_]+)\Z"
)
_WINDOW = 4096
_WINDOW_BYTES = 32 << 20
_DEEPEST = 32
_ERROR = (2, "STATUS_CODE_ERROR")


@register
class OpenTelemetry(LogFormat):
    """OTLP JSON lines with GenAI spans or events."""

    name = "otel"
    summary = "OpenTelemetry GenAI spans and events, OTLP JSON lines of the collector"

    def sniff(self, sample: Sample) -> float:
        """By the share of lines that are OTLP."""
        if sample.container != "json lines" or not sample.records:
            return 0.0
        known = sum("resourceSpans" in r or "resourceLogs" in r for r in sample.records)
        return 0.95 * known / len(sample.records)

    def mapper(self, file: Opened) -> Mapper:
        """Return a mapper with a window of its own."""
        return _OtelMapper(file, self.options.trusted_hops)


@dataclass
class _Call:
    """What is known of one model call so far."""

    row: int
    attributes: dict[str, Any] = field(default_factory=dict)
    time: Any = None
    failed: bool = False
    whole: bool = False
    turns: list[dict[str, Any]] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)


class _OtelMapper(Mapper):
    def __init__(self, file: Opened, trusted_hops: int) -> None:
        self._skip = file.settler.quarantine.skip
        self._file = file.name
        self._trusted_hops = trusted_hops
        self._window: OrderedDict[tuple[str, str], _Call] = OrderedDict()
        self._held = 0
        self._sizes: dict[tuple[str, str], int] = {}
        self._alone = 0

    def feed(self, row: int, record: dict[str, Any]) -> Iterable[tuple[int, Fields]]:
        """Take one line of OTLP; give the calls that fell out of the window."""
        if "resourceSpans" not in record and "resourceLogs" not in record:
            if "resourceMetrics" in record or "resourceProfiles" in record:
                self._skip(self._file, "metrics and profiles hold no exchanges")
                return
            raise BadRecordError("no OTLP line: neither resourceSpans nor resourceLogs")
        for resource in _objects(record.get("resourceSpans")):
            shared = _attributes(mapping(resource.get("resource")).get("attributes"))
            for scope in _objects(
                resource.get("scopeSpans"), resource.get("instrumentationLibrarySpans")
            ):
                for span in _objects(scope.get("spans")):
                    self._span(row, span, shared)
        for resource in _objects(record.get("resourceLogs")):
            shared = _attributes(mapping(resource.get("resource")).get("attributes"))
            for scope in _objects(resource.get("scopeLogs")):
                for log in _objects(scope.get("logRecords")):
                    self._log(row, log, shared)
        while len(self._window) > _WINDOW or self._held > _WINDOW_BYTES:
            yield self._release()

    def flush(self) -> Iterator[tuple[int, Fields]]:
        """Give the calls still in the window."""
        while self._window:
            yield self._release()

    def _release(self) -> tuple[int, Fields]:
        key, call = self._window.popitem(last=False)
        self._held -= self._sizes.pop(key)
        return call.row, _fields(key, call, self._trusted_hops)

    def _call(self, row: int, item: Mapping[str, Any], size: int) -> _Call:
        key = (str(item.get("traceId") or ""), str(item.get("spanId") or ""))
        if not all(key):  # a record outside any trace is a call by itself
            self._alone += 1
            key = ("", str(self._alone))
        if key not in self._window:
            self._window[key] = _Call(row)
            self._sizes[key] = 0
        self._sizes[key] += size
        self._held += size
        return self._window[key]

    def _span(self, row: int, span: Mapping[str, Any], shared: dict[str, Any]) -> None:
        attributes = _attributes(span.get("attributes"))
        if not _is_model_call(attributes):
            self._skip(self._file, "spans that are no model calls")
            return
        call = self._call(row, span, _size(attributes))
        call.row, call.whole = row, True
        call.attributes = shared | call.attributes | attributes
        call.time = span.get("startTimeUnixNano")
        call.failed = mapping(span.get("status")).get("code") in _ERROR
        for event in _objects(span.get("events")):
            self._event(call, event.get("name"), _attributes(event.get("attributes")), {})

    def _log(self, row: int, log: Mapping[str, Any], shared: dict[str, Any]) -> None:
        attributes = _attributes(log.get("attributes"))
        name = first(log.get("eventName"), attributes.get("event.name"))
        known = isinstance(name, str) and (
            name in (_DETAILS, _CHOICE) or name in _CONTENT_EVENTS or _TURN.match(name)
        )
        if not known:
            self._skip(self._file, "log records that are no model calls")
            return
        body = mapping(_any_value(log.get("body")))
        call = self._call(row, log, _size(attributes) + _size(body))
        if name == _DETAILS and not call.whole:
            call.row, call.whole = row, True
            call.attributes = shared | call.attributes
        if call.time is None:
            call.time = first(
                _nanoseconds(log.get("timeUnixNano")), log.get("observedTimeUnixNano")
            )
        self._event(call, name, attributes, body)

    def _event(
        self, call: _Call, name: Any, attributes: dict[str, Any], body: Mapping[str, Any]
    ) -> None:
        """Add what an event says to its call. Older ones keep a turn in their body."""
        if not isinstance(name, str):
            return
        if name == _DETAILS:
            call.attributes |= {**attributes, **body}
        elif name in _CONTENT_EVENTS:
            key = _CONTENT_EVENTS[name]
            if key in attributes:
                call.attributes[key] = attributes[key]
        elif name == _CHOICE:
            call.choices.append({**attributes, **body})
        elif match := _TURN.match(name):
            call.turns.append({"role": match[1], **attributes, **body})


def _is_model_call(attributes: Mapping[str, Any]) -> bool:
    if attributes.get("gen_ai.operation.name") in _NO_MODEL_CALL:
        return False
    if attributes.get("openinference.span.kind") not in (None, "LLM"):
        return False
    return any(
        key in attributes
        for key in (
            "gen_ai.request.model",
            "gen_ai.operation.name",
            "gen_ai.provider.name",
            "gen_ai.system",
            "llm.model_name",
        )
    )


def _fields(key: tuple[str, str], call: _Call, trusted_hops: int) -> Fields:
    a = call.attributes
    if not call.whole:  # events of a span that is not in this file, or too far away in it
        return {"exchange_id": ":".join(key), "time": call.time}
    outputs = _messages(a, ("gen_ai.output.messages", "gen_ai.completion", "llm.output_messages"))
    outputs = outputs or call.choices
    inputs = _messages(a, ("gen_ai.input.messages", "gen_ai.prompt", "llm.input_messages"))
    system, prompt = messages.conversation(
        inputs or call.turns,
        first(decoded(a.get("gen_ai.tool.definitions")), decoded(a.get("gen_ai.request.tools"))),
        decoded(a.get("gen_ai.system_instructions")),
    )
    finish = decoded(a.get("gen_ai.response.finish_reasons"))
    finish = finish[0] if isinstance(finish, list) and finish else finish
    status = first(a.get("http.response.status_code"), a.get("http.status_code"))
    if status is None and str(a.get("error.type", "")).isdecimal():
        status = a["error.type"]
    reason = first(finish or None, messages.finish_reason(outputs))
    failed = call.failed or "error.type" in a
    return {
        "exchange_id": first(a.get("gen_ai.response.id"), ":".join(key) if all(key) else None),
        "time": call.time,
        "account": first(a.get("user.id"), a.get("enduser.id"), a.get("enduser.pseudo.id")),
        "client_address": _client(a, trusted_hops),
        "tls_fingerprint": first(a.get("tls.client.ja4"), a.get("tls.client.ja3")),
        "user_agent": first(a.get("user_agent.original"), a.get("http.user_agent")),
        "request_model": first(
            a.get("gen_ai.request.model"), a.get("gen_ai.response.model"), a.get("llm.model_name")
        ),
        "system": system,
        "prompt": prompt,
        "response": messages.reply(outputs) if outputs else None,
        "input_tokens": first(
            a.get("gen_ai.usage.input_tokens"),
            a.get("gen_ai.usage.prompt_tokens"),
            a.get("llm.token_count.prompt"),
        ),
        "output_tokens": first(
            a.get("gen_ai.usage.output_tokens"),
            a.get("gen_ai.usage.completion_tokens"),
            a.get("llm.token_count.completion"),
        ),
        "max_tokens": a.get("gen_ai.request.max_tokens"),
        "status": status,
        "finish_reason": reason or ("error" if failed else None),
        "temperature": a.get("gen_ai.request.temperature"),
        "stream": first(a.get("gen_ai.request.stream"), a.get("llm.is_streaming")),
    }


def _client(a: Mapping[str, Any], trusted_hops: int) -> Any:
    """The header where the operator says how to read it, else what the instrumentation took."""
    header = a.get("http.request.header.x-forwarded-for")
    if isinstance(header, list):
        header = ",".join(part for part in header if isinstance(part, str))
    direct = first(a.get("client.address"), a.get("http.client_ip"))
    return first(header, direct) if trusted_hops else first(direct, header)


def _messages(a: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the messages under the first name that has any: a value, or numbered attributes."""
    for name in names:
        if found := decoded(a.get(name)):
            return found
    numbered: dict[int, dict[str, Any]] = {}
    for key, value in a.items():
        if (match := _INDEXED.match(key)) and match[1] in names:
            numbered.setdefault(int(match[2]), {})[match[3]] = decoded(value)
    return [numbered[i] for i in sorted(numbered)]


def _attributes(pairs: Any) -> dict[str, Any]:
    """Return OTLP's list of {key, value} as a dictionary."""
    return {
        pair["key"]: _any_value(pair.get("value"))
        for pair in _objects(pairs)
        if isinstance(pair.get("key"), str)
    }


def _any_value(value: Any, depth: int = 0) -> Any:
    """Return an OTLP AnyValue as a plain value. Whole numbers are strings in OTLP JSON."""
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return None
    for kind, inner in value.items():
        if kind == "intValue":
            digits = str(inner)[:32]
            return int(digits) if digits.lstrip("-").isdecimal() else inner
        if kind == "arrayValue":
            return [_any_value(item, depth + 1) for item in _objects(mapping(inner).get("values"))]
        if kind == "kvlistValue":
            return {
                pair["key"]: _any_value(pair.get("value"), depth + 1)
                for pair in _objects(mapping(inner).get("values"))
                if isinstance(pair.get("key"), str)
            }
        if kind in ("stringValue", "boolValue", "doubleValue", "bytesValue"):
            return inner
    return None


def _objects(*lists: Any) -> Iterator[Mapping[str, Any]]:
    for items in lists:
        if isinstance(items, list):
            yield from (item for item in items if isinstance(item, Mapping))


def _nanoseconds(value: Any) -> Any:
    return None if value in (0, "0", "", None) else value


def _size(values: Mapping[str, Any]) -> int:
    """About how many bytes of text the values hold; structured ones by their longest branch."""
    return 256 + sum(_weight(value) for value in values.values())


def _weight(value: Any, depth: int = 0) -> int:
    if isinstance(value, str):
        return len(value)
    if depth > _DEEPEST:
        return 0
    if isinstance(value, list):
        return sum(_weight(item, depth + 1) for item in value)
    if isinstance(value, Mapping):
        return sum(_weight(item, depth + 1) for item in value.values())
    return 8
