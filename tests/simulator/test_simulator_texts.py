"""Words, templates, rewording, and prompts drawn by key."""

from __future__ import annotations

import re

import numpy as np
import pytest
from simulated import runs

from stillhunt_simulator.draws import mixed, named, uniform
from stillhunt_simulator.texts.grammar import Lexicon
from stillhunt_simulator.texts.kinds import KINDS
from stillhunt_simulator.texts.render import Order, Press
from stillhunt_simulator.texts.templates import Form, parse, phrase, reword, whole_item
from stillhunt_simulator.texts.vocabulary import LANGUAGES, PATTERNS, WORDS
from stillhunt_simulator.texts.words import words_of
from stillhunt_simulator.traces import CHAT


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(np.random.default_rng(5))


def order(n: int, form: int = 0, language: int = 0, item: int = 0, topic: int = 0) -> Order:
    """n prompts of one form; keys 1 to n."""
    return Order(
        forms=np.full(n, form),
        languages=np.full(n, language),
        keys=mixed(np.arange(1, n + 1, dtype=np.uint64)),
        items=np.full(n, item, dtype=np.uint64),
        topics=np.full(n, topic, dtype=np.uint64),
        writers=np.full(n, topic, dtype=np.uint64),
    )


def written(lexicon: Lexicon, text: str, made: Order) -> list[str]:
    prompts: list[str] = Press(lexicon, [parse(text, CHAT)]).prompts(made)[1].to_pylist()
    return prompts


def test_there_are_tens_of_thousands_of_words() -> None:
    words = words_of(np.random.default_rng(1))
    assert len({w for (lang, _), ws in words.items() if lang == "en" for w in ws}) > 20_000
    assert len({w for ws in words.values() for w in ws}) > 40_000
    other = words_of(np.random.default_rng(2))
    assert len(set(words["en", "E"]) & set(other["en", "E"])) < 0.3 * len(words["en", "E"])


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


@pytest.mark.parametrize("language", range(4))
@pytest.mark.parametrize("unit", ["prose", "question", "task", "problem", "code", "record"])
def test_every_unit_can_be_written(lexicon: Lexicon, unit: str, language: int) -> None:
    prompts = written(lexicon, f"<<{unit}:3>>", order(300, language=language))
    assert len(set(prompts)) == 300
    assert not any("$" in prompt for prompt in prompts)
    if unit not in ("code", "record"):
        assert not any("  " in prompt for prompt in prompts)


def test_a_prompt_is_its_forms_literals_around_its_slots(lexicon: Lexicon) -> None:
    prompts = written(lexicon, "Begin <<prose:2>> middle <<question:1+task:1>> end", order(50))
    for prompt in prompts:
        begin, rest = prompt.split(" middle ")
        assert begin.startswith("Begin ")
        assert rest.endswith(" end")
        assert "\n" in rest
    assert len(set(prompts)) == 50


def test_the_same_item_is_the_same_text_in_any_prompt_and_template(lexicon: Lexicon) -> None:
    forms = [parse(t, CHAT) for t in ("A <<item:task:2>> B <<prose:1>>", "C\n<<item:task:2>> D")]
    press = Press(lexicon, forms)
    a = press.prompts(order(40, form=0, item=99, topic=7))[1].to_pylist()
    b = press.prompts(order(40, form=1, item=99, topic=7))[1].to_pylist()
    items = {p.removeprefix("A ").split(" B ")[0] for p in a}
    items |= {p.removeprefix("C\n").removesuffix(" D") for p in b}
    assert len(items) == 1
    assert len(set(a)) == 40
    assert items != {
        p.removeprefix("A ").split(" B ")[0]
        for p in press.prompts(order(1, form=0, item=98, topic=7))[1].to_pylist()
    }


