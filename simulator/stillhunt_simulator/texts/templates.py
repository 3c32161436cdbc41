"""Templates: worded once from a kind, reworded where somebody hides, filled for each exchange."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from stillhunt_simulator.texts.frames import LEADING, LEADS, MOST_REMARKS, REMARKS
from stillhunt_simulator.texts.grammar import Lexicon
from stillhunt_simulator.texts.kinds import COMMON_SYSTEM, COURSEWORK, FREE_FORMS, KINDS
from stillhunt_simulator.texts.synonyms import SYNONYMS
from stillhunt_simulator.traces import CHAT, Lengths

_CHOICE = re.compile(r"\[([^\[\]|]*(?:\|[^\[\]|]*)+)\]")
_SLOT = re.compile(r"<<([a-z0-9:+]+)>>")
# Slots stay as they are; so do words in quotation marks and tags.
_WORD = re.compile(r"<<[^>]*>>|<[^>]*>|'[^']*'|(?<![$\w])[a-z]+(?!\w)")
_ARTICLE = re.compile(r"\b([Aa])n? (?=([a-z]))")
# Choices that a sentence may have, and more; of those touched, the share that is settled anew.
_PICKS = 24
_VARIED = 0.7
_SYNONYMS = 0.5
_NAMES = 0.3
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
    """A sentence of a template: the grammar that words it, and how it is worded.

    Attributes:
        source: the grammar.
        picks: numbers in [0, 1) that settle its choices, one after the other, and its synonyms.
        words: seed of the words drawn for it.
    """

    source: str
    picks: tuple[float, ...]
    words: int

    def text(self, lexicon: Lexicon) -> str:
        """The sentence, worded."""
        settled = _varied(_settled(self.source, self.picks), self.picks)
        return lexicon.fill(np.random.default_rng(self.words), settled)


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

    def form(self, lexicon: Lexicon) -> Form:
        """The skeleton as a form to be filled."""
        text = self.join.join(s.text(lexicon) for s in (self.opening, *self.rules))
        text = (self.lead.text(lexicon) if self.lead else "") + text + self.layout.text(lexicon)
        system = self.system.text(lexicon) if self.system else None
        return parse(text, KINDS[self.kind].answer, system)


def phrase(rng: np.random.Generator, kind: str, systems: float) -> Skeleton:
    """Word a template of a kind: no two calls word it alike.

    Args:
        rng: source of chance.
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
        _worded(rng, _one(rng, LEADS)) if rng.random() < LEADING else None,
        _worded(rng, _one(rng, source.openings)),
        tuple(_worded(rng, rule) for rule in rules),
        _worded(rng, _one(rng, source.layouts)),
        _worded(rng, _one(rng, source.systems)) if rng.random() < systems else None,
        _one(rng, _JOINS),
    )


def reword(rng: np.random.Generator, skeleton: Skeleton, strength: float) -> Skeleton:
    """Say the same in other words.

    Each sentence is touched with probability ``strength``: half of its choices are settled anew, and
    now and then the words drawn for it. A third as often the opening is exchanged for another one,
    and so is what leads up to it; rules are swapped with a neighbour; one is left out; one is taken
    in. What is not touched stays word for word.

    Args:
        rng: source of chance.
        skeleton: what to reword.
        strength: from 0, nothing changes, to 1, every sentence does.
    """
    source = KINDS[skeleton.kind]

    rarely = strength / 3

    def again(sentence: Sentence) -> Sentence:
        if rng.random() >= strength:
            return sentence
        fresh = rng.random((2, _PICKS))
        picks = np.where(fresh[0] < _SYNONYMS, fresh[1], sentence.picks).tolist()
        words = _seed(rng) if rng.random() < _NAMES else sentence.words
        return Sentence(sentence.source, tuple(picks), words)

    opening = again(skeleton.opening)
    if rng.random() < rarely:
        opening = _worded(rng, _one(rng, source.openings))
    rules = [again(rule) for rule in skeleton.rules]
    for i in range(len(rules) - 1):
        if rng.random() < rarely:
            rules[i], rules[i + 1] = rules[i + 1], rules[i]
    if len(rules) > 2 and rng.random() < rarely:
        del rules[int(rng.integers(len(rules)))]
    known = {rule.source for rule in rules}
    unused = tuple(rule for rule in (*source.rules, *REMARKS) if rule not in known)
    if unused and rng.random() < rarely:
        rules.insert(int(rng.integers(len(rules) + 1)), _worded(rng, _one(rng, unused)))
    lead = again(skeleton.lead) if skeleton.lead else None
    if rng.random() < rarely:
        lead = _worded(rng, _one(rng, LEADS))
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


def whole_item(form: Form) -> Form:
    """A form of which nothing varies but the item: all its slots are the item's."""
    slots = tuple(Slot(slot.parts, item=True) for slot in form.slots)
    return Form(form.system, form.pieces, slots, form.answer)


def _slot(text: str) -> Slot:
    item = text.startswith("item:")
    pairs = (part.split(":") for part in text.removeprefix("item:").split("+"))
    return Slot(tuple((unit, int(count)) for unit, count in pairs), item)


def _worded(rng: np.random.Generator, source: str) -> Sentence:
    return Sentence(source, tuple(rng.random(_PICKS).tolist()), _seed(rng))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 62))


def _one(rng: np.random.Generator, among: tuple[str, ...]) -> str:
    return among[int(rng.integers(len(among)))]


def _settled(text: str, picks: tuple[float, ...]) -> str:
    """Settle every ``[a|b]``, innermost first, by the picks in turn."""
    turn = cycle(picks)

    def settle(match: re.Match[str]) -> str:
        among = match[1].split("|")
        return among[int(next(turn) * len(among))]

    while _CHOICE.search(text):
        text = _CHOICE.sub(settle, text)
    return text


def _varied(text: str, picks: tuple[float, ...]) -> str:
    """Put synonyms for most words that have any; picks say for which, and which."""
    turn = cycle(picks[::-1])

    def vary(match: re.Match[str]) -> str:
        word = match[0]
        if word not in SYNONYMS:
            return word
        pick = next(turn) * 1009 % 1
        others = SYNONYMS[word]
        return (
            others[int(pick / _VARIED * len(others))].replace("~", " ") if pick < _VARIED else word
        )

    varied = _WORD.sub(vary, text)
    # What follows an article may have changed.
    return _ARTICLE.sub(lambda m: f"{m[1]}{'n' if m[2] in 'aeiou' else ''} ", varied)
