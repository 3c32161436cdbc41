"""How new a window's exchanges are to what came before: numbers that need a memory."""

from __future__ import annotations

import numpy as np

from stillhunt.scoring.window.rows import Floats, Ints, Lists, Rows

NOVELTIES: tuple[str, ...] = ("known_pairs", "known_grams", "burst", "repeat")
"""What ``novelty`` yields, by name."""


def novelty(rows: Rows, memory: tuple[int, int], window: tuple[int, int]) -> dict[str, Floats]:
    """Compare the exchanges of a window with those of a memory that it has no part in.

    Args:
        rows: a stream.
        memory, window: (first, past the last) rows of each; they must not overlap.

    Returns:
        float64 (rows in the window,) by name; NaN where there is nothing to look at:

        - ``known_pairs``: mean over the row's word pairs of ln(1 + 2 c), c remembered exchanges
          that hold the pair. High for ordinary text, low for nonsense or another subject.
        - ``known_grams``: the same for runs of six words. High where a known template is used.
        - ``burst``: log2 of how many distinct texts of the window hold the row's most common gram,
          over how many would if the window were like the memory, one added to each. High where a
          template appears that was not there before.
        - ``repeat``: 1 where the very same text is remembered, else 0.
    """
    return {
        "known_pairs": _known(rows.pairs, memory, window),
        "known_grams": _known(rows.grams, memory, window),
        "burst": _burst(rows, memory, window),
        "repeat": _repeat(rows.item, memory, window),
    }


def _counts(values: Ints, wanted: Ints) -> Ints:
    """How often each wanted value occurs among values."""
    distinct, counts = np.unique(values, return_counts=True)
    if not len(distinct):
        return np.zeros(len(wanted), dtype=np.int64)
    at = np.minimum(np.searchsorted(distinct, wanted), len(distinct) - 1)
    return np.where(distinct[at] == wanted, counts[at], 0)


def _mean_by_row(owner: Ints, values: Floats, rows: int) -> Floats:
    many = np.bincount(owner, minlength=rows)
    total = np.bincount(owner, weights=values, minlength=rows)
    return np.where(many > 0, total / np.maximum(many, 1), np.nan)


def _known(lists: Lists, memory: tuple[int, int], window: tuple[int, int]) -> Floats:
    _, seen = lists.rows(*memory)
    owner, values = lists.rows(*window)
    return _mean_by_row(owner, np.log1p(2 * _counts(seen, values)), window[1] - window[0])


def _grams_of_texts(rows: Rows, span: tuple[int, int]) -> Ints:
    """Grams of a span, once for each distinct text that holds them.

    A text that is sent again is one text, or a harness that repeats itself would be a burst.
    """
    first, last = span
    _, at = np.unique(rows.item[first:last], return_index=True)
    unique = np.zeros(last - first, dtype=bool)
    unique[at] = True
    owner, values = rows.grams.rows(first, last)
    kept: Ints = values[unique[owner]]
    return kept


def _burst(rows: Rows, memory: tuple[int, int], window: tuple[int, int]) -> Floats:
    size = window[1] - window[0]
    owner, values = rows.grams.rows(*window)
    now = _counts(_grams_of_texts(rows, window), values)
    expected = _counts(_grams_of_texts(rows, memory), values) * size / (memory[1] - memory[0])
    most = np.full(size, -np.inf)
    np.maximum.at(most, owner, np.log2((now + 1) / (expected + 1)))
    return np.where(np.isfinite(most), most, np.nan)


def _repeat(item: Ints, memory: tuple[int, int], window: tuple[int, int]) -> Floats:
    now = item[window[0] : window[1]]
    again = np.isin(now, item[memory[0] : memory[1]]).astype(np.float64)
    return np.where(now == 0, np.nan, again)
