"""Splits a stream of bytes into numbered lines, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stillhunt.readers.compression import BrokenStreamError, ByteStream

LONGEST_LINE = 64 << 20
"""Bytes of the longest line that is read; a longer one is passed over without being held."""

LOST = "; what follows is lost"
"""How the reason for a break in a file ends."""

_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line.

    Attributes:
        number: from 1.
        data: its bytes without the line feed; empty where ``problem`` is set and it was too long.
        problem: why it cannot be used, or None.
    """

    number: int
    data: bytes
    problem: str | None = None


def read_lines(stream: ByteStream, longest: int = LONGEST_LINE) -> Iterator[Line]:
    """Give every line that is not blank, and the place of a break in the stream as a Line.

    Args:
        stream: the file's decompressed bytes.
        longest: most bytes of a line.
    """
    number = 1
    parts: list[bytes] = []
    held = 0
    overlong = False
    broken: str | None = None
    pieces = iter(stream)
    while True:
        try:
            piece = next(pieces, None)
        except BrokenStreamError as error:
            broken, piece = str(error.args[0]), None
        if piece is None:
            break
        ends = piece.split(b"\n")
        if len(ends) == 1:
            overlong = overlong or held + len(piece) > longest
            parts, held = ([], 0) if overlong else ([*parts, piece], held + len(piece))
            continue
        parts.append(ends[0])
        yield from _finish(number, parts, overlong or held + len(ends[0]) > longest)
        for data in ends[1:-1]:
            number += 1
            if len(data) > longest:
                yield Line(number, b"", "line too long")
            elif data and not data.isspace():
                yield Line(number, data)
        number += 1
        overlong = len(ends[-1]) > longest
        parts, held = ([], 0) if overlong else ([ends[-1]], len(ends[-1]))
    if broken is None:
        yield from _finish(number, parts, overlong)
    else:
        tail = b"" if overlong else b"".join(parts)
        yield Line(number, tail, broken + LOST)


def _finish(number: int, parts: list[bytes], overlong: bool) -> Iterator[Line]:
    if overlong:
        yield Line(number, b"", "line too long")
        return
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    if number == 1 and data.startswith(_BOM):
        data = data[3:]
    if data and not data.isspace():
        yield Line(number, data)
