"""Turns a piece of hunt.json, whatever its shape, into rows that a person can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

MOST_ROWS = 120
_MOST_ITEMS = 20
_DEEPEST = 6


def facts(value: object) -> list[tuple[str, str]]:
    """Flatten a JSON value into (what, value) pairs, at most ``MOST_ROWS``.

    Nested names are joined by " · "; short lists of plain values stay on one line.
    """
    rows = list(islice(_walk(value, (), 0), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        return [*rows[:MOST_ROWS], ("and more", "see hunt.json")]
    return rows


def _walk(value: object, path: tuple[str, ...], depth: int) -> Iterator[tuple[str, str]]:
    name = " · ".join(path)
    if depth > _DEEPEST:
        yield name, "see hunt.json"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, (*path, str(key).replace("_", " ")), depth + 1)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, inner in enumerate(value, start=1):
            yield from _walk(inner, (*path, str(index)), depth + 1)
    elif isinstance(value, list):
        shown = ", ".join(_plain(item) for item in value[:_MOST_ITEMS])
        more = len(value) - _MOST_ITEMS
        yield name, (shown or "none") + (f", and {more:,} more" if more > 0 else "")
    else:
        yield name, _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return str(value)
