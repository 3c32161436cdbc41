"""Deletes what no transaction names: the rest of killed runs, and what was merged or has expired."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from stillhunt.store.layout import Layout
from stillhunt.store.locks import deleting
from stillhunt.store.manifest import State

_TRANSACTION = re.compile(r"(\d{8})(?:-.*)?")


def sweep(layout: Layout, state: State) -> int:
    """Delete files that do not count; only for who holds the store for writing.

    What was removed by a transaction stays while somebody reads the store, who may have begun before.

    Returns:
        How many files were deleted.
    """
    shutil.rmtree(layout.temporary, ignore_errors=True)
    kept = _named(layout, state)
    stray = [path for path in _files(layout) if path not in kept]
    # A number that was never committed can be nobody's.
    killed = [path for path in stray if _number(path) > state.transactions]
    removed = [path for path in stray if _number(path) <= state.transactions]
    for path in killed:
        path.unlink(missing_ok=True)
    if not removed:
        return len(killed)
    with deleting(layout.root) as allowed:
        if not allowed:
            return len(killed)
        for path in removed:
            path.unlink(missing_ok=True)
    for folder in {path.parent for path in removed if path.parent.name.startswith("day=")}:
        if not any(folder.iterdir()):
            folder.rmdir()
    return len(stray)


def _named(layout: Layout, state: State) -> set[Path]:
    """Files that count."""
    kept = {
        path for part in state.parts.values() for path in layout.part_files(part.part, part.day)
    }
    kept |= {layout.accounts(name) for name in state.accounts}
    kept |= {layout.keys(name) for name in state.keys}
    return kept | {layout.quarantine(name) for name in state.quarantines}


def _files(layout: Layout) -> list[Path]:
    """All files in the folders that transactions name files of; nothing else is ever deleted."""
    found: list[Path] = []
    for folder, pattern in (
        ("observations", "day=*/*.parquet"),
        ("names", "day=*/*.parquet"),
        ("identities", "*.parquet"),
        ("accounts", "*.parquet"),
        ("keys", "*.keys"),
        ("quarantine", "*.jsonl"),
    ):
        found += (layout.root / folder).glob(pattern)
    return found


def _number(path: Path) -> int:
    match = _TRANSACTION.fullmatch(path.stem)
    return int(match[1]) if match else 0