def test_whole_items_are_whole(lexicon: Lexicon) -> None:
    skeleton = phrase(np.random.default_rng(3), "rubric_grading", 0.0)
    press = Press(lexicon, [whole_item(skeleton.form(lexicon))])
    assert len(set(press.prompts(order(30, item=5))[1].to_pylist())) == 1


def test_prompts_do_not_hang_on_their_neighbours(lexicon: Lexicon) -> None:
    press = Press(lexicon, [parse("<<prose:4>>\n<<code:3>>", CHAT)])
    made = order(60)
    everything = press.prompts(made)[1].to_pylist()
    half = Order(
        *(
            getattr(made, f)[20:45]
            for f in ("forms", "languages", "keys", "items", "topics", "writers")
        )
    )
    assert press.prompts(half)[1].to_pylist() == everything[20:45]


def test_a_topic_narrows_the_vocabulary(lexicon: Lexicon) -> None:
    text = "<<prose:30>>"
    words = [
        len({w for p in written(lexicon, text, order(40, topic=topic)) for w in p.split()})
        for topic in (0, 1234)
    ]
    assert words[1] < 0.8 * words[0]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_templates_of_one_kind_are_worded_differently(lexicon: Lexicon, kind: str) -> None:
    rng = np.random.default_rng(2)
    forms = [phrase(rng, kind, 1.0).form(lexicon) for _ in range(40)]
    assert len({form.pieces for form in forms}) == 40
    for form in forms:
        assert form.slots
        assert any(slot.item for slot in form.slots)
        assert form.system
        text = form.system + "".join(form.pieces)
        assert not re.search(r"[|$]|<<\w", text)


def test_systems_are_left_out_where_none_is_asked_for(lexicon: Lexicon) -> None:
    assert phrase(np.random.default_rng(1), "summary", 0.0).form(lexicon).system is None


def kept(a: Form, b: Form) -> float:
    """Share of a's runs of six words that b has too."""
    mine, theirs = (runs([" ".join(form.pieces)], 6) for form in (a, b))
    return len(mine & theirs) / max(len(mine), 1)


def test_rewording_keeps_less_the_stronger_it_is(lexicon: Lexicon) -> None:
    rng = np.random.default_rng(8)
    means = []
    for strength in (0.0, 0.3, 0.6, 1.0):
        shares = []
        for kind in ("cot_elicitation", "rubric_grading", "agentic_tool_use", "roleplay"):
            for _ in range(10):
                skeleton = phrase(rng, kind, 0.5)
                again = reword(rng, skeleton, strength)
                shares.append(kept(skeleton.form(lexicon), again.form(lexicon)))
        means.append(np.mean(shares))
    assert means[0] == 1.0
    assert means[0] > means[1] > means[2] > means[3]
    assert 0.4 < means[1] < 0.9
    assert means[3] < 0.25


def test_tokens_are_counted_as_texts_are_made(lexicon: Lexicon) -> None:
    press = Press(lexicon, [parse("Some words first. <<prose:6>>", CHAT, "A system text.")])
    systems, prompts, tokens = press.prompts(order(100))
    words = np.array([len(p.split()) for p in prompts.to_pylist()])
    assert systems.to_pylist() == ["A system text."] * 100
    assert 1.0 < np.median(tokens / words) < 2.0


def test_draws_by_key_are_uniform_and_repeatable() -> None:
    keys = np.arange(100_000, dtype=np.uint64)
    u = uniform(mixed(keys))
    assert u.min() >= 0
    assert u.max() < 1
    counts = np.bincount((u * 100).astype(int), minlength=100)
    chi = float(((counts - 1000.0) ** 2 / 1000.0).sum())
    assert chi < 160  # 99 degrees of freedom; 1e-4
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.02
    assert (mixed(keys) == mixed(keys.copy())).all()
    # Published outputs of SplitMix64 for seed 0.
    assert int(mixed(np.zeros(1, dtype=np.uint64))[0]) == 0xE220A8397B1DCDAF
    assert named(1, "a", "b") != named(1, "ab")
