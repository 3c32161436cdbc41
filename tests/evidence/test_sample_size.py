"""The audit's numbers against scipy, against brute force, and by counting how often they hold."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from stillhunt.errors import UsageError
from stillhunt.evidence import sample_size as module
from stillhunt.evidence.sample_size import bad_lower_bound, bad_upper_bound, sample_size


def exactly(population: int, bad: int, size: int, found: int) -> Fraction:
    """P(X = found), by counting."""
    ways = math.comb(bad, found) * math.comb(population - bad, size - found)
    return Fraction(ways, math.comb(population, size))


def at_most(population: int, bad: int, size: int, found: int) -> Fraction:
    least = max(0, size - (population - bad))
    return sum((exactly(population, bad, size, i) for i in range(least, found + 1)), Fraction())


LEVELS = (("0.01", "0.999"), ("0.05", "0.95"), ("0", "0.5"), ("0.3", "0.9"), ("0.9", "0.99"))


@pytest.mark.parametrize(("error", "confidence"), LEVELS)
def test_size_is_the_least_that_does_by_brute_force(error: str, confidence: str) -> None:
    for population in range(1, 121):
        bad = math.floor(Fraction(error) * population) + 1
        level = 1 - Fraction(confidence)
        wanted = next(n for n in range(population + 1) if at_most(population, bad, n, 0) <= level)
        assert sample_size(population, error, confidence) == wanted


@pytest.mark.parametrize("population", [1_000, 24_000, 1_600_000, 16_000_000])
@pytest.mark.parametrize(("error", "confidence"), [(0.01, 0.999), (0.001, 0.95), (1e-6, 0.99)])
def test_size_agrees_with_scipy(population: int, error: float, confidence: float) -> None:
    n = sample_size(population, error, confidence)
    bad = math.floor(Fraction(repr(error)) * population) + 1
    level = 1 - confidence
    assert hypergeom.pmf(0, population, bad, n) <= level * (1 + 1e-6)
    assert hypergeom.pmf(0, population, bad, n - 1) > level * (1 - 1e-6)


def test_size_at_the_headline() -> None:
    # Of so many as good as with replacement, where the least n with 0.99^n <= 0.001 is 688.
    assert sample_size(16_000_000, 0.01, 0.999) == 688
    assert hypergeom.pmf(0, 24_000, 241, 675) <= 0.001 < hypergeom.pmf(0, 24_000, 241, 674)
    assert sample_size(24_000, 0.01, 0.999) == 675


def test_a_tie_is_enough() -> None:
    # One bad of 1000: unseen by 999 with probability 1/1000, which is the level, not above it.
    assert sample_size(1000, 0, "0.999") == 999
    assert sample_size(10, 0, 0.9) == 9


def test_a_small_level_has_no_float() -> None:
    assert sample_size(100, "0", 1 - Fraction(1, 10**400)) == 100


def test_empty_and_least() -> None:
    assert sample_size(0, 0.01, 0.999) == 0
    assert sample_size(1, 0.01, 0.999) == 1
    assert bad_upper_bound(0, 0, 0, 0.9) == bad_lower_bound(0, 0, 0, 0.9) == 0
    assert bad_upper_bound(50, 0, 0, 0.9) == 50
    assert bad_upper_bound(50, 50, 7, 0.9) == bad_lower_bound(50, 50, 7, 0.9) == 7


@pytest.mark.parametrize("confidence", ["0.5", "0.9", "0.999"])
def test_bounds_by_brute_force(confidence: str) -> None:
    level = 1 - Fraction(confidence)
    for population in (1, 2, 7, 24):
        for n in range(population + 1):
            for x in range(n + 1):
                possible = range(x, population - (n - x) + 1)
                upper = [k for k in possible if at_most(population, k, n, x) > level]
                lower = [
                    k
                    for k in possible
                    if 1 - (at_most(population, k, n, x - 1) if x else 0) > level
                ]
                assert bad_upper_bound(population, n, x, confidence) == max(upper)
                assert bad_lower_bound(population, n, x, confidence) == min(lower)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_bounds_hold_as_often_as_they_say(confidence: float) -> None:
    for population, n in ((30, 8), (60, 25), (40, 39)):
        upper = [bad_upper_bound(population, n, x, confidence) for x in range(n + 1)]
        lower = [bad_lower_bound(population, n, x, confidence) for x in range(n + 1)]
        for bad in range(population + 1):
            chances = {
                x: exactly(population, bad, n, x)
                for x in range(min(bad, n) + 1)
                if n - x <= population - bad
            }
            assert sum(chances.values()) == 1
            wanted = Fraction(repr(confidence))
            assert sum(p for x, p in chances.items() if bad <= upper[x]) >= wanted
            assert sum(p for x, p in chances.items() if bad >= lower[x]) >= wanted


LARGE = [
    (16_000_000, 688, 0),
    (16_000_000, 688, 3),
    (16_000_000, 688, 688),
    (16_000_000, 688, 680),
    (1_600_000, 100_000, 42),
    (1_600_000, 800_000, 400_000),
    (24_000, 23_999, 1),
    (2**32, 700, 1),
]


@pytest.mark.parametrize(("population", "n", "x"), LARGE)
def test_bounds_agree_with_scipy(population: int, n: int, x: int) -> None:
    level = 0.001
    upper = bad_upper_bound(population, n, x, 0.999)
    lower = bad_lower_bound(population, n, x, 0.999)
    assert x <= lower <= upper <= population - (n - x)

    def near(value: float) -> float:
        return 3e-6 * value if population < 2**31 else 1e-2 * value

    if upper < population - (n - x):
        assert hypergeom.cdf(x, population, upper, n) > level - near(level)
        assert hypergeom.cdf(x, population, upper + 1, n) <= level + near(level)
    if lower > x:
        assert hypergeom.sf(x - 1, population, lower, n) > level - near(level)
        assert hypergeom.sf(x - 1, population, lower - 1, n) <= level + near(level)


SAMPLES = st.integers(1, 3000).flatmap(
    lambda population: st.integers(0, population).flatmap(
        lambda n: st.tuples(st.just(population), st.just(n), st.integers(0, n))
    )
)


@settings(max_examples=60, deadline=None)
@given(SAMPLES, st.sampled_from([0.6, 0.95, 0.999]))
def test_bounds_are_the_last_that_whole_numbers_allow(
    sample: tuple[int, int, int], confidence: float
) -> None:
    population, n, x = sample
    level = 1 - Fraction(repr(confidence))
    upper = bad_upper_bound(population, n, x, confidence)
    assert at_most(population, upper, n, x) > level
    if upper < population - (n - x):
        assert at_most(population, upper + 1, n, x) <= level
    # Bad and good changed about.
    assert bad_lower_bound(population, n, n - x, confidence) == population - upper


@given(st.integers(1, 200_000), st.sampled_from(["0.01", "0.001", "0.2"]))
@settings(max_examples=50, deadline=None)
def test_a_clean_sample_of_that_size_bounds_the_bad_ones(population: int, error: str) -> None:
    n = sample_size(population, error, 0.999)
    assert bad_upper_bound(population, n, 0, 0.999) <= Fraction(error) * population


def test_where_sums_of_logarithms_are_in_doubt_whole_numbers_decide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = [(200, 50, 3), (1000, 999, 0), (37, 20, 19), (500, 250, 125)]
    wanted = [bad_upper_bound(*case, 0.99) for case in cases]
    sizes = [sample_size(n, 0.02, 0.99) for n, *_ in cases]
    monkeypatch.setattr(module, "_clearly_above", lambda *_: None)
    assert [bad_upper_bound(*case, 0.99) for case in cases] == wanted
    assert [sample_size(n, 0.02, 0.99) for n, *_ in cases] == sizes
    # And where those too would take too long, a bound is wider, not narrower.
    monkeypatch.setattr(module, "_EXACT_WORK", 0.0)
    for case, bound in zip(cases, wanted, strict=True):
        assert bad_upper_bound(*case, 0.99) >= bound


WRONG = [
    (-1, 0.01, 0.9),
    (2**32 + 1, 0.01, 0.9),
    (5, 1, 0.9),
    (5, -0.1, 0.9),
    (5, 0.1, 0),
    (5, 0.1, 1),
    (5, math.nan, 0.9),
    (5, "a tenth", 0.9),
    (5, "1/0", 0.9),
]


@pytest.mark.parametrize("arguments", WRONG, ids=str)
def test_what_means_nothing_is_refused(arguments: tuple[int, float, float]) -> None:
    with pytest.raises(UsageError):
        sample_size(*arguments)


@pytest.mark.parametrize(
    ("population", "n", "x"), [(5, 6, 0), (5, 2, 3), (5, 2, -1), (5, -1, -1), (-1, -1, -1)]
)
def test_samples_that_cannot_be(population: int, n: int, x: int) -> None:
    for bound in (bad_upper_bound, bad_lower_bound):
        with pytest.raises(UsageError):
            bound(population, n, x, 0.9)
