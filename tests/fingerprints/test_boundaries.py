# ruff: noqa: RUF001 -- letters of many scripts are what is tested.
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stillhunt.fingerprints.boundaries import BACK, MARGIN, token_boundaries
from stillhunt.fingerprints.tokens import reference_tokens

PIECES = [
    *(bytes([byte]) for byte in (0x41, 0x7A, 0x20, 0x37, 0x5F, 0x2E, 0x80, 0xBF, 0xFF)),
    *(bytes([byte]) for byte in (0xC2, 0xE0, 0xE1, 0xE2, 0xE3, 0xED, 0xEE, 0xEF, 0xF0, 0xF4, 0xF5)),
    b"\xe0\xb8", b"\xe0\xbb\x80\x80", b"\xe3\x80", b"\xef\xbc", b"\xef\xbd\x80\x80", b"\xf0\x9f",
    *(text.encode() for text in ("é", "’", "я", "思", "。", "Ａ", "ﾊ", "ส", "😀", "€", "한")),
    *(b"a" * length for length in (7, 16, 17, 54, 59, 60, 64, 120)),
    *(b" " * length for length in (54, 59, 64)),
]  # fmt: skip
texts = st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES)).map(b"".join))


def tokens(text: bytes, before: bytes, behind: bytes) -> list[bytes]:
    """The tokens of a text that lies between others in a buffer."""
    data = np.frombuffer(before + text + behind or b"x", np.uint8)
    folded = np.full(len(text) + MARGIN, 0xE4, np.uint8)
    begins, ends = np.zeros((2, len(text) + MARGIN), np.int64)
    start = len(before)
    count = token_boundaries(data, start, start + len(text), folded, begins, ends)
    assert folded[BACK : BACK + len(text)].tobytes() == text.lower()
    return [folded[a:b].tobytes() for a, b in zip(begins[:count], ends[:count], strict=True)]


@given(texts)
@settings(max_examples=400, deadline=None)
@example(b"")
@example(b"x" * 59)
@example(b" " * 58 + "思".encode() * 30)
@example(b" " * 54 + "😀".encode() + b"\x80")
def test_tokens_are_those_of_the_reference_whatever_lies_around_them(text: bytes) -> None:
    expected = reference_tokens(text)
    for before, behind in ((b"", b""), (b"word\xe4", b"\x80\xb8word" * 20), (b"\xf0" * 9, b"")):
        found = tokens(text, before, behind)
        assert [b"0" if token.isdigit() else token for token in found] == expected


@pytest.mark.parametrize("piece", PIECES)
def test_no_place_in_a_window_is_special(piece: bytes) -> None:
    for indent in range(130):
        text = b" " * indent + piece + b"z."
        found = tokens(text, b"", b"y" * 80)
        assert [b"0" if token.isdigit() else token for token in found] == reference_tokens(text)
