"""How many of a claim's leaves to open at random, and what opening them shows.

Sampling is without replacement from a known number of leaves, so that the hypergeometric
distribution is exact: Fiedler's discovery sampling of auditors for the size of a sample, the tests of
Clopper and Pearson (Biometrika 26, 1934) inverted for the bounds. Sums of logarithms decide where
they are clear; where they are within their own rounding error of the level, whole numbers do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from numbers import Rational

from stillhunt.errors import UsageError

MOST = 1 << 32
"""Largest population; beyond it exact sums would take minutes, and somebody's word decides how long."""

_EXACT_WORK = 1e10
"""Rough operations beyond which a sum in whole numbers is not tried."""


def sample_size(
    population: int, error: float | Rational | str, confidence: float | Rational | str
) -> int:
    """Least sample in which more than a tolerable share of bad ones would hardly go unseen.

    If more than ``error * population`` are bad, a sample of this size has none of them with
    probability at most ``1 - confidence``. Exact, so that every verifier draws equally many.

    Args:
        population: how many there are, 0 to ``MOST``.
        error: tolerable share of bad ones, at least 0 and below 1; floats are read as the decimal
            that they print as, so that 0.01 is one per cent.
        confidence: above 0 and below 1.

    Returns:
        From 0 (for an empty population) to ``population``.

    Raises:
        UsageError: an argument is out of its range.
    """
    _check_population(population)
    share, level = _decimal(error), 1 - _decimal(confidence)
    _check(0 <= share < 1, f"An error rate of {error} means nothing.", "at least 0 and below 1")
    _check_confidence(level, confidence)
    if population == 0:
        return 0
    bad = math.floor(share * population) + 1
    good = population - bad

    def too_small(size: int) -> bool:
        return _none_seen_above(population, bad, size, level)

    return _first_false(too_small, 0, good + 1)


def bad_upper_bound(
    population: int, sampled: int, bad_found: int, confidence: float | Rational | str
) -> int:
    """Most bad ones that a population may hold, given what a random sample of it held.

    Args:
        population: how many there are, 0 to ``MOST``.
        sampled: how many distinct ones were drawn at random.
        bad_found: how many of those were bad.
        confidence: probability, above 0 and below 1, with which the bound holds at least, whatever
            the true number.

    Returns:
        The largest number of bad ones under which so few found is likelier than
        ``1 - confidence``; ``population`` where nothing was sampled.

    Raises:
        UsageError: an argument is out of its range.
    """
    level = _check_sample(population, sampled, bad_found, confidence)
    most = population - (sampled - bad_found)

    def possible(bad: int) -> bool:
        return _at_most_above(population, bad, sampled, bad_found, level)

    return _first_false(possible, bad_found, most + 1) - 1


def bad_lower_bound(
    population: int, sampled: int, bad_found: int, confidence: float | Rational | str
) -> int:
    """Fewest bad ones that a population may hold, given what a random sample of it held.

    Arguments and errors are those of ``bad_upper_bound``. The two bounds together hold with
    probability ``2 * confidence - 1`` at least.

    Returns:
        The smallest number of bad ones under which so many found is likelier than
        ``1 - confidence``; 0 where none was found.
    """
    # What is not bad is good: the most good ones are the fewest bad ones.
    good = bad_upper_bound(population, sampled, sampled - bad_found, confidence)
    return population - good


