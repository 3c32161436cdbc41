"""How far a run has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

Advance = Callable[[int, int], None]
"""Called with (done, total) in bytes."""


class BytesTold:
    """Bytes done of all, told as they are read."""

    def __init__(self, advance: Advance, files: Sequence[Path]) -> None:
        self._advance = advance
        self._sizes = {path: path.stat().st_size if path.is_file() else 0 for path in files}
        self._total = sum(self._sizes.values())
        self._settled = self._group = 0

    def tell(self, read: int) -> None:
        """So many bytes of the present file are read."""
        self._advance(self._settled + self._group + read, self._total)

    def done(self, size: int) -> None:
        """The present file, of that size, is read."""
        self._group += size

    def back(self) -> None:
        """The present transaction is begun again."""
        self._group = 0

    def settle(self, files: Iterable[Path]) -> None:
        """These files are done with, whatever became of them."""
        self._settled += sum(self._sizes[path] for path in files)
        self._group = 0
        self.tell(0)
