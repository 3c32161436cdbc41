"""Sentences, templates and arrival times."""

from __future__ import annotations

import numpy as np
import pytest

from stillhunt_simulator.clock import Presence, rank, times
from stillhunt_simulator.scenario import Beat
from stillhunt_simulator.texts.grammar import Lexicon
from stillhunt_simulator.texts.kinds import KINDS
from stillhunt_simulator.texts.render import render
from stillhunt_simulator.texts.templates import WHOLE, Form, parse, phrase
from stillhunt_simulator.texts.vocabulary import LANGUAGES, PATTERNS, WORDS

DAY = 86_400.0


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(np.random.default_rng(5))


@pytest.mark.parametrize("key", sorted(PATTERNS))
def test_every_pattern_can_be_filled(lexicon: Lexicon, key: tuple[str, str]) -> None:
    sentences = lexicon.sentences(np.random.default_rng(1), *key, 400)
    assert len(sentences) == 400
    assert not any("$" in sentence for sentence in sentences)
    assert len(set(sentences)) > 390


def test_units_exist_in_every_language_or_in_none() -> None:
    for unit in {unit for _, unit in PATTERNS}:
        languages = {language for language, of in PATTERNS if of == unit}
        assert languages in ({"any"}, set(LANGUAGES))


def test_no_pattern_has_a_long_run_of_literal_words() -> None:
    for (language, _), lines in PATTERNS.items():
        for line in lines.strip("\n").split("\n"):
            run = longest = 0
            for word in line.split():
                run = 0 if "$" in word else run + 1
                longest = max(longest, run)
            assert longest <= 4, (language, line)


def test_word_lists_repeat_nothing() -> None:
    for classes in WORDS.values():
        for words in classes.values():
            assert len(set(words.split())) == len(words.split())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_templates_of_one_kind_are_worded_differently(lexicon: Lexicon, kind: str) -> None:
    rng = np.random.default_rng(2)
    forms = [phrase(rng, lexicon, kind, 1.0) for _ in range(12)]
    assert len({form.pieces for form in forms}) == 12
    for form in forms:
        assert form.slots
        assert form.system
        text = form.system + "".join(form.pieces)
        assert "|" not in text
        assert "<<item" not in text
        assert "$" not in text


def test_systems_are_left_out_where_none_is_asked_for(lexicon: Lexicon) -> None:
    assert phrase(np.random.default_rng(1), lexicon, "summary", 0.0).system is None


def test_render_keeps_literals_and_takes_items(lexicon: Lexicon) -> None:
    form = parse("Begin <<prose:2>> middle <<item:question:1>> end", (10.0, 0.1))
    whole = Form(None, ("", ""), (WHOLE,), (10.0, 0.1))
    prompts = render(
        np.random.default_rng(3),
        lexicon,
        [form, form, whole],
        [0, 3, 0],
        ["AN ITEM", None, "A PROMPT"],
    )
    assert prompts[0].startswith("Begin ")
    assert prompts[0].endswith(" middle AN ITEM end")
    assert prompts[1].startswith("Begin ")
    assert prompts[1].endswith(" end")
    assert prompts[2] == "A PROMPT"
    assert render(np.random.default_rng(3), lexicon, [], [], []) == []


@pytest.mark.parametrize("beat", ["sessions", "service", "runs", "nightly", "throttled", "steady"])
def test_times_stay_within_presence(beat: Beat) -> None:
    rng = np.random.default_rng(9)
    who = np.repeat(np.arange(5), [1, 40, 300, 0, 70])
    presence = Presence(
        opened=np.array([0.0, 0.0, 3.0, 5.0, 9.5]) * DAY,
        closed=np.array([14.0, 2.0, 4.0, 6.0, 14.0]) * DAY,
        zones=np.array([0.0, 3600.0, -7200.0, 0.0, 36_000.0]),
    )
    seconds = times(rng, beat, who, presence, pool=30)
    assert seconds.shape == who.shape
    assert (seconds >= presence.opened[who]).all()
    assert (seconds <= presence.closed[who]).all()


def test_people_sleep_and_machines_do_not() -> None:
    who = np.zeros(20_000, dtype=np.int64)
    presence = Presence(np.array([0.0]), np.array([14 * DAY]), np.array([0.0]))
    night = {}
    for beat in ("throttled", "steady"):
        hours = times(np.random.default_rng(4), beat, who, presence) % DAY / 3600
        night[beat] = float(((hours >= 1) & (hours < 6)).mean())
    assert night["throttled"] < 0.09
    assert night["steady"] == pytest.approx(5 / 24, abs=0.02)


def test_nightly_runs_come_at_one_hour_in_order() -> None:
    who = np.zeros(90, dtype=np.int64)
    presence = Presence(np.array([0.0]), np.array([14 * DAY]), np.array([0.0]))
    seconds = times(np.random.default_rng(4), "nightly", who, presence, pool=30)
    assert (np.diff(seconds) > 0).all()
    assert np.ptp(seconds % DAY) < 3600
    assert set(np.floor(seconds / DAY)) == {0.0, 1.0, 2.0}


def test_rank_counts_within_accounts() -> None:
    assert rank(np.array([0, 0, 2, 2, 2])).tolist() == [0, 1, 0, 1, 2]
    assert rank(np.array([], dtype=np.int64)).tolist() == []
