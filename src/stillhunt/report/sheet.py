"""CSV that a spreadsheet cannot mistake for a program."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from stillhunt.report.visible import visible

MOST_CHARACTERS = 8000
"""Of one cell; spreadsheets stop at 32,767."""

# OWASP, "CSV Injection": what a spreadsheet takes for the start of a formula. The wide forms are
# folded to the narrow ones by some.
_STARTS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20|")


def cell(value: object) -> object:
    """Make a value safe to stand in a cell.

    Numbers stay numbers. Text that would start a formula (also after blanks) gets a leading
    apostrophe; control characters are made visible.
    """
    if not isinstance(value, str):
        return "" if value is None else value
    first = value.lstrip(" \u00a0\u3000")[:1] or value[:1]
    shown = visible(value, MOST_CHARACTERS)
    return f"'{shown}" if first in _STARTS else shown


def sheet(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write rows as CSV (RFC 4180, UTF-8).

    Every text is quoted, which keeps a cell whole where a semicolon separates.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return text.getvalue().encode()
