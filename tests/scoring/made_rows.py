"""Exchanges made of numbers, for the window alarm: customers of a few kinds, no text."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from stillhunt.scoring.window.rows import NAMES, NUMBERS, Lists, Rows

KINDS = 4
"""Kinds of customers: each has its own lengths, cues, words and templates."""


def made_rows(
    n: int,
    rng: np.random.Generator,
    *,
    window: int = 40,
    bursts: float = 0.0,
    weekly: float = 0.0,
    drift: float = 0.0,
    drift_from: int = 0,
) -> Rows:
    """Simulate n exchanges in time order.

    Args:
        n: how many; rng: what draws.
        window: exchanges in which what customers do stays the same.
        bursts: how strongly the share of each kind wanders from window to window (standard
            deviation of its logarithm; the walk forgets a fifth a window).
        weekly: how strongly it swings with a period of 21 windows.
        drift: by how many standard deviations lengths grow, and by how much more common the first
            cue gets, from row ``drift_from`` to the end.
    """
    windows = -(-n // window)
    wander = np.zeros((windows, KINDS))
    for i in range(1, windows):
        wander[i] = 0.8 * wander[i - 1] + rng.normal(0, bursts, KINDS)
    swing = weekly * np.sin(2 * np.pi * np.arange(windows)[:, None] / 21 + np.arange(KINDS))
    weights = np.exp(wander + swing)
    weights /= weights.sum(axis=1, keepdims=True)
    reached = np.cumsum(weights, axis=1)[np.arange(n) // window, :-1]
    kind = (rng.random(n)[:, None] > reached).sum(axis=1)
    moved = drift * np.clip((np.arange(n) - drift_from) / max(n - drift_from, 1), 0, 1)
    words = np.round(rng.lognormal(3 + 0.6 * kind + 0.5 * moved, 0.5) + 1)
    cues = np.zeros(n, dtype=np.int64)
    for bit in range(6):
        chance = np.where(kind == bit % KINDS, 0.3, 0.04) + (0.1 * moved if bit == 0 else 0)
        cues |= (rng.random(n) < np.clip(chance, 0, 1)).astype(np.int64) << bit
    numbers = {name: np.full(n, np.nan) for name in NUMBERS}
    numbers["words"] = words
    numbers["output_tokens"] = np.round(rng.lognormal(5 + 0.3 * kind, 0.8))
    names = {name: np.full(n, -1, dtype=np.int64) for name in NAMES}
    names["model"] = np.where(rng.random(n) < 0.8, kind, rng.integers(0, 6, n))
    return Rows(
        numbers,
        names,
        cues,
        rng.integers(1, 1 << 60, n),
        _lists(rng, kind, 6, 5000, 1.3),
        _lists(rng, kind, 15, 2000, 1.25),
    )


def _lists(
    rng: np.random.Generator, kind: np.ndarray, most: int, vocabulary: int, slope: float
) -> Lists:
    drawn = rng.zipf(slope, (len(kind), most)) % vocabulary + (kind * 500)[:, None]
    return Lists.of([sorted(set(row)) for row in drawn.tolist()])


def planted(rows: Rows, at: np.ndarray, rng: np.random.Generator) -> Rows:
    """The rows, of which those at an index are an attack's: of one length, one cue, new words."""
    numbers = {name: column.copy() for name, column in rows.numbers.items()}
    numbers["words"][at] = rng.integers(300, 340, len(at))
    cues = rows.cues.copy()
    cues[at] = 1 << 9
    lists = []
    for which, base in ((rows.grams, 1 << 20), (rows.pairs, 1 << 21)):
        split = [which.values[a:b].tolist() for a, b in pairwise(which.offsets.tolist())]
        for row in at.tolist():
            split[row] = sorted({base, *(rng.integers(0, 10**6, 10) + base + 1).tolist()})
        lists.append(Lists.of(split))
    return Rows(numbers, rows.names, cues, rows.item, lists[0], lists[1])
