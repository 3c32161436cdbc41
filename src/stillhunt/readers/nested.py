"""Safe steps into nested JSON: logs hold what strangers sent, so nothing is where it should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from stillhunt.readers.records import parse_object

_ORDINARY = 1 << 20
"""Characters up to which a text holds no more parts than may be; longer ones are counted first."""


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a value that is an object, or the text of one, as a mapping; else an empty one."""
    if type(value) is dict:  # what nearly all are, told without asking an abstract class
        return value
    if value is None:
        return {}
    value = decoded(value)
    return value if isinstance(value, Mapping) else {}


def decoded(value: Any) -> Any:
    """Return what a string that is JSON stands for; any other value as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    if len(value) <= _ORDINARY:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            pass  # no JSON, or JSON that can be repaired
    found, _ = parse_object(b'{"value":' + value.encode("utf-8", "replace") + b"}")
    return value if found is None or len(found) != 1 else found["value"]


def text(value: Any) -> str | None:
    """Return a value that is a string and not empty, or None."""
    return value if isinstance(value, str) and value else None


def first(*values: Any) -> Any:
    """Return the first value that is neither None nor an empty string, or None."""
    for value in values:
        if value is not None and value != "":
            return value
    return None
