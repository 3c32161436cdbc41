"""From forms to prompts, a batch at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from stillhunt_simulator.texts.grammar import Lexicon
from stillhunt_simulator.texts.templates import Form, Slot

# Spread of the number of sentences in a slot: a heavy tail, as people paste what they have.
_SPREAD = 0.85
_MAX_SENTENCES = 160
_PARAGRAPH = 6
_LINES = frozenset({"code", "record"})

_Key = tuple[str, str]


def render(
    rng: np.random.Generator,
    lexicon: Lexicon,
    forms: Sequence[Form],
    languages: Sequence[int],
    items: Sequence[str | None],
) -> list[str]:
    """Write one prompt per form given.

    Args:
        rng: source of chance.
        lexicon: words and patterns.
        forms: n forms, one per prompt.
        languages: n indices into ``LANGUAGES``, for what fills the slots.
        items: n texts for the item slot; None writes a new one.

    Returns:
        n prompts.
    """
    widest = max((sum(len(s.parts) for s in form.slots) for form in forms), default=0)
    stretch = np.exp(rng.normal(0.0, _SPREAD, (len(forms), max(widest, 1)))).tolist()
    orders: list[list[list[tuple[_Key, int]] | None]] = []
    wanted: Counter[_Key] = Counter()
    for form, language, item, factors in zip(forms, languages, items, stretch, strict=True):
        factor = iter(factors)
        order: list[list[tuple[_Key, int]] | None] = []
        for slot in form.slots:
            if slot.item and item is not None:
                order.append(None)
                continue
            parts = _order(lexicon, slot, language, factor)
            for key, count in parts:
                wanted[key] += count
            order.append(parts)
        orders.append(order)

    # All sentences of one sort are drawn at once, then dealt out.
    stock: dict[_Key, Iterator[str]] = {
        key: iter(lexicon.sentences(rng, *key, count)) for key, count in sorted(wanted.items())
    }
    prompts: list[str] = []
    for form, order, item in zip(forms, orders, items, strict=True):
        pieces = [form.pieces[0]]
        for literal, parts_wanted in zip(form.pieces[1:], order, strict=True):
            pieces.append((item or "") if parts_wanted is None else _take(stock, parts_wanted))
            pieces.append(literal)
        prompts.append("".join(pieces))
    return prompts


def _order(
    lexicon: Lexicon, slot: Slot, language: int, factor: Iterator[float]
) -> list[tuple[_Key, int]]:
    return [
        (
            (lexicon.language_of(unit, language), unit),
            min(_MAX_SENTENCES, max(1, round(median * next(factor)))),
        )
        for unit, median in slot.parts
    ]


def _take(stock: dict[_Key, Iterator[str]], parts: list[tuple[_Key, int]]) -> str:
    out: list[str] = []
    for key, count in parts:
        sentences = list(islice(stock[key], count))
        if key[1] in _LINES:
            out.append("\n".join(sentences))
        elif count <= _PARAGRAPH:
            out.append(" ".join(sentences))
        else:
            out.append(
                "\n\n".join(
                    " ".join(sentences[i : i + _PARAGRAPH]) for i in range(0, count, _PARAGRAPH)
                )
            )
    return "\n".join(out)


def token_counts(prompts: Sequence[str], systems: Sequence[str | None]) -> list[float]:
    """Roughly how many tokens each request has: 1.35 a word; by bytes where nothing is spaced."""
    by_system = {system: len(system.split()) if system else 0 for system in set(systems)}
    return [
        max(1.35 * (len(p.split()) + by_system[s]), len(p.encode()) / 7.0)
        for p, s in zip(prompts, systems, strict=True)
    ]
