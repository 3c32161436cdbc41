"""Winnowing: a sample of a text's gram hashes that does not depend on where in the text they are.

Schleimer, Wilkerson and Aiken 2003, "Winnowing: local algorithms for document fingerprinting", with
the smallest window that the budget allows. The sample for windows of w consecutive hashes is the set
of their minima. Samples taken with different windows agree: the minimum of a wider window is also
that of each narrower one around it. What is counted against the budget is how often the minimum
changes from one window to the next, so that a phrase said over and over takes one place and not
all of them.
"""

# mypy: allow-untyped-defs, no-check-untyped-defs, allow-untyped-calls
# Compiled functions get their types from numba.

from __future__ import annotations

import numpy as np

from stillhunt.fingerprints.boundaries import compiled
from stillhunt.fingerprints.machine import (
    bit_length,
    changes,
    count_ones,
    first_one,
    places_below,
    places_of,
    store_least,
)

MARGIN = 128
"""Memory behind a text's hashes, and behind their minima, that is read or overwritten."""

MOST_RUNS = 32
"""As many runs of equal minima are looked at at once; more than GRAMS."""

# Where what begins: in ``runs`` the starts, behind the minima; in ``halves`` the rest.
_STARTS = MOST_RUNS
_HIGHS, _STRETCHES, _CHOICE = 0, MOST_RUNS, 2 * MOST_RUNS
RUNS_MEMORY = 2 * MOST_RUNS + 2
"""Places of the arrays ``runs`` and ``halves``."""

_U = np.uint64
_ONE = _U(1)
_LOW32 = _U(0xFFFFFFFF)


@compiled
def _widen(minima, one, two, number, base, wider):
    """Minima of windows of ``wider`` hashes, at most 4 ``base``, from those of ``base``.

    Those are from place ``one`` on; the new ones, ``number`` of them, will be from ``two`` on.
    """
    shift = wider - base
    for i in range(0, number, 16):
        store_least(minima, one + i, min(base, shift), min(2 * base, shift), shift, two + i)


@compiled
def _list_runs(minima, grams, window, runs, halves):
    """List the runs of equal minima of a window, if they are at most MOST_RUNS.

    ``minima`` holds the hashes; its other two thirds are overwritten. In ``runs`` the runs' minima
    will be first, and from _STARTS on where they start, and where the last one ends; in ``halves``
    from _HIGHS on the upper halves of the minima.

    Returns how many there are, 0 for too many.
    """
    room = len(minima) // 3
    here = 0
    base = 1
    while base < window:
        wider = min(4 * base, window)
        there = 2 * room if here == room else room
        _widen(minima, here, there, grams - wider + 1, base, wider)
        here = there
        base = wider
    runs[_STARTS] = 0
    runs[0] = minima[here]
    halves[_HIGHS] = np.uint32(runs[0] >> _U(32))
    found = 1
    for i in range(0, grams - window, 64):
        bits = changes(minima, here + i)
        left = grams - window - i
        if left < 64:
            bits &= (_ONE << _U(left)) - _ONE
        if found + count_ones(bits) > MOST_RUNS:
            return 0
        while bits:
            start = i + first_one(bits) + 1
            runs[_U(_STARTS + found)] = start
            least = minima[_U(here + start)]
            runs[_U(found)] = least
            halves[_U(_HIGHS + found)] = np.uint32(least >> _U(32))
            bits &= bits - _ONE
            found += 1
    runs[_U(_STARTS + found)] = grams - window + 1
    return found


@compiled
def _widest_runs(runs, number, window, budget, halves, chosen):
    """Choose the minima of the smallest window that fits, from the runs of a smaller one.

    ``runs`` are the ``number`` ones of ``window``, more than the budget. As windows widen, a run
    goes when the stretch on which its minimum is the least becomes too short for them. Of two runs
    with one minimum and greater ones between them, the second goes when those have gone: then they
    are one run.

    Returns (number chosen, window); 0 are chosen in the rare case that is for others to solve:
    minima that differ in their lower halves only.
    """
    all_runs = (_ONE << _U(number)) - _ONE
    alike = True
    for j in range(_U(number)):
        earlier = (_ONE << j) - _ONE
        high = halves[j + _U(_HIGHS)]
        below = places_below(halves, _HIGHS, high) & all_runs
        before = bit_length(below & earlier)
        after = np.uint64(first_one((below | (_ONE << _U(number))) >> j)) + j
        twin = bit_length(places_of(halves, _HIGHS, high) & earlier)
        if twin > before:
            alike &= runs[_U(twin - 1)] == runs[j]
            before = twin
            after = j
        stretch = runs[_U(_STARTS) + after] - runs[_U(_STARTS + before)] + _U(window - 1)
        halves[j + _U(_STRETCHES)] = np.uint32(stretch)
    if not alike:
        return 0, window
    # Which runs go cannot be predicted, so nothing branches on it: 0 or the stretch is looked up.
    found = 0
    gone = 0
    halves[_CHOICE] = 0
    for j in range(_U(number)):
        stretch = halves[j + _U(_STRETCHES)]
        shorter = places_below(halves, _STRETCHES, stretch) & all_runs
        stays = np.int64(number - count_ones(shorter) <= budget)
        chosen[_U(found)] = np.int32(runs[j] & _LOW32)
        found += stays
        halves[_CHOICE + 1] = stretch
        longer = np.int64(halves[_U(_CHOICE + 1 - stays)]) - gone
        gone += longer & ~(longer >> 63)  # the greater of the two
    return found, gone + 1


@compiled
def sample(minima, grams, budget, runs, halves, chosen):
    """Winnow: the minima of the smallest window that fits, each as often as it comes anew.

    Args:
        minima: uint64 (3 (texts' most grams + MARGIN),), the text's ``grams`` hashes first; the
            rest is overwritten.
        budget: at most so many, up to GRAMS.
        runs: uint64 (RUNS_MEMORY,); halves: uint32 (RUNS_MEMORY,), both overwritten.
        chosen: int32 (MOST_RUNS,), overwritten: the low halves of the minima.

    Returns:
        (number chosen, window).
    """
    too_small = 0
    fits = grams
    # The minima of hashes that are all different change about 2 grams / (window + 1) times: a few
    # times too often, so that there are hardly ever too few of them or too many.
    window = max(1, (2 * grams - budget - 5) // (budget + 7)) if grams > budget else 1
    while True:
        number = _list_runs(minima, grams, window, runs, halves)
        if number > budget:
            found, widest = _widest_runs(runs, number, window, budget, halves, chosen)
            if found > 0:
                return found, widest
        if 0 < number <= budget:
            fits = window
            if fits - too_small <= 1:
                break
        else:
            too_small = window
        window = fits if fits - too_small <= 1 else (too_small + fits) >> 1
    for j in range(_U(number)):
        chosen[j] = np.int32(runs[j] & _LOW32)
    return number, window
