"""What the alarm looks at: plain arrays of one stream of exchanges, in time order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillhunt.fingerprints.cues import CUE_GROUPS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NUMBERS: tuple[str, ...] = (
    "words",
    "guarantee",
    "input_tokens",
    "output_tokens",
    "response_bytes",
    "max_tokens",
    "temperature",
)
"""Observation columns that are compared by size."""

NAMES: tuple[str, ...] = ("model", "system", "finish", "status", "stream")
"""Observation columns that are compared by equality."""

BUCKETS = 32
"""Values of a column compared by equality are put into so many buckets by their hash."""


@dataclass(frozen=True)
class Lists:
    """Lists of hashes, one a row: ``values[offsets[i]:offsets[i + 1]]`` are row i's.

    Attributes:
        offsets: int64 (n + 1,); values: int64 (total,), distinct within a row.
    """

    offsets: Ints
    values: Ints

    def rows(self, first: int, last: int) -> tuple[Ints, Ints]:
        """(row number from 0, value) of every entry of rows first..last-1."""
        cut = self.offsets[first : last + 1]
        owner = np.repeat(np.arange(last - first), np.diff(cut))
        return owner, self.values[cut[0] : cut[-1]]

    def take(self, index: Ints) -> Lists:
        """The rows of an index, in its order."""
        sizes = np.diff(self.offsets)[index]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        at = np.repeat(self.offsets[index] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return Lists(offsets, self.values[at])

    @classmethod
    def of(cls, lists: list[list[int]]) -> Lists:
        """From Python lists."""
        sizes = np.array([len(one) for one in lists], dtype=np.int64)
        flat = np.array([v for one in lists for v in one], dtype=np.int64)
        return cls(np.concatenate([[0], np.cumsum(sizes)]), flat)


@dataclass(frozen=True)
class Rows:
    """n exchanges of one stream (the whole provider, or one entity), in time order.

    Attributes:
        numbers: float64 (n,) by name of NUMBERS; NaN where the log does not say.
        names: int64 (n,) by name of NAMES, bucket 0..BUCKETS-1; -1 where the log does not say.
        cues: int64 (n,) cue masks; -1 where there is no text.
        item: int64 (n,), hash of the exact text; 0 where there is none.
        grams, pairs: hashed runs of six words, hashed pairs of words; no entries without text.
    """

    numbers: dict[str, Floats]
    names: dict[str, Ints]
    cues: Ints
    item: Ints
    grams: Lists
    pairs: Lists

    def __len__(self) -> int:
        return len(self.cues)

    def take(self, index: Ints) -> Rows:
        """The rows of an index, in its order."""
        return Rows(
            {name: column[index] for name, column in self.numbers.items()},
            {name: column[index] for name, column in self.names.items()},
            self.cues[index],
            self.item[index],
            self.grams.take(index),
            self.pairs.take(index),
        )


def cue_names() -> tuple[str, ...]:
    """What each bit of a cue mask says about a prompt."""
    return tuple(group.meaning for group in CUE_GROUPS)
