"""Whether a file is the one that was taken in."""

from __future__ import annotations

import hashlib
from pathlib import Path

from stillhunt.store.manifest import Input


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def at_hand(taken: Input) -> bool:
    """Whether an input's text can still be read where it was: same size, and same time or bytes."""
    path = Path(taken.path)
    try:
        now = path.stat()
        if not path.is_file() or now.st_size != taken.bytes:
            return False
        if taken.modified and now.st_mtime_ns == taken.modified:
            return True
        return bool(taken.sha256) and digest_of(path) == taken.sha256
    except (OSError, ValueError):
        return False
