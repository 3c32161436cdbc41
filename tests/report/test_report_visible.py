from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from stillhunt.report.visible import short, visible

ANY = st.text(alphabet=st.characters(exclude_categories=[]), max_size=300)


@given(ANY)
def test_nothing_hidden_is_left_and_it_encodes(text: str) -> None:
    shown = visible(text, 300)
    shown.encode()
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(ANY, st.integers(1, 50))
def test_work_and_length_are_bounded_by_the_limit(text: str, limit: int) -> None:
    # One character becomes ten at most, and what was cut is said.
    assert len(visible(text, limit)) <= 10 * limit + 40
    assert len(short(text, limit)) <= 10 * limit + 1


def test_what_is_harmless_stays() -> None:
    for text in ("plain text", "Grüße, 世界, שלום, مرحبا, नमस्ते", "e\u0301", "😀"):
        assert visible(text) == text


def test_hidden_things_get_names() -> None:
    assert visible("a\u202eb") == "a⟨U+202E⟩b"
    assert visible("a\x00\x1b\x7f") == "a⟨U+0000⟩⟨U+001B⟩⟨U+007F⟩"
    assert visible("a\ufe0fb\U000e0041") == "a⟨U+FE0F⟩b⟨U+E0041⟩"
    assert visible("a\ud800") == "a⟨U+D800⟩"
    assert visible("a\nb\tc") == "a↵b⟨U+0009⟩c"
    assert visible("a\nb\tc\r", lines=True) == "a\nb\tc⟨U+000D⟩"


def test_cut_is_said_and_marks_do_not_pile_up() -> None:
    assert visible("x" * 1_000_000, 10) == "xxxxxxxxxx… (+999,990 characters)"
    assert short("x" * 50, 10) == "x" * 9 + "…"
    assert len(visible("a" + "\u0301" * 100, 200)) == 5
