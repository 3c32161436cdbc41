"""One stream of exchanges cut into windows, each compared with those before it.

Windows are of so many exchanges each, in time order. A window's *memory*, which says what is new,
and its *reference*, which says what share of exchanges was how, are the ``look_back`` windows before
it. So slow drift changes every comparison alike, past ones and new ones, and cannot be mistaken for
a change; and no window is compared with exchanges that came after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stillhunt.scoring.window.histogram import Bins
from stillhunt.scoring.window.mixture import Comparisons
from stillhunt.scoring.window.novelty import NOVELTIES, novelty
from stillhunt.scoring.window.rows import NUMBERS, Floats, Rows

Span = tuple[int, int]


@dataclass(frozen=True)
class Counted:
    """A window's counts: by bin, and by feature how many exchanges have it."""

    counts: Floats
    known: Floats


class Stream:
    """Past and recent windows of one stream.

    Args:
        rows: exchanges in time order, the past's first.
        past: how many of them are past.
        size: exchanges in a window; look_back: windows that one is compared with.
    """

    def __init__(self, rows: Rows, past: int, size: int, look_back: int) -> None:
        self._rows = rows
        self._look_back = look_back
        # Cut from the seam outwards: what is left over is the oldest, and the newest.
        first = past % size
        self.past_spans: list[Span] = [(a, a + size) for a in range(first, past, size)]
        whole = (len(rows) - past) // size
        self.recent_spans: list[Span] = [
            (past + i * size, past + (i + 1) * size) for i in range(whole)
        ]
        self._memory: list[Span] = list(self.past_spans)
        self._news = [
            self._new(span, self.past_spans[i - look_back : i])
            for i, span in enumerate(self.past_spans)
            if i >= look_back
        ]
        self._reference: list[Counted] = []

    @property
    def ready(self) -> bool:
        """Whether the past is long enough for recent windows to be compared with it."""
        return len(self._reference) >= self._look_back

    def past_values(self) -> dict[str, Floats]:
        """Past values of every number, for laying out bins; novelties where they are known."""
        if not self._news:
            return {}
        span = slice(self.past_spans[self._look_back][0], self.past_spans[-1][1])
        values = {name: self._rows.numbers[name][span] for name in NUMBERS}
        return values | {
            name: np.concatenate([new[name] for new in self._news]) for name in NOVELTIES
        }

    def past_comparisons(self, bins: Bins) -> list[Comparisons]:
        """Count the past's windows, and compare each that has a reference; oldest first."""
        spans = self.past_spans[self._look_back :]
        self._reference = [
            Counted(*bins.count(self._rows, span, new))
            for span, new in zip(spans, self._news, strict=True)
        ]
        return [
            self._compared(self._reference[i], self._reference[i - self._look_back : i])
            for i in range(self._look_back, len(self._reference))
        ]

    def recent(self, bins: Bins, span: Span) -> tuple[Comparisons, Counted]:
        """Compare a recent window with the latest windows that were accepted."""
        new = self._new(span, self._memory[-self._look_back :])
        counted = Counted(*bins.count(self._rows, span, new))
        return self._compared(counted, self._reference[-self._look_back :]), counted

    def accept(self, span: Span, counted: Counted) -> None:
        """Take a recent window for ordinary: later ones are compared with it too."""
        self._memory.append(span)
        self._reference.append(counted)

    def _new(self, span: Span, memory: Sequence[Span]) -> dict[str, Floats]:
        index = np.concatenate([np.arange(*part) for part in (*memory, span)])
        known = sum(b - a for a, b in memory)
        return novelty(self._rows.take(index), (0, known), (known, len(index)))

    def _compared(self, window: Counted, reference: Sequence[Counted]) -> Comparisons:
        return Comparisons(
            window.counts[None, :],
            np.sum([r.counts for r in reference], axis=0)[None, :],
            window.known[None, :],
            np.sum([r.known for r in reference], axis=0)[None, :],
        )
