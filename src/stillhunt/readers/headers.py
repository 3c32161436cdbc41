"""HTTP headers as gateways log them: any case, one value or a list of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stillhunt.readers.nested import first

_FORWARDED = "x-forwarded-for"


def header(headers: Mapping[str, Any], name: str) -> str | None:
    """Return a header's value, several joined by commas; None where it is not there.

    Args:
        headers: as logged.
        name: in lower case.
    """
    if not headers:
        return None
    value = headers.get(name)
    if value is None:
        value = next(
            (held for key, held in headers.items() if isinstance(key, str) and key.lower() == name),
            None,
        )
    if isinstance(value, list):
        value = ", ".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) and value else None


def forwarded_or(headers: Mapping[str, Any], direct: Any, trusted_hops: int) -> Any:
    """Return what says where a request came from.

    The list in ``X-Forwarded-For`` where the operator says how many of it are his own, for the
    gateway then saw only his proxy; else what the gateway took for the client.
    """
    listed = header(headers, _FORWARDED)
    return first(listed, direct) if trusted_hops else first(direct, listed)
