"""A span or a log record, whichever encoding it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Attributes = dict[str, Any]
"""Attributes by key; arrays are lists, key-value lists dictionaries."""

DEEPEST = 32
"""How deep a value may be nested; what is deeper is None."""


@dataclass(slots=True)
class Item:
    """A span or a log record.

    Attributes:
        row: its place in the file, from 1.
        is_span: or a log record.
        key: trace id and span id, in hex; either may be empty.
        time: nanoseconds since 1970, as a number or its digits: when the span began, when the
            event was. None where it does not say.
        name: of the event, for log records; None where it has none.
        attributes: its own; shared: those of its resource.
        failed: the span's status is an error.
        events: names and attributes of the span's events.
        body: of the log record, where it is a key-value list.
        size: about how many bytes it holds.
    """

    row: int
    is_span: bool
    key: tuple[str, str]
    time: Any
    name: str | None
    attributes: Attributes
    shared: Attributes
    size: int
    failed: bool = False
    events: list[tuple[str, Attributes]] = field(default_factory=list)
    body: Mapping[str, Any] = field(default_factory=dict)
