"""Sentences as rows of pieces: whole batches are drawn with array arithmetic and joined once."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stillhunt_simulator.draws import Keys, mixed, uniform
from stillhunt_simulator.texts.vocabulary import LANGUAGES, PATTERNS
from stillhunt_simulator.texts.words import words_of

Ints = NDArray[np.int64]

_SLOT = re.compile(r"\$([A-Z#])( ?)")
# Words by rank r come with density r^(1/SKEW - 1): a few are common, most are rare.
_SKEW = 2.0
# Whoever has a topic takes half of its content words from a window of this many.
_TOPICAL = 0.5
_WINDOW = 90
_ABOUT = frozenset("NAVI")
# An item pool, or a person, keeps to this many of a unit's sentence patterns.
_HABITS = 4

SEPARATORS = ("", " ", "\n", "\n\n")
"""The first pieces of every lexicon."""


@dataclass(frozen=True, slots=True)
class _Class:
    """A word class in one dress (plain, spaced, capital): a range of pieces."""

    first: int
    size: int
    about: bool


class Lexicon:
    """The words and sentence patterns of one simulation, all invented or shuffled by its seed.

    A *piece* is a string that texts are joined from, a *pattern* a row of pieces and of word
    classes to draw from. Both are numbered.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._words = words_of(rng)
        self._pieces: list[str] = list(SEPARATORS)
        self._known: dict[str, int] = {piece: i for i, piece in enumerate(SEPARATORS)}
        self._classes: dict[tuple[str, str, bool, bool], int] = {}
        self._ranges: list[_Class] = []
        self._patterns: list[list[int]] = []
        self._units: dict[tuple[str, str], tuple[int, int]] = {}
        for (language, unit), lines in PATTERNS.items():
            rows = lines.strip("\n").split("\n")
            self._units[language, unit] = (len(self._patterns), len(rows))
            for row in rows:
                self._patterns.append(self._parsed(language, row))
        self._literal: dict[int, int] = {}
        self._frozen: _Tables | None = None

    @property
    def units(self) -> list[str]:
        """Names of units, in the order by which forms number them."""
        return sorted({unit for _, unit in self._units})

    def sized(self, language: int, unit: str) -> tuple[int, int]:
        """First pattern and number of patterns of a unit, in a language or in any."""
        key = (LANGUAGES[language], unit)
        return self._units[key] if key in self._units else self._units["any", unit]

    def literal(self, text: str) -> int:
        """The number of a pattern that says just this text."""
        piece = self._piece(text)
        if piece not in self._literal:
            self._literal[piece] = len(self._patterns)
            self._patterns.append([piece])
            self._frozen = None
        return self._literal[piece]

    def fill(self, rng: np.random.Generator, text: str) -> str:
        """Put English words into a text's ``$X`` places, once."""

        def word(match: re.Match[str]) -> str:
            words = self._words["en", match[1]]
            return words[int(len(words) * rng.random() ** _SKEW)] + match[2]

        return _SLOT.sub(word, text)

    def tables(self) -> _Tables:
        """Pieces and patterns as arrays, for drawing."""
        if self._frozen is None:
            self._frozen = _Tables(self._pieces, self._patterns, self._ranges)
        return self._frozen

    def _piece(self, text: str) -> int:
        if text not in self._known:
            self._known[text] = len(self._pieces)
            self._pieces.append(text)
        return self._known[text]

    def _parsed(self, language: str, line: str) -> list[int]:
        """Pieces as they are, classes as -1 - number."""
        parts = _SLOT.split(line)
        row = [self._piece(parts[0])] if parts[0] else []
        for key, space, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            capital = not row and language != "any"
            row.append(-1 - self._class(language, key, bool(space), capital))
            if after:
                row.append(self._piece(after))
        return row

    def _class(self, language: str, key: str, space: bool, capital: bool) -> int:
        dress = (language, key, space, capital)
        if dress not in self._classes:
            words = self._words[language, key]
            self._classes[dress] = len(self._ranges)
            self._ranges.append(_Class(len(self._pieces), len(words), key in _ABOUT))
            self._pieces += [
                (word[0].upper() + word[1:] if capital else word) + (" " if space else "")
                for word in words
            ]
        return self._classes[dress]


