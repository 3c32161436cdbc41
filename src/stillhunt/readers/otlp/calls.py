"""Calls of models, put together from spans and from log records that name the same span."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stillhunt.readers.otlp.item import Attributes, Item

DETAILS = "gen_ai.client.inference.operation.details"
WINDOW = 4096
WINDOW_BYTES = 32 << 20
"""What is joined lies at most so many calls, or bytes, apart."""

NO_CALL_SPAN = "spans that are no model calls"
NO_CALL_LOG = "log records that are no model calls"
"""Reasons for what is passed over."""

_TURN = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message\Z")
_CHOICE = "gen_ai.choice"
_CONTENT_EVENTS = {
    "gen_ai.content.prompt": "gen_ai.prompt",
    "gen_ai.content.completion": "gen_ai.completion",
}
_NO_MODEL_CALL = frozenset(
    {"execute_tool", "invoke_agent", "create_agent", "invoke_workflow", "retrieval"}
)
_KINDS = frozenset({"LLM", "EMBEDDING"})
_SIGNS = (
    "gen_ai.request.model",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.model_name",
    "llm.request.model",
    "embedding.model_name",
)


@dataclass(slots=True)
class Call:
    """What is known of one model call so far.

    Attributes:
        row: where its span is, or its event if that came first.
        key: trace id and span id; empty ids where it was outside any trace.
        attributes: of span, resource and events.
        time: nanoseconds since 1970, or None.
        failed: the span says so.
        whole: a span or a details event was seen, not just content.
        turns, choices: messages of the older events.
        size: about how many bytes it holds.
        seen: events of its content, by name, time and body: what is sent again counts once.
    """

    row: int
    key: tuple[str, str]
    attributes: Attributes = field(default_factory=dict)
    time: Any = None
    failed: bool = False
    whole: bool = False
    turns: list[dict[str, Any]] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0
    seen: set[tuple[str, str, str]] | None = None


class Calls:
    """Joins items to calls within a window; nothing is held beyond it."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], Call] = OrderedDict()
        self._bytes = 0
        self._alone = 0

    def take(self, item: Item) -> str | None:
        """Take a span or a log record; returns why it was passed over, or None."""
        if item.is_span:
            if not is_model_call(item.attributes):
                return NO_CALL_SPAN
            self._span(item)
            return None
        name = item.name
        if name is None or not (
            name in (DETAILS, _CHOICE) or name in _CONTENT_EVENTS or _TURN.match(name)
        ):
            return NO_CALL_LOG
        self._log(item, name)
        return None

    def full(self) -> Iterator[Call]:
        """Give the calls that have fallen out of the window."""
        while len(self._held) > WINDOW or self._bytes > WINDOW_BYTES:
            yield self._release()

    def rest(self) -> Iterator[Call]:
        """Give all calls still held."""
        while self._held:
            yield self._release()

    def _release(self) -> Call:
        _, call = self._held.popitem(last=False)
        self._bytes -= call.size
        return call

    def _call(self, item: Item) -> Call:
        key = item.key
        if not (key[0] and key[1]):  # a record outside any trace is a call by itself
            self._alone += 1
            key = ("", str(self._alone))
        call = self._held.get(key)
        if call is None:
            call = self._held[key] = Call(item.row, item.key)
        call.size += item.size
        self._bytes += item.size
        return call

    def _span(self, item: Item) -> None:
        call = self._call(item)
        call.row, call.whole = item.row, True
        if call.attributes or item.shared:
            call.attributes = item.shared | call.attributes | item.attributes
        else:
            call.attributes = item.attributes
        call.time = item.time
        call.failed = item.failed
        for name, attributes in item.events:
            _add(call, name, attributes, {})

    def _log(self, item: Item, name: str) -> None:
        call = self._call(item)
        if name != DETAILS:
            mark = (name, str(item.time), str(item.body) + str(item.attributes))
            call.seen = call.seen or set()
            if mark in call.seen:
                return
            call.seen.add(mark)
        if name == DETAILS and not call.whole:
            call.row, call.whole = item.row, True
            call.attributes = item.shared | call.attributes
        if call.time is None:
            call.time = item.time
        _add(call, name, item.attributes, item.body)


def _add(call: Call, name: str, attributes: Attributes, body: Mapping[str, Any]) -> None:
    """Add what an event says to its call. Older ones keep a turn in their body."""
    if name == DETAILS:
        call.attributes = {**call.attributes, **attributes, **body}
    elif name in _CONTENT_EVENTS:
        key = _CONTENT_EVENTS[name]
        if key in attributes:
            call.attributes = {**call.attributes, key: attributes[key]}
    elif name == _CHOICE:
        call.choices.append({**attributes, **body})
    elif match := _TURN.match(name):
        call.turns.append({"role": match[1], **attributes, **body})


def is_model_call(attributes: Mapping[str, Any]) -> bool:
    """Whether a span with these attributes is one request to a model."""
    operation = attributes.get("gen_ai.operation.name")
    if isinstance(operation, str) and operation in _NO_MODEL_CALL:
        return False
    kind = attributes.get("openinference.span.kind")
    if kind is not None:
        return isinstance(kind, str) and kind.upper() in _KINDS
    return any(sign in attributes for sign in _SIGNS)
