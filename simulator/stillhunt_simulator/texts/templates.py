"""Templates: worded once from a kind, reworded where somebody hides, filled for each exchange."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from stillhunt_simulator.texts.frames import LEADING, LEADS, MOST_REMARKS, REMARKS
from stillhunt_simulator.texts.grammar import Lexicon
from stillhunt_simulator.texts.kinds import COMMON_SYSTEM, COURSEWORK, FREE_FORMS, KINDS
from stillhunt_simulator.traces import CHAT, Lengths

_CHOICE = re.compile(r"\[([^\[\]|]*(?:\|[^\[\]|]*)+)\]")
_SLOT = re.compile(r"<<([a-z0-9:+]+)>>")
_JOINS = (" ", "\n", "\n- ", "\n\n", "\n* ")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a form.

    Attributes:
        parts: unit of text and median number of its sentences, one after the other.
        item: filled with the item, new or from a pool.
    """

    parts: tuple[tuple[str, int], ...]
    item: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A prompt skeleton: literal pieces around slots (one piece more than slots).

    Attributes:
        system: the system prompt that goes with it.
        pieces: literal text before, between and after the slots.
        slots: what varies.
        answer: how long answers are, in tokens.
    """

    system: str | None
    pieces: tuple[str, ...]
    slots: tuple[Slot, ...]
    answer: Lengths


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a template, as worded, and the grammar that words it."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A template in the making, which can still be reworded.

    Attributes:
        kind: a key of ``KINDS``.
        lead: what stands before the first sentence, if anything.
        opening: the first sentence.
        rules: those that follow, in order.
        layout: how the item is set out.
        system: the system prompt, if there is one.
        join: what stands between sentences.
    """

    kind: str
    lead: Sentence | None
    opening: Sentence
    rules: tuple[Sentence, ...]
    layout: Sentence
    system: Sentence | None
    join: str

    def form(self) -> Form:
        """The skeleton as a form to be filled."""
        text = self.join.join(s.text for s in (self.opening, *self.rules)) + self.layout.text
        text = (self.lead.text if self.lead else "") + text
        system = self.system.text if self.system else None
        return parse(text, KINDS[self.kind].answer, system)


def phrase(rng: np.random.Generator, lexicon: Lexicon, kind: str, systems: float) -> Skeleton:
    """Word a template of a kind: no two calls word it alike.

    Args:
        rng: source of chance.
        lexicon: words for the template's own names.
        kind: a key of ``KINDS``.
        systems: probability of a system prompt.

    Raises:
        KeyError: no such kind.
    """
    source = KINDS[kind]
    own = rng.permutation(len(source.rules))[: int(rng.integers(3, len(source.rules) + 1))]
    more = rng.permutation(len(REMARKS))[: int(rng.integers(MOST_REMARKS + 1))]
    rules = [source.rules[i] for i in own] + [REMARKS[i] for i in more]
    rng.shuffle(rules)
    return Skeleton(
        kind,
        _worded(rng, lexicon, _one(rng, LEADS)) if rng.random() < LEADING else None,
        _worded(rng, lexicon, _one(rng, source.openings)),
        tuple(_worded(rng, lexicon, rule) for rule in rules),
        _worded(rng, lexicon, _one(rng, source.layouts)),
        _worded(rng, lexicon, _one(rng, source.systems)) if rng.random() < systems else None,
        _one(rng, _JOINS),
    )


def reword(
    rng: np.random.Generator, lexicon: Lexicon, skeleton: Skeleton, strength: float
) -> Skeleton:
    """Say the same in other words.

    Each sentence is, with probability ``strength``, worded anew from its grammar. Half as often
    the opening is exchanged for another one, and so is what leads up to it; rules are swapped with
    a neighbour; one is left out; one is taken in. What is not touched stays word for word.

    Args:
        rng: source of chance.
        lexicon: words for new names.
        skeleton: what to reword.
        strength: from 0, nothing changes, to 1, nothing stays as it was worded.
    """
    source = KINDS[skeleton.kind]

    def again(sentence: Sentence) -> Sentence:
        if rng.random() >= strength:
            return sentence
        return _worded(rng, lexicon, sentence.source)

    opening = again(skeleton.opening)
    if rng.random() < strength / 2:
        opening = _worded(rng, lexicon, _one(rng, source.openings))
    rules = [again(rule) for rule in skeleton.rules]
    for i in range(len(rules) - 1):
        if rng.random() < strength / 2:
            rules[i], rules[i + 1] = rules[i + 1], rules[i]
    if len(rules) > 2 and rng.random() < strength / 2:
        del rules[int(rng.integers(len(rules)))]
    unused = [r for r in source.rules if r not in {rule.source for rule in rules}]
    if unused and rng.random() < strength / 2:
        rules.insert(
            int(rng.integers(len(rules) + 1)), _worded(rng, lexicon, _one(rng, tuple(unused)))
        )
    lead = again(skeleton.lead) if skeleton.lead else None
    if rng.random() < strength / 2:
        lead = _worded(rng, lexicon, _one(rng, LEADS))
    return Skeleton(
        skeleton.kind,
        lead,
        opening,
        tuple(rules),
        again(skeleton.layout),
        again(skeleton.system) if skeleton.system else None,
        _one(rng, _JOINS) if rng.random() < strength else skeleton.join,
    )


def parse(text: str, answer: Lengths, system: str | None = None) -> Form:
    """Cut a text at its ``<<…>>`` slots."""
    parts = _SLOT.split(text)
    return Form(system, tuple(parts[0::2]), tuple(_slot(p) for p in parts[1::2]), answer)


def free_forms() -> list[tuple[float, Form]]:
    """The forms of hand-written prompts, with their weights."""
    system, share = COMMON_SYSTEM
    plain = [(w * (1.0 - share), parse(text, CHAT)) for w, text in FREE_FORMS]
    return plain + [(w * share, parse(text, CHAT, system)) for w, text in FREE_FORMS]


def coursework_forms() -> list[tuple[float, Form]]:
    """The forms in which students put a set exercise, with their weights."""
    return [(weight, parse(text, CHAT)) for weight, text in COURSEWORK]


def whole_item(skeleton: Skeleton) -> Form:
    """A template of which nothing varies but the item: all its slots are the item's."""
    form = skeleton.form()
    slots = tuple(Slot(slot.parts, item=True) for slot in form.slots)
    return Form(form.system, form.pieces, slots, form.answer)


def _slot(text: str) -> Slot:
    item = text.startswith("item:")
    pairs = (part.split(":") for part in text.removeprefix("item:").split("+"))
    return Slot(tuple((unit, int(count)) for unit, count in pairs), item)


def _worded(rng: np.random.Generator, lexicon: Lexicon, source: str) -> Sentence:
    return Sentence(source, lexicon.fill(rng, _choose(rng, source)))


def _one(rng: np.random.Generator, among: tuple[str, ...]) -> str:
    return among[int(rng.integers(len(among)))]


def _choose(rng: np.random.Generator, text: str) -> str:
    """Settle every ``[a|b]``, innermost first."""
    while _CHOICE.search(text):
        text = _CHOICE.sub(lambda match: _one(rng, tuple(match[1].split("|"))), text)
    return text
