from __future__ import annotations

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from stillhunt.scoring.calibration import (
    conformal_p,
    estimative_word,
    log_evidence,
    log_odds,
    probability,
    ranks,
    strangers_odds,
)

getcontext().prec = 60


def exact_log_evidence(p: float) -> float:
    """ln of the integral over k from 0 to 1 of k p^(k-1), in 60 digits."""
    if p == 1.0:
        return math.log(0.5)
    value = Decimal(p)
    log = value.ln()
    return float(((1 - value + value * log) / (value * log * log)).ln())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.floats(1e-290, 1.0) | st.floats(0.99, 1.0) | st.floats(1, 290).map(lambda e: 10.0**-e))
def test_log_evidence_is_the_mixture_of_power_calibrators(p: float) -> None:
    assert float(log_evidence(p)) == pytest.approx(exact_log_evidence(p), rel=1e-7, abs=1e-7)


def test_log_evidence_agrees_with_the_integral_over_the_power() -> None:
    for p in (1e-6, 0.01, 0.3, 0.9):
        mixed, _ = quad(lambda k, p=p: k * p ** (k - 1), 0, 1)
        assert math.exp(float(log_evidence(p))) == pytest.approx(mixed, rel=1e-8)


def test_log_evidence_is_an_e_value() -> None:
    """Its expectation under a uniform p is one, with p = exp(-u); beyond u = 690 it is clipped."""
    body = sum(
        quad(lambda u: math.exp(float(log_evidence(math.exp(-u))) - u), low, high, limit=200)[0]
        for low, high in ((0, 1e-3), (1e-3, 1), (1, 30), (30, 690))
    )
    assert body <= 1.0
    # What is missing is the tail of 1 / u^2.
    assert body + 1 / 690 == pytest.approx(1.0, abs=1e-6)


def test_log_evidence_is_smooth_where_the_series_takes_over() -> None:
    p = np.exp(-np.linspace(0.5e-4, 2e-4, 4001))
    values = log_evidence(p)
    assert np.all(np.diff(values) > -1e-7)
    assert np.max(np.abs(np.diff(values))) < 1e-6
    assert float(log_evidence(1.0)) == pytest.approx(math.log(0.5))


def test_log_evidence_falls_with_p_and_stays_finite() -> None:
    p = np.concatenate([[0.0], 10.0 ** np.linspace(-290, 0, 3000)])
    values = log_evidence(p)
    assert np.all(np.isfinite(values))
    assert np.all(np.diff(values) <= 1e-9)
    assert values[-1] < 0 < values[0]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(-3, 3) | st.floats(-10, 10), min_size=1, max_size=30))
def test_conformal_p_is_super_uniform_under_exchangeability(pool: list[float]) -> None:
    """Each of a pool is as likely as any other to be the one in question, ties or not."""
    values = np.array(pool, dtype=float)
    n = len(values)
    p = np.array([conformal_p(values[i], np.delete(values, i)) for i in range(n)])
    for level in np.arange(1, n + 1) / n:
        assert np.mean(p <= level + 1e-12) <= level + 1e-12
    assert p.min() >= 1 / n - 1e-12
    if len(np.unique(values)) == n:
        assert sorted(p) == pytest.approx((np.arange(1, n + 1) / n).tolist())


def test_conformal_p_leaves_out_controls_without_a_value() -> None:
    nan = math.nan
    assert conformal_p(5.0, np.array([1.0, nan, 9.0, nan])) == pytest.approx(2 / 3)
    assert conformal_p(5.0, np.array([nan])) == 1.0
    assert conformal_p(9.0, np.array([9.0])) == 1.0  # a tie counts against it


def test_ranks_are_shares_that_reach_a_value() -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(0, 12, 60).astype(float)
    values[rng.choice(60, 9, replace=False)] = np.nan
    times = rng.integers(1, 4, 60)
    found = ranks(values, times.astype(float))
    whole = np.repeat(values, times)
    known = whole[~np.isnan(whole)]
    for value, p in zip(values, found, strict=True):
        expected = np.mean(known >= value) if not np.isnan(value) else np.nan
        assert p == pytest.approx(expected, nan_ok=True)
    some = values[~np.isnan(values)]
    for i in range(10):
        alone = conformal_p(float(some[i]), np.delete(some, i))
        assert alone == pytest.approx(ranks(some, np.ones(len(some)))[i])
    assert conformal_p(1.0, np.array([0.0, 2.0]), np.array([1.0, 3.0])) == pytest.approx(5 / 6)
    assert np.isnan(ranks(np.array([np.nan]), np.ones(1))).all()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(a=st.floats(0, 1), b=st.floats(0, 1), prior=st.floats(0.01, 0.99))
def test_strangers_odds_fall_with_p(a: float, b: float, prior: float) -> None:
    low, high = sorted((a, b))
    assert strangers_odds(low, prior) >= strangers_odds(high, prior) - 1e-12
    # A test that says nothing leaves the prior, and no test counts for strangers.
    assert strangers_odds(1.0, prior) == pytest.approx(log_odds(prior))
    assert strangers_odds(a, prior) >= log_odds(prior) - 1e-12


def test_strangers_odds_are_bounded_by_sellke_bayarri_and_berger() -> None:
    for p in (1e-12, 1e-4, 0.01, 0.05, 0.3):
        factor = 1 / (-math.e * p * math.log(p))
        assert strangers_odds(p, 0.5) == pytest.approx(math.log(factor))
        # No alternative density a p^(a-1) does better.
        best = max(a * p ** (a - 1) for a in np.linspace(1e-4, 1, 20001))
        assert factor >= best - 1e-9
    assert strangers_odds(1 / math.e) == pytest.approx(0.0, abs=1e-12)
    assert math.isfinite(strangers_odds(0.0))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(-700, 700))
def test_probability_inverts_log_odds(odds: float) -> None:
    chance = probability(odds)
    assert 0.0 <= chance <= 1.0
    assert probability(odds) + probability(-odds) == pytest.approx(1.0)
    if abs(odds) < 30:
        assert log_odds(chance) == pytest.approx(odds, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("chance", "word"),
    [
        (0.0, "almost no chance"), (0.0499, "almost no chance"),
        (0.05, "very unlikely"), (0.1999, "very unlikely"),
        (0.20, "unlikely"), (0.4499, "unlikely"),
        (0.45, "roughly even chance"), (0.5499, "roughly even chance"),
        (0.55, "likely"), (0.7999, "likely"),
        (0.80, "very likely"), (0.9499, "very likely"),
        (0.95, "almost certain"), (1.0, "almost certain"),
    ],
)  # fmt: skip
def test_words_follow_the_number(chance: float, word: str) -> None:
    assert estimative_word(chance) == word
