"""A folder that a collector writes to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from stillhunt.readers import find_files

_UNFINISHED = (".tmp", ".part", ".partial", ".inprogress", ".incomplete")


def settled_files(folders: Sequence[Path], seconds: float) -> list[Path]:
    """Files below folders that nobody seems to be writing, oldest first.

    Args:
        folders: or files.
        seconds: for so long a file must not have changed.

    Raises:
        InputError: a folder cannot be read.
    """
    before = time.time() - seconds
    found = []
    for path, _ in find_files(folders):
        if path.name.lower().endswith(_UNFINISHED):
            continue
        try:
            changed = path.stat().st_mtime
        except OSError:
            continue  # moved away meanwhile
        if changed <= before:
            found.append((changed, path))
    return [path for _, path in sorted(found)]