class _Tables:
    """A lexicon as arrays."""

    def __init__(self, pieces: list[str], patterns: list[list[int]], ranges: list[_Class]) -> None:
        self.pieces = pa.array(pieces, pa.string())
        # Roughly: 1.3 tokens a word, and what has no spaces by its bytes.
        bare = pc.utf8_trim_whitespace(self.pieces)
        words = pc.count_substring_regex(bare, r"\s+").to_numpy() + 1
        size = pc.binary_length(self.pieces).to_numpy()
        some = pc.binary_length(bare).to_numpy() > 0
        self.tokens = np.where(some, np.maximum(1.3 * words, size / 5.0), 0.0)
        self._rows = np.concatenate([np.array(row, dtype=np.int64) for row in patterns])
        self._lengths = np.array([len(row) for row in patterns])
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._first = np.array([c.first for c in ranges])
        self._size = np.array([c.size for c in ranges])
        self._about = np.array([c.about for c in ranges])

    def drawn(self, patterns: Ints, ends: Ints, keys: Keys, topics: Keys) -> tuple[Ints, Ints]:
        """Fill patterns with words.

        Args:
            patterns: n pattern numbers.
            ends: n pieces that follow each of them.
            keys: n keys; equal keys draw equal words.
            topics: n keys of topics; 0 for none.

        Returns:
            The pieces of all, in order, and n+1 offsets into them.
        """
        lengths = self._lengths[patterns] + 1
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        total = int(offsets[-1])
        owner = np.repeat(np.arange(len(patterns)), lengths)
        place = np.arange(total) - offsets[owner]
        pieces = np.empty(total, dtype=np.int64)
        last = np.zeros(total, dtype=bool)
        last[offsets[1:] - 1] = True
        pieces[last] = ends
        inner = ~last
        pieces[inner] = self._rows[self._starts[patterns[owner[inner]]] + place[inner]]
        at = np.flatnonzero(pieces < 0)
        pieces[at] = self._words(-1 - pieces[at], keys[owner[at]], place[at], topics[owner[at]])
        return pieces, offsets

    def _words(self, classes: Ints, keys: Keys, place: Ints, topics: Keys) -> Ints:
        drawn = mixed(keys + place.astype(np.uint64))
        first, size = self._first[classes], self._size[classes]
        u = uniform(drawn)
        word = (size * u**_SKEW).astype(np.int64)
        # Low bits of the draw had no part in its number.
        chosen = (drawn & np.uint64(0x3FF)).astype(np.int64) < int(_TOPICAL * 1024)
        on = np.flatnonzero((topics != 0) & self._about[classes] & chosen)
        if len(on):
            window = mixed(topics[on] + classes[on].astype(np.uint64))
            start = (size[on] * uniform(window)).astype(np.int64)
            word[on] = (start + (_WINDOW * u[on]).astype(np.int64)) % size[on]
        out: Ints = first + word
        return out


def habits(topics: Keys, units: Ints, draws: Ints, counts: Ints) -> Ints:
    """Which of a unit's patterns to use: any, or one of the few that a topic keeps to.

    Args:
        topics: n keys; 0 for none.
        units: n unit numbers.
        draws: n random whole numbers.
        counts: n numbers of patterns that there are.

    Returns:
        n indices below ``counts``.
    """
    slot = draws % _HABITS
    own = mixed(topics + (units * _HABITS + slot).astype(np.uint64))
    kept = (uniform(own) * counts).astype(np.int64)
    out: Ints = np.where(topics != 0, kept, draws % counts)
    return out
