"""Sentences from patterns and words, many at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stillhunt_simulator.texts.vocabulary import LANGUAGES, PATTERNS, SYLLABLES, WORDS

_SLOT = re.compile(r"\$([A-Z#])")
_NAMES = 6_000
_NUMBERS = 4_000
# Words are drawn with a mild preference for some, as in any text.
_SKEW = 1.2


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A sentence with places for words: a ``%`` format and the class of each place."""

    form: str
    classes: tuple[str, ...]

    @property
    def capital(self) -> bool:
        """Whether it begins with a word that is drawn, and so still needs its capital."""
        return self.form.startswith("%s")


class Lexicon:
    """The words and patterns of one simulation.

    The seed invents the proper names, and decides which words are the frequent ones.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        names = _invent(rng, _NAMES)
        numbers = _numbers(rng, _NUMBERS)
        self._words: dict[str, dict[str, NDArray[np.object_]]] = {}
        for language, classes in WORDS.items():
            table = {key: _shuffled(rng, words.split()) for key, words in classes.items()}
            self._words[language] = {**table, "E": names, "#": numbers}
        self._patterns: dict[tuple[str, str], tuple[_Pattern, ...]] = {
            key: tuple(_parse(line) for line in lines.strip("\n").split("\n"))
            for key, lines in PATTERNS.items()
        }

    def language_of(self, unit: str, language: int) -> str:
        """The key under which a unit's patterns stand: the language, or ``any`` for code."""
        name = LANGUAGES[language]
        return name if (name, unit) in self._patterns else "any"

    def sentences(self, rng: np.random.Generator, language: str, unit: str, n: int) -> list[str]:
        """Draw n sentences of one unit (prose, question, task, problem, code, record).

        Raises:
            KeyError: the language has no such unit.
        """
        patterns = self._patterns[language, unit]
        words = self._words[language]
        order = rng.permutation(n)
        out = np.empty(n, dtype=object)
        cuts = np.linspace(0, n, len(patterns) + 1).astype(np.int64)
        for pattern, low, high in zip(patterns, cuts[:-1], cuts[1:], strict=True):
            m = int(high - low)
            if m:
                columns = [_draw(rng, words[key], m) for key in pattern.classes]
                drawn = [pattern.form % row for row in zip(*columns, strict=True)]
                if pattern.capital and language != "any":
                    drawn = [text[0].upper() + text[1:] for text in drawn]
                out[order[low:high]] = drawn
        mixed: list[str] = out.tolist()
        return mixed

    def fill(self, rng: np.random.Generator, text: str) -> str:
        """Put English words into a text's ``$X`` places, once."""
        words = self._words["en"]
        return _SLOT.sub(lambda match: str(_draw(rng, words[match[1]], 1)[0]), text)


def _draw(rng: np.random.Generator, words: NDArray[np.object_], n: int) -> list[str]:
    picked: list[str] = words[(len(words) * rng.random(n) ** _SKEW).astype(np.int64)].tolist()
    return picked


def _parse(line: str) -> _Pattern:
    classes = tuple(_SLOT.findall(line))
    return _Pattern(_SLOT.sub("%s", line.replace("%", "%%")), classes)


def _shuffled(rng: np.random.Generator, words: list[str]) -> NDArray[np.object_]:
    out = np.array(words, dtype=object)
    rng.shuffle(out)
    return out


def _invent(rng: np.random.Generator, n: int) -> NDArray[np.object_]:
    """Proper names that belong to no one: two to four syllables."""
    syllables = SYLLABLES.split()
    picks = rng.integers(len(syllables), size=(n, 4))
    lengths = rng.choice((2, 3, 4), size=n, p=(0.3, 0.55, 0.15))
    names = [
        "".join(syllables[i] for i in row[:length]).capitalize()
        for row, length in zip(picks, lengths, strict=True)
    ]
    return np.array(names, dtype=object)


def _numbers(rng: np.random.Generator, n: int) -> NDArray[np.object_]:
    whole = np.maximum(2, np.exp(rng.normal(4.2, 1.8, n))).astype(np.int64)
    tenths = rng.random(n) < 0.2
    return np.array(
        [f"{w}.{w % 9 + 1}" if t else str(w) for w, t in zip(whole, tenths, strict=True)],
        dtype=object,
    )
