"""From forms to prompts, a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stillhunt_simulator.draws import Floats, Keys, mixed, uniform
from stillhunt_simulator.texts.grammar import SEPARATORS, Ints, Lexicon, habits
from stillhunt_simulator.texts.templates import Form
from stillhunt_simulator.texts.vocabulary import LANGUAGES
from stillhunt_simulator.traces import PROMPT_BETWEEN, PROMPT_WITHIN

_MAX_SENTENCES = 120
_PARAGRAPH = 6
_LINES = frozenset({"code", "record"})
_ITEM = np.uint64(0x17E3)
_HABIT = np.uint64(0x4AB17)


@dataclass(frozen=True, slots=True)
class Order:
    """What n prompts are to be; arrays of shape (n,).

    Attributes:
        forms: numbers of forms.
        languages: indices into ``LANGUAGES``.
        keys: one key per prompt, all different: what fills its slots.
        items: keys of items; equal keys are equal items. 0: the item is the prompt's own.
        topics: keys of what the items, or the prompts, are about; 0: anything.
        writers: keys of whose texts they are: one writer's are alike in length; 0: nobody's.
    """

    forms: Ints
    languages: Ints
    keys: Keys
    items: Keys
    topics: Keys
    writers: Keys


class Press:
    """Forms, made ready to be filled many at a time."""

    def __init__(self, lexicon: Lexicon, forms: list[Form]) -> None:
        self._lexicon = lexicon
        units = lexicon.units
        number = {unit: i for i, unit in enumerate(units)}
        literal: list[int] = []
        unit_of: list[int] = []
        median: list[float] = []
        item: list[bool] = []
        counts: list[int] = []
        for form in forms:
            before = len(literal)
            for i, piece in enumerate(form.pieces):
                if piece:
                    literal.append(lexicon.literal(piece))
                    unit_of.append(-1)
                    median.append(1.0)
                    item.append(False)
                if i < len(form.slots):
                    slot = form.slots[i]
                    for unit, sentences in slot.parts:
                        literal.append(-1)
                        unit_of.append(number[unit])
                        median.append(float(sentences))
                        item.append(slot.item)
            counts.append(len(literal) - before)
        self._literal, self._unit = np.array(literal), np.array(unit_of)
        self._median, self._item = np.array(median), np.array(item)
        self._counts = np.array(counts)
        self._starts = np.cumsum(self._counts) - self._counts
        self._lines = np.array([unit in _LINES for unit in units])
        sized = [[lexicon.sized(i, unit) for unit in units] for i in range(len(LANGUAGES))]
        self._first = np.array([[first for first, _ in row] for row in sized])
        self._patterns = np.array([[count for _, count in row] for row in sized])
        self._systems = pa.array([form.system for form in forms], pa.large_string())
        self._system_tokens = np.array(
            [1.35 * len(form.system.split()) if form.system else 0.0 for form in forms]
        )

    def prompts(self, order: Order) -> tuple[pa.Array, pa.Array, Floats]:
        """Write prompts.

        Returns:
            n system texts (null where there is none), n prompts, and roughly how many tokens
            each request has.
        """
        parts = self._counts[order.forms]
        row = np.repeat(np.arange(len(parts)), parts)
        within = np.arange(len(row)) - np.repeat(np.cumsum(parts) - parts, parts)
        part = self._starts[order.forms][row] + within
        pooled = self._item[part] & (order.items[row] != 0)
        keys = mixed(
            np.where(pooled, order.items[row] ^ _ITEM, order.keys[row])
            + within.astype(np.uint64) * ~pooled
            + self._unit[part].astype(np.uint64)
        )
        # Items that come whole have slots of several parts; each needs a key of its own.
        topics = np.where(self._item[part] | (order.items[row] == 0), order.topics[row], 0)
        counts = self._sentences(part, keys, order.writers[row])
        sentence = np.repeat(np.arange(len(part)), counts)
        index = np.arange(len(sentence)) - np.repeat(np.cumsum(counts) - counts, counts)
        patterns, own = self._chosen(
            part[sentence],
            order.languages[row[sentence]],
            mixed(keys[sentence] + index.astype(np.uint64)),
            topics[sentence].astype(np.uint64),
        )
        ends = self._separators(part, sentence, index, counts, row)
        tables = self._lexicon.tables()
        pieces, offsets = tables.drawn(patterns, ends, own, topics[sentence].astype(np.uint64))
        per_row = np.bincount(row[sentence], np.diff(offsets), minlength=len(parts))
        cuts = np.concatenate(([0], np.cumsum(per_row))).astype(np.int64)
        words = tables.pieces.take(pa.array(pieces.astype(np.int32)))
        listed = pa.ListArray.from_arrays(pa.array(cuts.astype(np.int32)), words)
        prompts = pc.binary_join(listed, "").cast(pa.large_string())
        sums = np.concatenate(([0.0], np.cumsum(tables.tokens[pieces])))
        tokens = sums[cuts[1:]] - sums[cuts[:-1]] + self._system_tokens[order.forms]
        return self._systems.take(pa.array(order.forms)), prompts, tokens

    def _sentences(self, part: Ints, keys: Keys, writers: Keys) -> Ints:
        """How many sentences each part has: a heavy tail, as people paste what they have."""
        habit = _normal(np.where(writers == 0, keys, writers) ^ _HABIT)
        stretch = PROMPT_WITHIN * _normal(keys) + PROMPT_BETWEEN * habit
        wanted = np.rint(self._median[part] * np.exp(stretch))
        wanted = np.clip(wanted, 1, _MAX_SENTENCES)
        out: Ints = np.where(self._unit[part] < 0, 1, wanted).astype(np.int64)
        return out

    def _chosen(self, part: Ints, languages: Ints, keys: Keys, topics: Keys) -> tuple[Ints, Keys]:
        """The pattern of each sentence, and the keys of its words."""
        unit = self._unit[part]
        draws = (uniform(keys) * 2**30).astype(np.int64)
        among = habits(topics, unit, draws, self._patterns[languages, unit])
        patterns = np.where(unit < 0, self._literal[part], self._first[languages, unit] + among)
        return patterns, keys * np.uint64(64)

    def _separators(self, part: Ints, sentence: Ints, index: Ints, counts: Ints, row: Ints) -> Ints:
        """The piece after each sentence."""
        nothing, space, line, paragraph = (SEPARATORS.index(s) for s in ("", " ", "\n", "\n\n"))
        unit = self._unit[part][sentence]
        ends = np.where(self._lines[unit], line, space)
        broken = (index % _PARAGRAPH == _PARAGRAPH - 1) & (counts[sentence] > _PARAGRAPH)
        ends = np.where(broken & ~self._lines[unit], paragraph, ends)
        # Between two parts of one slot there is a line's end; around literals nothing.
        follows = np.zeros(len(part), dtype=bool)
        follows[:-1] = (self._unit[part][1:] >= 0) & (row[1:] == row[:-1])
        final = index == counts[sentence] - 1
        ends = np.where(final, np.where(follows[sentence], line, nothing), ends)
        out: Ints = np.where(unit < 0, nothing, ends)
        return out


def plain(order_keys: NDArray[np.uint64]) -> Keys:
    """No items, no topics: zeros in the shape of the keys."""
    return np.zeros(len(order_keys), dtype=np.uint64)


def _normal(keys: Keys) -> Floats:
    """Near enough to a standard normal: the sum of four uniforms."""
    shifts = (mixed(keys + np.uint64(i + 1)) for i in range(4))
    out: Floats = (sum(uniform(shift) for shift in shifts) - 2.0) * np.sqrt(3.0)
    return out
