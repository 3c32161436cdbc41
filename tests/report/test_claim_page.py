"""A claim's two pages: what they say follows from the numbers, and nothing in them runs."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from claim_example import GOOD, HOSTILE_TEXTS, REFUSED, hostile
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.report import claim_words as words
from stillhunt.report.claim_facts import Audit, ClaimFacts
from stillhunt.report.claim_page import (
    render_html,
    render_images,
    render_pdf,
    write_claim_page,
)
from stillhunt.report.claim_view import Room, claim_view
from stillhunt.scoring.calibration import ICD_203, estimative_word

pytest.importorskip("typst", reason="needs the report extra")
UNAUDITED = replace(GOOD, audits=(), stamps=(), witnesses=(), pinned=False)


def said(facts: ClaimFacts) -> str:
    return " ".join(text for _, text in words.certainty(facts))


@given(st.floats(0, 1))
def test_the_word_is_the_probabilitys(probability: float) -> None:
    text = said(replace(GOOD, probability=probability))
    word = estimative_word(probability)
    assert f"it is {word} (" in text
    others = {other for *_, other in ICD_203} - {word}
    assert not any(f"it is {other} (" in text for other in others)


@given(st.integers(1, 10**7), st.data())
def test_bounds_are_never_rounded_up(population: int, data: st.DataObject) -> None:
    least = data.draw(st.integers(0, population))
    audit = Audit(("account", "accounts"), population, population // 2, 0, 0.999, least)
    text = words.bounds(audit)
    assert f"at least {least:,} (" in text
    stated = re.search(r"\(([\d.]+) %\) of the accounts", text)
    assert stated is not None
    assert float(stated.group(1)) <= 100 * least / population + 1e-9


def test_what_was_found_bad_is_said() -> None:
    audit = Audit(("exchange", "exchanges"), 1000, 300, 2, 0.95, 970)
    assert words.bounds(audit) == (
        "300 exchanges of 1,000 were drawn at random and opened: 2 were not as claimed. "
        "With confidence 95 %, at least 970 (97.00 %) of the exchanges are."
    )
    whole = Audit(("account", "accounts"), 3, 3, 0, 0.95, 3)
    assert words.bounds(whole) == "All 3 accounts were opened: all are as claimed."


def test_without_a_sample_the_numbers_are_the_claimants_word() -> None:
    assert "the claimant's word" in said(UNAUDITED)
    assert "at least" not in said(UNAUDITED)
    assert "No witness" in said(UNAUDITED)
    notes = [note for *_, note in claim_view(UNAUDITED, Room())["figures"]]
    assert notes[:2] == ["the claimant's word"] * 2
    assert "not known beforehand" in render_html(UNAUDITED)


def test_what_is_not_stated_is_not_drawn() -> None:
    facts = replace(
        GOOD, probability=None, prior=None, link_p=None, q_value=None, harvest_p=None, kinds=()
    )
    text = said(facts)
    assert "does not say how likely" in text
    assert "Not stated." in text
    assert claim_view(facts, Room())["scale"] is None
    assert "How sure" in render_html(facts)
    assert render_pdf(facts).startswith(b"%PDF-")


def test_what_the_claim_leaves_out_is_said() -> None:
    assert "leaves out" not in said(GOOD)
    text = said(replace(GOOD, left_out=(2, 1)))
    assert "names 1 exchange and 2 accounts more, which the log cannot show" in text


def test_a_refused_claim_shows_nothing() -> None:
    page = render_html(REFUSED)
    assert words.certainty(REFUSED) == []
    assert words.shown(REFUSED) == []
    assert "Refused: 1 of 11 checks failed; 1 had nothing to check." in page
    assert "3 answers are for other exchanges" in page
    for text in ("almost certain, ", "at least", "15,840,162", "How sure"):
        assert text not in page


def test_it_says_how_to_check_it() -> None:
    page = render_html(GOOD)
    for text in (GOOD.bundle_sha256, GOOD.origin, GOOD.key, "stillhunt verify c-7f3a9b21.claim"):
        assert text in page


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("a b.claim", "'a b.claim'"),
        ("$(reboot).claim", "'$(reboot).claim'"),
        ("x\n; reboot", "FILE.claim"),
        ("-rf", "FILE.claim"),
    ],
)
def test_the_command_does_what_it_says(file: str, shown: str) -> None:
    verify = claim_view(replace(GOOD, file=file), Room())["verify"]
    assert verify["command"] == f"stillhunt verify {shown} --trust trust.json"


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[tuple[str, tuple[str, ...]]] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add((tag, tuple(name for name, _ in attrs)))


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_hostile_text_adds_nothing_to_the_html(text: str) -> None:
    page = render_html(hostile(text))
    assert Tags(page).seen <= Tags(render_html(GOOD)).seen | {("td", ())}
    assert "default-src 'none'; style-src 'sha256-" in page
    for hidden in "\u202e\u200b\u2066\x00\x1b\r":
        assert hidden not in page
    # Its own sentences are whole, however long what surrounds them is.
    assert "With confidence 99.9 %, at least 15,840,162" in page


@pytest.mark.parametrize("text", HOSTILE_TEXTS[2:7:2], ids=["markup", "template", "long"])
def test_hostile_text_is_set_as_text_on_two_pages(text: str) -> None:
    facts = hostile(text)
    assert len(render_images(facts, 5)) == 2
    pdf = render_pdf(facts)
    for action in (b"/JavaScript", b"/URI", b"/Launch", b"/OpenAction"):
        assert action not in pdf


@pytest.mark.parametrize("facts", [GOOD, REFUSED, UNAUDITED], ids=["good", "refused", "unaudited"])
def test_two_pages_the_same_every_time(facts: ClaimFacts, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_claim_page(facts, tmp_path / "a")]
    again = [path.read_bytes() for path in write_claim_page(facts, tmp_path / "b")]
    assert first == again
    assert [content[:5] for content in first] == [b"<!doc", b"%PDF-"]
    assert len(render_images(facts, 5)) == 2
