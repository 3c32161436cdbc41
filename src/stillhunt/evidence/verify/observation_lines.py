"""Exchanges opened whole as lines of JSON, for an auditor to read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator

import numpy as np

from stillhunt.evidence.opened.member import Whole
from stillhunt.records.leaf import GRAMS, SCALARS

_NUMBERS = {
    "guarantee", "cues", "words", "response_bytes", "input_tokens", "output_tokens", "max_tokens",
    "status", "finish",
}  # fmt: skip
_FINISH = ("stop", "length", "tool_calls", "content_filter", "error", "other")


def observation_lines(opened: Iterable[Whole]) -> Iterator[str]:
    """One line of JSON for each exchange, all ASCII, at most some 26 kB and ended by a line feed.

    Fields are those of docs/formats.md, Observation, after ``exchange_id`` and ``position`` (of the leaf
    in the log). Hashes are in hexadecimal, their bytes as in the canonical bytes; ``time`` is ISO 8601, UTC.
    """
    for one in opened:
        # JSON leaves DEL as it is, which some terminals act upon.
        yield json.dumps(_told(one)).replace("\x7f", "\\u007f") + "\n"


def _told(one: Whole) -> dict[str, object]:
    row = one.record[0]
    nulls = int(row["nulls"])
    told: dict[str, object] = {
        "exchange_id": one.exchange_id,
        "position": one.position,
        "exchange": row["exchange"].tobytes().hex(),
    }
    for bit, (name, _) in enumerate(SCALARS):
        told[name] = None if nulls >> bit & 1 else _value(name, row[name])
    count = min(int(row["gram_count"]), GRAMS)
    told["grams"] = [gram.tobytes().hex() for gram in row["grams"][:count]]
    return told


def _value(name: str, value: np.generic) -> object:
    if name == "time":
        return f"{np.datetime64(int(value.item()), 'us')}Z"
    if name == "finish":
        at = int(value.item())
        return _FINISH[at] if 0 <= at < len(_FINISH) else at
    if name == "temperature":
        number = float(value.item())
        return float(str(value)) if math.isfinite(number) else str(number)
    if name == "stream":
        return bool(value.item())
    return int(value.item()) if name in _NUMBERS else value.tobytes().hex()
