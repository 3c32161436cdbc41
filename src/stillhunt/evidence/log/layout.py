"""Where things lie in a log folder. ``docs/evidence.md`` publishes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LOG_VERSION = 1
"""Of the layout; a change of files or meaning is a new one."""

_NUMBERED = re.compile(r"(\d{4,12})(?:\.[a-z]+)?")


@dataclass(frozen=True)
class Layout:
    """Paths of a log.

    Attributes:
        root: its folder.
    """

    root: Path

    @property
    def header(self) -> Path:
        """What says that this is a log."""
        return self.root / "log.json"

    @property
    def public(self) -> Path:
        """What anybody may be served."""
        return self.root / "public"

    @property
    def private(self) -> Path:
        """What nobody else may see."""
        return self.root / "private"

    @property
    def checkpoint(self) -> Path:
        """The published head."""
        return self.public / "checkpoint"

    @property
    def checkpoints(self) -> Path:
        """Folder of every head that was signed; the largest is what the log holds."""
        return self.private / "checkpoints"

    @property
    def keys(self) -> Path:
        """Folder of signing keys."""
        return self.private / "keys"

    @property
    def witnesses(self) -> Path:
        """Who is asked to cosign."""
        return self.private / "witnesses.json"

    @property
    def index(self) -> Path:
        """Folder of the index of exchanges."""
        return self.private / "index"

    def key(self, number: int) -> Path:
        """File of a signing key, from 1 on; ``.vkey`` is its public one."""
        return self.keys / f"{number:04d}.key"

    def head(self, size: int) -> Path:
        """File of the head of a size."""
        return self.checkpoints / f"{size:012d}"

    def record(self, batch: int) -> Path:
        """File of a batch record."""
        return self.private / "batches" / f"{batch:08d}.json"

    def pruned(self, batch: int) -> Path:
        """File that says when a batch's content was deleted."""
        return self.private / "batches" / f"{batch:08d}.pruned"

    def payload(self, batch: int) -> Path:
        """File of a batch's canonical bytes."""
        return self.private / "payload" / f"{batch:08d}"

    def salts(self, batch: int) -> Path:
        """File of the key of a batch's salts."""
        return self.private / "salts" / f"{batch:08d}.key"

    def totals(self, batch: int) -> Path:
        """File of what a layer above keeps with a batch."""
        return self.private / "totals" / f"{batch:08d}"

    def batch_files(self, batch: int) -> tuple[Path, ...]:
        """Every file of a batch."""
        return (
            self.record(batch),
            self.pruned(batch),
            self.payload(batch),
            self.salts(batch),
            self.totals(batch),
        )

    def statement(self, digest: bytes) -> Path:
        """File of a key rotation's statement, by its SHA-256."""
        return self.public / "keys" / digest.hex()


def numbers(folder: Path, suffix: str = "") -> list[int]:
    """Numbers that files of a folder (with a suffix) have for names, ascending, each once."""
    if not folder.is_dir():
        return []
    paths = (path for path in folder.iterdir() if path.name.endswith(suffix))
    matches = (_NUMBERED.fullmatch(path.name) for path in paths)
    return sorted({int(match[1]) for match in matches if match})
