"""A claim for people: the same two pages as HTML and as PDF.

The same facts give the same bytes: nothing depends on the clock, the machine or its fonts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from stillhunt.report.claim_facts import ClaimFacts
from stillhunt.report.claim_view import Room, claim_view
from stillhunt.report.extras import load_extra
from stillhunt.report.files import write_whole
from stillhunt.report.templates import ASSETS

# Size of letters in points, and room; only what is meant to be too long needs the last.
_FITS = (
    (11.0, Room()),
    (10.0, Room()),
    (9.0, Room(200, 5)),
    (8.4, Room(110, 4)),
    (7.8, Room(60, 3)),
    (7.4, Room(30, 2, 16)),
)
_LONG_WORD = re.compile(r"\S{25,}")
# What the fonts that come with the typesetter can draw: Latin, Greek, Cyrillic and punctuation.
_IN_FONTS = re.compile(
    r"[\x20-\x7e\xa0-\u02ff\u0370-\u0481\u048a-\u052f\u2010-\u2027\u2030-\u205e"
    r"\u2070-\u2094\u20a0-\u20bf\u2190-\u2193\u21b5\u2212\u27e8\u27e9\u200b]"
)


def write_claim_page(facts: ClaimFacts, out: Path) -> list[Path]:
    """Write ``claim.html`` and ``claim.pdf`` into a folder, replacing those that are there.

    Raises:
        OutputError: the folder cannot be written.
        MissingExtraError: the ``report`` extra is not installed.
    """
    pages = {out / "claim.html": render_html(facts).encode(), out / "claim.pdf": render_pdf(facts)}
    for path, content in pages.items():
        write_whole(path, content)
    return list(pages)


def render_html(facts: ClaimFacts) -> str:
    """One file that opens offline, runs nothing and loads nothing; prints on two pages of A4."""
    jinja, markup = load_extra("jinja2"), load_extra("markupsafe").Markup
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (ASSETS / "claim.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    text: str = environment.get_template("claim.html.j2").render(
        view=claim_view(facts, Room()), style=markup(style), style_hash=f"sha256-{digest}"
    )
    return text


def render_pdf(facts: ClaimFacts) -> bytes:
    """Two pages of A4, tagged for screen readers, its time that of the statement's signature."""
    pdf: bytes = _typeset(
        _fitting(facts),
        format="pdf",
        timestamp=int(facts.signed_at.timestamp()),
        pdf_standards=["ua-1"],
    )
    return pdf


def render_images(facts: ClaimFacts, dots_per_inch: int = 110) -> list[bytes]:
    """The PDF's pages as PNG."""
    return _pages(_fitting(facts), dots_per_inch)


def _fitting(facts: ClaimFacts) -> dict[str, str]:
    """Inputs with the largest letters, then the longest texts, with which it is two pages."""
    inputs: dict[str, str] = {}
    for size, room in _FITS:
        view = _breakable(claim_view(facts, room, _drawn))
        inputs = {"view": json.dumps(view), "size": str(size)}
        if len(_pages(inputs, 3)) <= 2:
            break
    return inputs


def _pages(inputs: dict[str, str], dots_per_inch: int) -> list[bytes]:
    pages = _typeset(inputs, format="png", ppi=dots_per_inch)
    return [pages] if isinstance(pages, bytes) else list(pages)


def _typeset(inputs: dict[str, str], **options: Any) -> Any:
    template = (ASSETS / "claim.typ").read_bytes()
    # Fonts of the machine stay out of it, so that pages are the same on every one.
    compiler = load_extra("typst").Compiler(template, ignore_system_fonts=True)
    return compiler.compile(sys_inputs=inputs, **options)


def _drawn(text: str) -> str:
    """Name the characters that the typesetter's own fonts do not have."""
    return "".join(
        char if _IN_FONTS.match(char) else f"\u27e8U+{ord(char):04X}\u27e9" for char in text
    )


def _breakable(value: Any) -> Any:
    """Let long words break at the end of a line."""
    if isinstance(value, dict):
        return {key: one if key == "verify" else _breakable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_breakable(one) for one in value]
    # A digest has to come out of the page as it went in.
    if not isinstance(value, str) or (len(value) == 64 and value.isalnum()):
        return value
    return _LONG_WORD.sub(_broken, value)


def _broken(word: re.Match[str]) -> str:
    text = word.group()
    return "\u200b".join(text[i : i + 8] for i in range(0, len(text), 8))
