"""Messages of a topic on their way into a store: a file of lines for each partition."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from stillhunt.readers import Quarantine


@dataclass
class Spool:
    """Messages of one partition on their way into the store.

    Attributes:
        path: their lines; offsets: of each line; next: where reading goes on.
    """

    path: Path
    next: int
    lost: int = 0
    offsets: list[int] = field(default_factory=list)


class TopicQuarantine(Quarantine):
    """Says which partition and offset, where readers know a spooled file and a line."""

    def __init__(self, path: Path, *, excerpts: bool) -> None:
        super().__init__(path, excerpts=excerpts)
        self.spools: dict[str, tuple[str, Spool]] = {}

    def _write(self, line: dict[str, object], excerpt: str | None) -> None:
        known = self.spools.get(str(line["file"]))
        if known is not None:
            line["file"] = known[0]
            row = line["row"]
            if isinstance(row, int) and 0 < row <= len(known[1].offsets):
                line["row"] = known[1].offsets[row - 1]
        super()._write(line, excerpt)


def private_file(path: Path) -> BinaryIO:
    """A file for texts: nobody else is to read it while it is there."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