def _first_false(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Least number in [low, high] of which a falling predicate is false; high if there is none."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            low = middle + 1
        else:
            high = middle
    return low


def _none_seen_above(population: int, bad: int, size: int, level: Fraction) -> bool:
    """Whether P(a sample of this size holds none of the bad) > level. Exact."""
    if size > population - bad:
        return False
    # The same number with sample and bad ones changed about: the shorter product serves.
    few, many = sorted((bad, size))
    logarithm = (
        math.lgamma(population - many + 1)
        - math.lgamma(population - many - few + 1)
        - math.lgamma(population + 1)
        + math.lgamma(population - few + 1)
    )
    clear = _clearly_above(logarithm, population, level)
    if clear is not None:
        return clear
    none = math.perm(population - many, few)
    return none * level.denominator > math.perm(population, few) * level.numerator


def _at_most_above(population: int, bad: int, size: int, found: int, level: Fraction) -> bool:
    """Whether P(a sample holds at most ``found`` bad ones) > level.

    Where whole numbers would take too long as well, true: a bound may then be one too wide, never
    too narrow.
    """
    if found >= min(bad, size):
        return True
    if size - found > population - bad:  # more good ones drawn than there are
        return False
    clear = _clearly_above(_log_at_most(population, bad, size, found), population, level)
    if clear is not None:
        return clear
    few, many = sorted((bad, size))
    bits = few * population.bit_length()
    if bits**1.6 + bits * (found + 1) > _EXACT_WORK:
        return True
    # C(many, i) C(population - many, few - i), from the least i on, by the ratio of neighbours.
    first = max(0, few - (population - many))
    term = math.comb(many, first) * math.comb(population - many, few - first)
    total = 0
    for i in range(first, found + 1):
        total += term
        over, under = (many - i) * (few - i), (i + 1) * (population - many - few + i + 1)
        term = term * over // under
    return total * level.denominator > math.comb(population, few) * level.numerator


def _log_at_most(population: int, bad: int, size: int, found: int) -> float:
    """ln P(X <= found), summed on the side away from the mode, where terms fall at once."""
    mode = (size + 1) * (bad + 1) // (population + 2)
    if found < mode:
        step, start = -1, found
    else:
        step, start = 1, found + 1
    good = population - bad
    relative, total, i = 1.0, 0.0, start
    while relative > 1e-19 * max(total, 1.0):
        total += relative
        if step < 0:
            over = i * (good - size + i)
            under = (bad - i + 1) * (size - i + 1)
        else:
            over = (bad - i) * (size - i)
            under = (i + 1) * (good - size + i + 1)
        relative *= over / under if under > 0 else 0.0
        i += step
    logarithm = (
        _log_comb(bad, start)
        + _log_comb(good, size - start)
        - _log_comb(population, size)
        + math.log(total)
    )
    if step < 0:
        return logarithm
    return math.log1p(-min(math.exp(logarithm), 1 - 1e-16))


def _log_comb(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _clearly_above(logarithm: float, population: int, level: Fraction) -> bool | None:
    """Whether exp(logarithm) > level, or None where rounding could decide it."""
    # Each lgamma is good to some units in its last place; nine of them and a sum go in.
    doubt = 1e-9 + 128 * 2.0**-53 * math.lgamma(population + 2)
    # Of the fraction's parts, since a small level has no float.
    distance = logarithm - (math.log(level.numerator) - math.log(level.denominator))
    return None if abs(distance) <= doubt else distance > 0


def _decimal(value: float | Rational | str) -> Fraction:
    try:
        return Fraction(value) if isinstance(value, Rational | str) else Fraction(repr(value))
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(f"{value!r} is not a number.", "Write it as 0.01, say.") from error


def _check(good: bool, problem: str, range_: str) -> None:
    if not good:
        raise UsageError(problem, f"It has to be {range_}.")


def _check_population(population: int) -> None:
    good = 0 <= population <= MOST
    _check(good, f"A population of {population} cannot be sampled.", f"0 to {MOST}")


def _check_confidence(level: Fraction, confidence: object) -> None:
    _check(0 < level < 1, f"A confidence of {confidence} means nothing.", "above 0 and below 1")


def _check_sample(
    population: int, sampled: int, bad_found: int, confidence: float | Rational | str
) -> Fraction:
    _check_population(population)
    _check(0 <= sampled <= population, f"{sampled} of {population} cannot be drawn.", "0 to all")
    _check(0 <= bad_found <= sampled, f"{bad_found} of {sampled} cannot be bad.", "0 to all drawn")
    level = 1 - _decimal(confidence)
    _check_confidence(level, confidence)
    return level
