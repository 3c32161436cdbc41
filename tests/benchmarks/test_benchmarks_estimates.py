"""Pooled estimates, beside what can be computed by hand or by another road."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from _estimates import (
    EDGES,
    bin_of,
    bootstrap_upper,
    clopper_pearson,
    exceeds,
    mean_and_error,
    pooled,
    reliability,
    upper_limit,
)


@pytest.mark.parametrize(("part", "whole"), [(0, 30), (1, 30), (7, 30), (29, 30), (30, 30)])
def test_exact_intervals_agree_with_scipys_test(part: int, whole: int) -> None:
    low, high = clopper_pearson(part, whole)
    theirs = binomtest(part, whole).proportion_ci(0.95, method="exact")
    assert (low, high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize(("part", "whole"), [(0, 300), (3, 300), (40, 41)])
def test_at_the_upper_limit_so_few_have_probability_one_in_twenty(part: int, whole: int) -> None:
    assert binom.cdf(part, whole, upper_limit(part, whole)) == pytest.approx(0.05)


def test_the_rule_of_three() -> None:
    assert upper_limit(0, 300) == pytest.approx(3 / 300, rel=0.01)
    assert upper_limit(0, 0) == upper_limit(5, 5) == 1.0


def test_a_pooled_rate_and_its_error_by_hand() -> None:
    # Rate (1 + 0 + 5) / (10 + 10 + 20) = 0.15; residuals -0.5, -1.5, 2; 3/2 * 6.5 = 9.75.
    ratio = pooled([1, 0, 5], [10, 10, 20])
    assert ratio.value == pytest.approx(0.15)
    assert ratio.error == pytest.approx(math.sqrt(9.75) / 40)


def test_the_error_of_equal_seeds_is_that_of_their_mean() -> None:
    parts = [3, 5, 4, 9]
    _, error = mean_and_error([p / 10 for p in parts])
    assert pooled(parts, [10] * 4).error == pytest.approx(error)


def test_accounts_of_one_seed_that_fall_together_widen_the_error() -> None:
    """400 accounts wrong or right by whole seeds: 20 seeds, not 400 accounts, are what is known."""
    parts = [20] * 4 + [0] * 16
    error = pooled(parts, [20] * 20).error
    by_account = math.sqrt(0.2 * 0.8 / 400)
    assert error == pytest.approx(math.sqrt(0.2 * 0.8 / 19), rel=1e-9)
    assert error > 4 * by_account


def test_without_seeds_to_compare_there_is_no_error() -> None:
    assert math.isnan(pooled([3], [10]).error)
    assert math.isnan(pooled([0, 0], [0, 0]).value)
    assert math.isnan(mean_and_error([])[0])
    assert math.isnan(bootstrap_upper([1], [10]))
    assert math.isnan(bootstrap_upper([0, 0], [0, 0]))


def test_the_bootstrap_resamples_whole_seeds() -> None:
    # Two seeds, rates 0 and 1: a resample has rate 1 with probability 1/4, so that is the 95 % limit.
    assert bootstrap_upper([0, 10], [10, 10]) == 1.0
    # With all in one of many seeds it is drawn three times or more in 8 % of resamples, four in 2 %.
    assert bootstrap_upper([10] + [0] * 19, [10] * 20) == pytest.approx(3 / 20)
    assert bootstrap_upper([0] * 5, [10] * 5) == 0.0


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=8))
def test_order_of_seeds_changes_no_pooled_rate(seeds: list[tuple[int, int]]) -> None:
    rows = [(min(a, b), max(a, b)) for a, b in seeds]
    forth = pooled([p for p, _ in rows], [w for _, w in rows])
    back = pooled([p for p, _ in rows[::-1]], [w for _, w in rows[::-1]])
    assert forth.part == back.part
    assert forth.error == pytest.approx(back.error, nan_ok=True)


def test_more_findings_than_nominal_are_told() -> None:
    assert exceeds(0, 40, 0.01) == 1.0
    assert exceeds(3, 40, 0.01) == pytest.approx(1 - binom.cdf(2, 40, 0.01))
    assert exceeds(3, 40, 0.01) < 0.01


def test_a_limit_belongs_to_the_bin_above_it() -> None:
    assert [bin_of(p) for p in (0.0, 0.49, 0.5, 0.59, 0.6, 0.99, 1.0)] == [0, 0, 1, 1, 2, 7, 7]
    assert len(EDGES) == 9


def test_reliability_pools_bins_over_seeds() -> None:
    empty = (0, 0.0, 0)
    one = [empty] * 7 + [(10, 9.95, 10)]
    two = [empty] * 4 + [(4, 3.4, 2)] + [empty] * 2 + [(10, 9.95, 8)]
    middle, last = reliability([one, two])
    assert (middle.low, middle.high, middle.count) == (0.8, 0.9, 4)
    assert (middle.stated, middle.true.value) == (pytest.approx(0.85), 0.5)
    assert (last.count, last.true.value) == (20, 0.9)
    assert last.true.error == pytest.approx(np.std([1.0, 0.8], ddof=1) / math.sqrt(2))
