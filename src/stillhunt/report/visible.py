"""Makes hostile text harmless to read: what hides, reorders or controls becomes a visible mark."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Selectors are combining marks by category, yet they carry text that nobody sees.
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))
# Letters by category that draw nothing.
_BLANKS = frozenset({0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0, 0x034F})
# A pile of combining marks covers the lines around it.
_MARKS_IN_A_ROW = 4


def _mark(code: int) -> str:
    if code == 0x0A:
        return "\u21b5"
    return f"\u27e8U+{code:04X}\u27e9"


class _Table(dict[int, str]):
    def __missing__(self, code: int) -> str:
        hidden = (
            unicodedata.category(chr(code)) in _HIDDEN
            or code in _BLANKS
            or any(code in block for block in _SELECTORS)
        )
        self[code] = shown = _mark(code) if hidden else chr(code)
        return shown


_LINE = _Table()
_LINES = _Table({0x0A: "\n", 0x09: "\t"})


def _thin(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= _MARKS_IN_A_ROW:
            kept.append(char)
    return "".join(kept)


def visible(text: str, limit: int = 200, *, lines: bool = False) -> str:
    """Show text as it is, with nothing hidden in it.

    A line end becomes ``↵``. Other control characters, bidirectional controls, zero-width
    characters, variation selectors, surrogates, private and unassigned characters become
    ``⟨U+202E⟩`` and so on, which every font can draw; piles of combining marks are thinned.

    Args:
        text: anything; work is bounded by ``limit``, not by its length.
        limit: most characters of ``text`` that are shown; what was cut is said.
        lines: keep line ends and tabs as they are.

    Returns:
        Text that encodes as UTF-8 and holds no control character (but line ends and tabs, when
        ``lines`` is set).
    """
    kept = text[:limit]
    shown = _thin(kept.translate(_LINES if lines else _LINE))
    cut = len(text) - len(kept)
    if not cut:
        return shown
    return f"{shown}… (+{cut:,} characters)" if cut >= 100 else f"{shown}…"


def short(text: str, limit: int) -> str:
    """Show at most ``limit`` characters of text on one line, for a label in a chart or a cell."""
    shown = visible(text, limit)
    return shown if len(text) <= limit else visible(text[: limit - 1], limit) + "…"
