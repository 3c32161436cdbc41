"""Where bad input goes: one JSON line for each row that could not be read, or not wholly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from stillhunt.errors import OutputError

EXCERPT = 60
"""Longest excerpt of a bad row, in characters."""

_REASONS = 1000
_OTHER = "other reasons"


class Quarantine:
    """Writes ``{file, row, reason, excerpt}`` lines; nothing that was dropped goes unsaid.

    A line with ``"kept": true`` is about a row that was kept: an optional value of it was
    unreadable and became null, or was repaired. A line with ``"skipped": n`` says that n things
    in the file were readable but no exchanges (spans of other services, say).

    Attributes:
        count: rows that were lost. Kept and skipped ones do not count.
        reasons: lost rows by reason; at most 1,000 different ones, then "other reasons".
        notes: kept rows by reason, bounded likewise.
        skipped: what was no exchange, by reason.
    """

    def __init__(self, path: Path, *, excerpts: bool = True, told: Path | None = None) -> None:
        """Create the file.

        Args:
            path: where the lines go.
            excerpts: False leaves excerpts out: they may hold personal data.
            told: where error messages say the lines are, if they will not stay at ``path``.

        Raises:
            OutputError: the file cannot be created.
        """
        self.path = path
        self.told = told or path
        self.excerpts = excerpts
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self._skips: Counter[tuple[str, str]] = Counter()
        try:
            self._out = path.open("wb")
        except OSError as error:
            raise OutputError(
                f"The quarantine {path} cannot be written: {error.strerror}.",
                "Name a folder that exists and that you may write to.",
            ) from error

    def add(
        self, file: str, row: int | None, reason: str, excerpt: str | None = None, rows: int = 1
    ) -> None:
        """Record that a row was lost.

        Args:
            file: the input file, as its reader names it.
            row: row or line number from 1; None where the whole file is meant.
            reason: one short sentence, without values from the row.
            excerpt: the beginning of the row; cut, made harmless, or left out.
            rows: how many rows were lost with this one, when it stands for several.
        """
        self.count += rows
        _tally(self.reasons, reason, rows)
        line: dict[str, object] = {"file": file, "row": row, "reason": reason}
        if rows != 1:
            line["rows"] = rows
        self._write(line, excerpt)

    def note(self, file: str, row: int | None, reason: str, excerpt: str | None = None) -> None:
        """Record that a row was kept although something in it could not be."""
        _tally(self.notes, reason, 1)
        self._write({"file": file, "row": row, "reason": reason, "kept": True}, excerpt)

    def skip(self, file: str, reason: str, things: int = 1) -> None:
        """Record that something readable was no exchange; summed per file until ``close``."""
        _tally(self.skipped, reason, things)
        self._skips[file, reason] += things

    def close(self) -> None:
        """Write the sums of what was skipped and close the file."""
        if self._out.closed:
            return
        for (file, reason), things in self._skips.items():
            self._write({"file": file, "row": None, "reason": reason, "skipped": things}, None)
        self._skips.clear()
        self._out.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, line: dict[str, object], excerpt: str | None) -> None:
        if excerpt is not None and self.excerpts:
            line["excerpt"] = harmless(excerpt)
        self._out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def harmless(text: str) -> str:
    """Cut a text to an excerpt and make control, format and surrogate characters visible."""
    cut = text[:EXCERPT]
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut
    )


def _tally(counter: Counter[str], reason: str, by: int) -> None:
    counter[reason if reason in counter or len(counter) < _REASONS else _OTHER] += by
