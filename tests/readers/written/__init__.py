"""Exchanges written out as each format has them: one file per format, found by listing.

A module has ``FORMATS``, a tuple of Written. Tests read and hunt what is written
(``test_readers_written.py``); ``benchmarks/readers.py`` times the readers with it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Rows = Sequence[dict[str, Any]]
"""Canonical exchanges; times are datetimes, what is not known is None."""


@dataclass(frozen=True)
class Written:
    """One way to write exchanges.

    Attributes:
        name: what tables and tests call it, such as ``otel (protobuf)``.
        source: the reader that has to recognise it.
        carries: canonical columns that come back as they were; the others come back null.
        write: writes rows in their order into an empty folder and returns the files.
        bare: parses one such file with nothing but a parser; returns how many records it has.
        options: what else a user has to give (ReadOptions by name), such as a mapping file, which
            is made in the folder.
        renamed: what the id of an exchange comes back as, where the format has no place for it.
        exact: False where a text comes back in another shape though it was carried.
    """

    name: str
    source: str
    carries: frozenset[str]
    write: Callable[[Rows, Path], list[Path]]
    bare: Callable[[Path], int]
    options: Callable[[Path], dict[str, Any]] = lambda _folder: {}
    renamed: Callable[[str], str] = str
    exact: bool = True


@cache
def written_formats() -> tuple[Written, ...]:
    """Every way there is, in order of their names."""
    found: list[Written] = []
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            found += importlib.import_module(f"{__name__}.{module.name}").FORMATS
    return tuple(sorted(found, key=lambda one: one.name))


def turns(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The request of an exchange as chat messages."""
    system = [] if row.get("system") is None else [{"role": "system", "content": row["system"]}]
    asked = [] if row.get("prompt") is None else [{"role": "user", "content": row["prompt"]}]
    return system + asked
