"""Writing so that what is said to be there survives a crash of the machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson


def sync(path: Path) -> None:
    """Have a file's content, or a folder's list of names, on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Put a document in place in one step: its old content or its new one, never a part.

    The file is written beside, synced, renamed, and the folder synced.
    """
    beside = path.with_name(f".{path.name}.tmp")
    options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    with beside.open("wb") as out:
        out.write(orjson.dumps(document, option=options))
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    sync(path.parent)
