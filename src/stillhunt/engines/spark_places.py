"""Places of files, as Spark is told them and as it tells them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote


def located(reported: str) -> str:
    """An address as Spark reports it, in the form in which it is given: a path if it is local."""
    plain = unquote(reported)
    return "/" + plain[5:].lstrip("/") if plain.startswith("file:/") else plain


def address_of(place: Path | str) -> str:
    """How Spark is told a place: local paths with their scheme, and no character a pattern."""
    if isinstance(place, str) and "://" in place:
        return place
    path = str(Path(place).absolute())
    return "file://" + "".join(f"\\{c}" if c in "*?[]{}\\" else c for c in path)
