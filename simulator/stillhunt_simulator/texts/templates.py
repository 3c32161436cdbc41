"""Templates: phrased once from a kind, then filled for each exchange."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from stillhunt_simulator.texts.grammar import Lexicon
from stillhunt_simulator.texts.kinds import COMMON_SYSTEM, COURSEWORK, FREE_FORMS, KINDS

_CHOICE = re.compile(r"\[([^\[\]|]*(?:\|[^\[\]|]*)+)\]")
_SLOT = re.compile(r"<<([a-z0-9:+]+)>>")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a form.

    Attributes:
        parts: unit of text and median number of its sentences, one after the other.
        item: filled from the group's pool where it has one.
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
        answer: median and sigma of the answer's log-normal length, in tokens.
    """

    system: str | None
    pieces: tuple[str, ...]
    slots: tuple[Slot, ...]
    answer: tuple[float, float]


WHOLE = Slot((), item=True)
"""The slot of a form whose complete prompt comes from a pool."""


def phrase(rng: np.random.Generator, lexicon: Lexicon, kind: str, systems: float) -> Form:
    """Phrase a template of a kind: no two calls word it alike.

    Args:
        rng: source of chance.
        lexicon: words for the template's own names.
        kind: a key of ``KINDS``.
        systems: probability of a system prompt.

    Raises:
        KeyError: no such kind.
    """
    source = KINDS[kind]
    rules = rng.permutation(len(source.rules))[: int(rng.integers(3, len(source.rules) + 1))]
    lines = [source.opening, *(source.rules[i] for i in rules)]
    separator = str(rng.choice((" ", "\n", "\n- ")))
    layout = source.layouts[int(rng.integers(len(source.layouts)))]
    system = source.systems[int(rng.integers(len(source.systems)))]
    text = lexicon.fill(rng, _choose(rng, separator.join(lines) + layout))
    return parse(
        text,
        source.answer,
        lexicon.fill(rng, _choose(rng, system)) if rng.random() < systems else None,
    )


def parse(text: str, answer: tuple[float, float], system: str | None = None) -> Form:
    """Cut a text at its ``<<…>>`` slots."""
    parts = _SLOT.split(text)
    return Form(system, tuple(parts[0::2]), tuple(_slot(p) for p in parts[1::2]), answer)


def free_forms() -> list[tuple[float, Form]]:
    """The forms of hand-written prompts, with their weights."""
    system, share = COMMON_SYSTEM
    plain = [(w * (1.0 - share), parse(text, answer)) for w, text, answer in FREE_FORMS]
    return plain + [(w * share, parse(text, answer, system)) for w, text, answer in FREE_FORMS]


def coursework_forms() -> list[tuple[float, Form]]:
    """The forms in which students put a set exercise, with their weights."""
    return [(weight, parse(text, answer)) for weight, text, answer in COURSEWORK]


def _slot(text: str) -> Slot:
    item = text.startswith("item:")
    pairs = (part.split(":") for part in text.removeprefix("item:").split("+"))
    return Slot(tuple((unit, int(count)) for unit, count in pairs), item)


def _choose(rng: np.random.Generator, text: str) -> str:
    """Settle every ``[a|b]``, innermost first."""
    while _CHOICE.search(text):
        text = _CHOICE.sub(lambda match: str(rng.choice(match[1].split("|"))), text)
    return text
