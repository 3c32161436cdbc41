from __future__ import annotations

from decimal import Decimal, getcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from incidences import load, strangers
from scipy.optimize import minimize

from stillhunt.linking.families import PAIRS
from stillhunt.linking.null_model import NullModel, adjust, log_tail, solve_fitness, tail

getcontext().prec = 60


def exact_log_tail(count: int, expected: float) -> float:
    """ln P(Poisson(expected) >= count) by summing the series with 60 digits."""
    if count <= 0:
        return 0.0
    mean = Decimal(expected)
    term = (-mean).exp()
    below = Decimal(0)
    for k in range(count):
        below += term
        term = term * mean / (k + 1)
    if count < expected:  # the complement is the accurate one only on this side
        return float((1 - below).ln())
    total, k = Decimal(0), count
    while term > total * Decimal(10) ** -50:
        total += term
        k += 1
        term = term * mean / k
    return float(total.ln())


def entity_level_model(k: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Carrying probabilities (entities, values) by Newton's method on every entity and value.

    Maximises the likelihood of the bipartite configuration model in log-fitnesses: another route
    than the fixed point over classes.
    """

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = theta[: len(k)], theta[len(k) :]
        odds = np.add.outer(a, b)
        p = 1 / (1 + np.exp(-odds))
        gradient = np.concatenate([p.sum(axis=1) - k, p.sum(axis=0) - d])
        return float(np.logaddexp(0, odds).sum() - a @ k - b @ d), gradient

    start = np.log(np.concatenate([k, d]) / np.sqrt(k.sum()))
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9},
    )
    p = 1 / (1 + np.exp(-np.add.outer(found.x[: len(k)], found.x[len(k) :])))
    assert np.max(np.abs(p.sum(axis=1) - k)) < 1e-3
    return np.asarray(p)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_expected_pairs_is_the_sum_over_entities(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = strangers(rng, 150, {"template": 12, "address": 30, "payment": 40})
    engine, totals = load(tmp_path, edges)
    engine.close()
    null = NullModel(totals)
    carries = {}
    popularity = {}
    for family, rows in edges.items():
        values, at = np.unique(rows[:, 1], return_inverse=True)
        popularity[family] = np.bincount(at)
        degree = np.bincount(rows[:, 0], minlength=150)
        some = np.flatnonzero(degree)
        full = np.zeros((150, len(values)))
        full[some] = entity_level_model(
            degree[some].astype(float), popularity[family].astype(float)
        )
        carries[family] = full
    tried = 0
    for x, y in PAIRS:
        if x not in edges or y not in edges:
            continue
        vx = rng.integers(0, len(popularity[x]), 25)
        vy = rng.integers(0, len(popularity[y]), 25)
        brute = np.sum(carries[x][:, vx] * carries[y][:, vy], axis=0)
        ours = null.pairs(x, y, popularity[x][vx], popularity[y][vy])
        np.testing.assert_allclose(ours, brute, rtol=2e-3)
        tried += 1
    assert tried == 4


def test_expected_group_is_the_sum_over_its_members(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    edges = strangers(rng, 200, {"template": 25})
    engine, totals = load(tmp_path, edges)
    engine.close()
    null = NullModel(totals)
    degree = np.bincount(edges["template"][:, 0], minlength=200)
    popularity = np.bincount(edges["template"][:, 1])
    popularity = popularity[popularity > 0]
    carried = null.carrying("template")
    classes, names = totals.degrees["template"][0], totals.popularities["template"][0]
    groups = [rng.choice(200, size, replace=False) for size in (2, 9, 60)]
    rows = []
    for g, members in enumerate(groups):
        for k, n in zip(*np.unique(degree[members], return_counts=True), strict=True):
            rows.append((g, k, n))
    asked = rng.choice(popularity, (3, 10))
    of = np.repeat(np.arange(3), 10)
    ours = null.group("template", np.array(rows).T, of, asked.ravel())
    for g, d, got in zip(of, asked.ravel(), ours, strict=True):
        at = int(np.searchsorted(names, d))
        brute = sum(carried[int(np.searchsorted(classes, degree[e])), at] for e in groups[g])
        assert got == pytest.approx(brute, rel=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), entities=st.integers(5, 120), values=st.integers(2, 60))
def test_fitness_meets_every_degree_and_popularity(seed: int, entities: int, values: int) -> None:
    rows = strangers(np.random.default_rng(seed), entities, {"x": values})["x"]
    k, d = (np.bincount(rows[:, i]) for i in (0, 1))
    k, d = k[k > 0], d[d > 0]
    assume(k.max() < len(d) and d.max() < len(k))  # else there is no finite solution
    degrees, popularities = (np.array(np.unique(v, return_counts=True)) for v in (k, d))
    carried = solve_fitness(degrees, popularities)
    assert np.all((carried > 0) & (carried < 1))
    np.testing.assert_allclose(carried @ popularities[1], degrees[0], rtol=1e-3)
    np.testing.assert_allclose(degrees[1] @ carried, popularities[0], rtol=1e-3)
    # The busier and the more popular, the likelier.
    assert np.all(np.diff(carried, axis=0) > 0)
    assert np.all(np.diff(carried, axis=1) > 0)


def test_fitness_where_every_entity_carries_a_value() -> None:
    degrees, popularities = np.array([[1, 2, 3], [4, 5, 1]]), np.array([[1, 6, 10], [1, 1, 1]])
    carried = solve_fitness(degrees, popularities)
    assert np.all(np.isfinite(carried))
    assert np.all((carried >= 0) & (carried <= 1))
    assert np.all(carried[:, 2] > 0.95)


def test_totals_count_entities_edges_and_classes(tmp_path: Path) -> None:
    edges = strangers(np.random.default_rng(5), 200, {"template": 15, "address": 300})
    engine, totals = load(tmp_path, edges)
    engine.close()
    assert totals.entities == 200
    for family, rows in edges.items():
        popularity = np.bincount(rows[:, 1])
        degree = np.bincount(rows[:, 0])
        assert totals.edges[family] == len(rows)
        assert totals.shareable[family] == np.sum(popularity >= 2)
        for ours, counts in (
            (totals.popularities[family], popularity[popularity > 0]),
            (totals.degrees[family], degree[degree > 0]),
        ):
            assert np.array_equal(ours, np.array(np.unique(counts, return_counts=True)))
    joint = totals.joint["address", "template"]
    both = dict.fromkeys(
        zip(*(np.bincount(edges[f][:, 0]) for f in ("address", "template")), strict=True), 0
    )
    for a, b in zip(*(np.bincount(edges[f][:, 0]) for f in ("address", "template")), strict=True):
        both[a, b] += 1
    assert {(int(a), int(b)): int(n) for a, b, n in joint.T} == both
    assert totals.edges["payment"] == 0
    assert totals.joint["address", "payment"].shape == (3, 0)


def test_a_family_that_nobody_carries_expects_nothing(tmp_path: Path) -> None:
    engine, totals = load(tmp_path, strangers(np.random.default_rng(6), 50, {"template": 5}))
    engine.close()
    none = np.zeros(0, dtype=np.int64)
    assert len(NullModel(totals).pairs("address", "template", none, none)) == 0


@settings(max_examples=150, deadline=None, derandomize=True)
@given(count=st.integers(0, 400), expected=st.floats(1e-9, 300))
def test_tail_is_poissons(count: int, expected: float) -> None:
    exact = exact_log_tail(count, expected)
    ours = float(log_tail(np.array([count]), np.array([expected]))[0])
    assert np.isfinite(ours)
    assert ours <= 0.0
    if exact > -700:
        assert ours == pytest.approx(exact, rel=1e-8, abs=1e-9)
        direct = float(tail(np.array([count]), np.array([expected]))[0])
        assert direct == pytest.approx(np.exp(exact), rel=1e-8)
    elif exact < -750:
        # Beyond floating point: never below the truth, above it by the geometric factor at most.
        assert exact - 1e-6 <= ours <= exact - np.log1p(-expected / (count + 1)) + 1e-6
    else:  # denormal numbers have few digits left
        assert ours == pytest.approx(exact, abs=0.7)


@pytest.mark.parametrize(
    ("count", "expected"), [(5000, 0.001), (2000, 3.0), (900, 0.5), (60, 1e-20)]
)
def test_log_tail_where_the_tail_underflows(count: int, expected: float) -> None:
    assert tail(np.array([count]), np.array([expected]))[0] == 0.0
    ours = log_tail(np.array([count]), np.array([expected]))[0]
    assert ours == pytest.approx(exact_log_tail(count, expected), rel=1e-6)


def test_log_tail_orders_surprise_across_the_underflow() -> None:
    counts = np.arange(1, 1000)
    ours = log_tail(counts, np.full(len(counts), 0.3))
    assert np.all(np.diff(ours) < 0)


def test_nothing_expected_is_no_division_by_zero() -> None:
    ours = log_tail(np.array([0, 1, 3]), np.zeros(3))
    assert ours[0] == 0.0
    assert ours[1] == pytest.approx(np.log(1e-300))
    assert np.isfinite(ours[2])
    assert ours[2] < ours[1]


def naive_adjust(p: list[float], tests: int) -> list[float]:
    """Benjamini and Hochberg's step-up as they wrote it, with the missing tests at p = 1."""
    padded = sorted([*p, *[1.0] * (tests - len(p))])
    q = []
    for value in p:
        least = min(padded[i] * tests / (i + 1) for i in range(tests) if padded[i] >= value)
        q.append(min(least, 1.0))
    return q


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    p=st.lists(st.floats(0.0, 1.0) | st.sampled_from([0.0, 1e-300, 0.01, 0.5, 1.0]), max_size=25),
    more=st.integers(0, 60),
)
def test_adjust_is_benjamini_hochberg_with_the_missing_tests_at_one(
    p: list[float], more: int
) -> None:
    tests = len(p) + more
    ours = adjust(np.array(p), tests)
    assert ours.tolist() == pytest.approx(naive_adjust(p, tests), rel=1e-12)
    # q-values order tests as p-values do, and are never smaller.
    assert np.all(ours >= np.array(p) * (1 - 1e-12))
    assert np.all(np.diff(ours[np.argsort(p, kind="stable")]) >= 0)


def test_adjust_rejects_what_the_step_up_procedure_rejects() -> None:
    rng = np.random.default_rng(3)
    for level in (0.01, 0.1, 0.3):
        p = np.where(rng.random(400) < 0.2, rng.random(400) ** 8, rng.random(400))
        tests = 1000
        ordered = np.sort(np.concatenate([p, np.ones(tests - len(p))]))
        passing = np.flatnonzero(ordered <= level * np.arange(1, tests + 1) / tests)
        threshold = ordered[passing[-1]] if len(passing) else -1.0
        assert np.array_equal(adjust(p, tests) <= level, p <= threshold)
