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

from stillhunt.fingerprints.boundaries import compiled, inlined
from stillhunt.fingerprints.machine import count_ones, first_one, least_changes, store_least
from stillhunt.records.observation import GRAMS

MARGIN = 128
"""Memory behind a text's hashes, and behind their minima, that is read or overwritten."""

_U = np.uint64
_ONE = _U(1)
_LOW32 = _U(0xFFFFFFFF)


@inlined
def _change_bits(minima, at, shift, left):
    """``least_changes`` from place ``at`` on, of the first ``left`` places only."""
    bits = least_changes(minima, at, at + shift)
    if left < 64:
        bits &= (_ONE << _U(left)) - _ONE
    return bits


@compiled
def _changes(minima, at, number, shift):
    """How often the least of two places ``shift`` apart changes, over ``number`` pairs.

    The pairs are minima[at + i] and minima[at + i + shift].
    """
    changes = 0
    for i in range(0, number - 1, 64):
        changes += count_ones(_change_bits(minima, at + i, shift, number - 1 - i))
    return changes


@compiled
def _widen(minima, one, two, number, base, wider):
    """Minima of windows of ``wider`` hashes, at most 4 ``base``, from those of ``base``.

    Those are from place ``one`` on; the new ones, ``number`` of them, will be from ``two`` on.
    """
    shift = wider - base
    for i in range(0, number, 16):
        store_least(minima, one + i, min(base, shift), min(2 * base, shift), shift, two + i)


@compiled
def _next_window(minima, grams, room, budget, here, base, guess):
    """Find the smallest window above ``base`` whose minima change fewer than ``budget`` times.

    ``minima`` holds, from ``here`` on, those of windows of ``base`` hashes, and from ``room`` on,
    space for twice as many. Returns (window, place, shift) as ``_smallest_window``.
    """
    low = base
    high = top = min(2 * base, grams)  # wider ones need other minima
    guesses = 3  # then halving, which is never slow
    while True:
        while high - low > 1:
            middle = max(low + 1, min(guess, high - 1))
            changes = _changes(minima, here, grams - middle + 1, middle - base)
            if changes < budget:
                high = middle
            else:
                low = middle
            guesses -= 1
            # Windows and changes are about inversely proportional.
            guess = middle * changes // budget if guesses > 0 else (low + high) >> 1
        if high < top or _changes(minima, here, grams - top + 1, top - base) < budget:
            return high, here, high - base
        there = 2 * room if here == room else room
        _widen(minima, here, there, grams - top + 1, base, top)
        here = there
        low = base = top
        high = top = min(2 * base, grams)


@compiled
def _smallest_window(minima, grams, room, budget):
    """Find the smallest window whose minima change fewer than ``budget`` times.

    ``minima`` holds the hashes, and behind them, from ``room`` on, space for twice as many.

    Returns (window, place, shift): the window's minima are those of minima[place + i] and
    minima[place + i + shift].
    """
    if grams <= budget:
        return 1, 0, 0
    # The minima of hashes that are all different change about 2 grams / (window + 1) times.
    likely = 2 * grams // budget
    here = 0
    base = 1
    skipped = 3 * likely >> 2
    while base < skipped:
        wider = min(4 * base, skipped)
        there = 2 * room if here == room else room
        _widen(minima, here, there, grams - wider + 1, base, wider)
        here = there
        base = wider
    window, place, shift = _next_window(minima, grams, room, budget, here, base, likely)
    if window > base + 1 or _changes(minima, here, grams - base + 1, 0) >= budget:
        return window, place, shift
    # A text that repeats itself: what was skipped may be the answer. The hashes are still there.
    if _changes(minima, 0, grams, 0) < budget:
        return 1, 0, 0
    return _next_window(minima, grams, room, budget, 0, 1, 2)


@compiled
def sample(minima, grams, budget, chosen):
    """Winnow: the distinct minima of the smallest window that fits.

    Args:
        minima: uint64 (3 (texts' most grams + MARGIN),), a ``grams`` of hashes first; the rest is
            overwritten.
        budget: at most so many, up to GRAMS.
        chosen: int32 (GRAMS + 2,), overwritten: the low halves of the minima.

    Returns:
        (number chosen, window).
    """
    room = len(minima) // 3
    window, place, shift = _smallest_window(minima, grams, room, budget)
    chosen[0] = np.int32(min(minima[place], minima[place + shift]) & _LOW32)
    found = 1
    places = grams - window
    for i in range(0, places, 64):
        bits = _change_bits(minima, place + i, shift, places - i)
        while bits:
            at = _U(place + i + first_one(bits) + 1)
            bits &= bits - _ONE
            chosen[_U(found)] = np.int32(min(minima[at], minima[at + _U(shift)]) & _LOW32)
            found += 1
    return found, window
