"""What is kept of prompts, and how their slots are marked. Prompts are hostile."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.campaigns.redaction import CAP, capped, redact
from stillhunt.campaigns.skeleton import mark_slots

SECRETS = (
    "jane.doe+x@mail.example.co.uk",
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "AKIAIOSFODNN7EXAMPLE",
    "https://intern.example.com/a?token=1",
    "198.51.100.23",
    "2001:db8:0:0:0:0:2:1",
    "+1 (415) 555-0100",
    "4111 1111 1111 1111",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "write to {} now", "({})", '"{}",', "a\n{}\nb"])
def test_what_looks_personal_or_secret_is_taken_out(secret: str, around: str) -> None:
    shown = redact(around.format(secret), 2400)
    assert secret not in shown
    assert "[" in shown


@settings(max_examples=150, deadline=None, derandomize=True)
@given(before=st.integers(0, 2500), secret=st.sampled_from(SECRETS), cap=st.integers(50, 2400))
def test_nothing_is_left_half_redacted_at_the_cut(before: int, secret: str, cap: int) -> None:
    shown = redact("w " * (before // 2) + secret + " tail" * 600, cap)
    assert len(shown) <= cap + 1
    # No more than a harmless beginning may be left of it.
    assert secret[: max(10, len(secret) // 2)] not in shown


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=3000), st.integers(1, 2400))
def test_any_text_is_survived_and_capped(text: str, cap: int) -> None:
    assert len(redact(text, cap)) <= cap + 1
    assert len(capped(text)) <= CAP + 1


HOSTILE = ("a" * 10**6, "1 " * 10**6, "a@" * 10**6, "a." * 10**6, ":" * 10**6, "+" * 10**6, "f" * 10**6,
           "http://" * 10**5, "1:" * 10**6, "(" * 10**6, "x-" * 10**6)  # fmt: skip


def test_hostile_texts_do_not_take_long() -> None:
    began = time.process_time()
    for text in HOSTILE:
        redact(text, 2400)
        mark_slots([text[:3000], text[1:3001], text[::-1][:3000]])
    assert time.process_time() - began < 10


def text_of(parts: list[dict[str, object]], slot: bool) -> str:
    return "|".join(str(p["text"]) for p in parts if p["slot"] is slot)


def test_slots_are_what_varies() -> None:
    texts = [
        f"Solve the problem below and show every step of your thinking.\n\n{item}\n\nEnd with a box."
        for item in ("How many apples?", "Where do trains meet at noon?", "Prove it is prime.")
    ]
    parts = mark_slots(texts)
    fixed, slots = text_of(parts, slot=False), text_of(parts, slot=True)
    assert "Solve the problem below and show every step of your thinking." in fixed
    assert "End with a box" in fixed
    assert "How many apples" in slots
    assert "apples" not in fixed


def test_one_text_has_no_slots_and_none_no_parts() -> None:
    assert mark_slots(["just one"]) == [{"text": "just one", "slot": False}]
    assert mark_slots([]) == []


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=300), min_size=2, max_size=4))
def test_parts_put_together_are_the_first_text(texts: list[str]) -> None:
    parts = mark_slots(texts)
    whole = "".join(str(p["text"]) for p in parts)
    assert all(isinstance(p["slot"], bool) for p in parts)
    assert all(p["slot"] is not q["slot"] for p, q in pairwise(parts))
    if len(parts) < 60:
        assert whole == texts[0]
