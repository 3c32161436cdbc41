"""Looks through an OTLP request before it is accepted: is it one, and which of its calls are no exchange?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stillhunt.readers.casts import EARLIEST, UnreadableError, read_text, read_time
from stillhunt.readers.otlp.calls import Calls
from stillhunt.readers.otlp.exchange import exchange_of
from stillhunt.readers.otlp.item import Item
from stillhunt.readers.otlp.json_items import json_items
from stillhunt.readers.otlp.wire import MALFORMED, Bad, WireError, fields, wire_items
from stillhunt.readers.records import parse_object
from stillhunt.readers.settle import LONGEST_IDENTIFIER

_DAY = 86_400


class RefusedError(ValueError):
    """It is no OTLP request; ``args[0]`` says why."""


@dataclass(frozen=True)
class Checked:
    """What is in a request.

    Attributes:
        records: spans and log records, whatever they are about.
        rejected: how many of them are no exchange although they are about a call.
        reason: the most common reason for that, or an empty string.
        keys: trace and span ids of its calls, where they have both.
    """

    records: int
    rejected: int
    reason: str
    keys: frozenset[tuple[str, str]]


def check_request(data: bytes, *, is_json: bool) -> Checked:
    """Look through a request.

    Args:
        data: the request's body, unpacked.
        is_json: or protobuf.

    Raises:
        RefusedError: the body cannot be read as a request.
    """
    calls = Calls()
    reasons: Counter[str] = Counter()
    keys: set[tuple[str, str]] = set()
    records = 0
    for found in _json(data) if is_json else _protobuf(data):
        records += 1
        if isinstance(found, Bad):
            reasons[found.reason] += 1
        elif isinstance(found, Item) and calls.take(found) is None and all(found.key):
            keys.add(found.key)
        for call in calls.full():
            _judge(call, reasons)
    for call in calls.rest():
        _judge(call, reasons)
    reason = reasons.most_common(1)[0][0] if reasons else ""
    return Checked(records, sum(reasons.values()), reason, frozenset(keys))


def _json(data: bytes) -> Iterator[Item]:
    record, problem = parse_object(data)
    if record is None:
        raise RefusedError(problem or "not a JSON object")
    yield from json_items(1, record, len(data))


def _protobuf(data: bytes) -> Iterator[Item | Bad | str]:
    row = 1
    try:
        for field in fields(data, 0, len(data)):
            if field.number == 1 and field.start < field.end:
                for found in wire_items(data[field.start : field.end], row):
                    yield found
                    row += 1
    except WireError:
        raise RefusedError(MALFORMED) from None


def _judge(call: Any, reasons: Counter[str]) -> None:
    """Count a call that cannot become a row, as reading it will find out."""
    if not call.whole:
        return  # its span may come with another request
    row = exchange_of(call, 0, text=False)
    for name in ("exchange_id", "account"):
        try:
            value = row[name]
            if value is None or not (text := read_text(value)):
                reasons[f"no {name}"] += 1
                return
            if len(text) > LONGEST_IDENTIFIER:
                reasons[f"{name} longer than {LONGEST_IDENTIFIER} characters"] += 1
                return
        except UnreadableError:
            reasons[f"{name} unreadable"] += 1
            return
    try:
        if row["time"] is None:
            reasons["no time"] += 1
        elif not EARLIEST <= read_time(row["time"]) <= (time.time() + _DAY) * 1_000_000:
            reasons["time out of range"] += 1
    except (UnreadableError, ValueError, OverflowError):
        reasons["time unreadable"] += 1
