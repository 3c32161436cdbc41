"""Marks the slots of a template: what stays the same between its exemplars, and what varies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_TOKENS = 900
# Characters of a part that are shown; its middle is left out beyond. What fills a slot is a
# customer's own words, of which a taste is enough.
_FIXED_SHOWN, _SLOT_SHOWN = 360, 80
_MOST_PARTS = 30
_MIN_FIXED = 3  # words in a row; shorter agreements are chance


def mark_slots(texts: Sequence[str]) -> list[dict[str, object]]:
    """Split the common skeleton of texts into fixed parts and slots.

    Args:
        texts: exemplars of one template, redacted and capped.

    Returns:
        Parts in order, each {"text", "slot"}; a slot's text is the first exemplar's filling. With
        fewer than two texts all of it is one fixed part.
    """
    tokens = [_TOKEN.findall(text)[:_MOST_TOKENS] for text in texts]
    if len(tokens) < 2:
        return [{"text": _shortened(text, _FIXED_SHOWN), "slot": False} for text in texts[:1]]
    first = tokens[0]
    fixed = [True] * len(first)
    for other in tokens[1:]:
        here = [False] * len(first)
        for start, _, size in SequenceMatcher(
            None, first, other, autojunk=False
        ).get_matching_blocks():
            for i in range(start, start + size):
                here[i] = True
        fixed = [a and b for a, b in zip(fixed, here, strict=True)]
    return _parts(first, _without_crumbs(first, fixed))


def _without_crumbs(tokens: Sequence[str], fixed: list[bool]) -> list[bool]:
    out = list(fixed)
    i = 0
    while i < len(out):
        j = i
        while j < len(out) and out[j] == out[i]:
            j += 1
        words = sum(token.isalnum() for token in tokens[i:j])
        if out[i] and words < _MIN_FIXED and (i > 0 or j < len(out)):
            out[i:j] = [False] * (j - i)
        i = j
    return out


def _parts(tokens: Sequence[str], fixed: Sequence[bool]) -> list[dict[str, object]]:
    parts: list[dict[str, object]] = []
    for token, same in zip(tokens, fixed, strict=True):
        if parts and parts[-1]["slot"] is not same:
            parts[-1]["text"] = str(parts[-1]["text"]) + token
        else:
            parts.append({"text": token, "slot": not same})
    shown = [
        {
            "text": _shortened(str(p["text"]), _SLOT_SHOWN if p["slot"] else _FIXED_SHOWN),
            "slot": p["slot"],
        }
        for p in parts[:_MOST_PARTS]
    ]
    return [*shown, {"text": " …", "slot": False}] if len(parts) > _MOST_PARTS else shown


def _shortened(text: str, most: int) -> str:
    half = most // 2
    return text if len(text) <= most else f"{text[:half]} … {text[-half:]}"
