"""What the probability's curve is fitted with, beside other roads to the same numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from _hunts import hunt_into
from _logistic import fit_logistic
from _tested import clusters_tested
from _venn_abers import venn_abers
from fit_probability import (
    balanced,
    cases_of,
    fit_curve,
    leave_scenarios_out,
    reliability_of,
    stated,
)
from stillhunt.scoring.curve import parse_curve, shipped_curve


def by_sklearn(score: np.ndarray, y: np.ndarray, weight: np.ndarray, at: float) -> float:
    both = []
    for label in (0.0, 1.0):
        fitted = IsotonicRegression().fit(
            np.append(score, at), np.append(y, label), sample_weight=np.append(weight, 1.0)
        )
        both.append(float(fitted.predict([at])[0]))
    return both[1] / (1 - both[0] + both[1])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-4, 4), st.booleans(), st.sampled_from([0.25, 0.5, 1.0])),
        min_size=1,
        max_size=25,
    ),
    st.integers(-5, 5),
)
def test_venn_abers_beside_the_isotonic_regression_of_scikit_learn(
    cases: list[tuple[int, bool, float]], at: int
) -> None:
    score, y, weight = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    ours = venn_abers(score, y.astype(bool), weight, np.array([float(at)]))[0]
    assert ours == pytest.approx(by_sklearn(score, y, weight, float(at)), abs=1e-9)
    rising = venn_abers(score, y.astype(bool), weight, np.arange(-5.0, 6.0))
    assert np.all(np.diff(rising) >= -1e-12)


@pytest.mark.parametrize("n", [1, 5, 50])
def test_it_nears_certainty_only_as_fast_as_cases_allow(n: int) -> None:
    score = np.arange(2.0 * n)
    y = score >= n
    top = venn_abers(score, y, np.ones(2 * n), np.array([1e9]))[0]
    assert top == pytest.approx((n + 1) / (n + 2))


def test_its_probabilities_come_true() -> None:
    rng = np.random.default_rng(3)
    score = rng.normal(size=800)
    y = rng.random(800) < 1 / (1 + np.exp(-2 * score))
    new = rng.normal(size=4000)
    chance = venn_abers(score, y, np.ones(800), np.round(new, 1))
    truth = 1 / (1 + np.exp(-2 * new))
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        inside = (chance >= low) & (chance < low + 0.2)
        assert chance[inside].mean() == pytest.approx(truth[inside].mean(), abs=0.06)


def case(rng: np.random.Generator, right: bool, seed: int, level: str) -> dict[str, Any]:
    evidence = float(rng.normal(1.0 if right else -0.5, 0.7))
    return {
        "provider": (level, seed), "level": level, "right": right, "named": right, "link_p": 1e-30,
        "evidence": {"fresh_output": evidence, "intent": float(rng.normal())},
    }  # fmt: skip


def made(seed: int, n: int = 120) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        case(rng, right, i // 8, f"s{i // 8 % 3}")
        for i in range(n)
        for right in (True, False, False)
    ]


def test_the_fitted_curve_is_the_likelihood_ratio() -> None:
    curve = parse_curve(fit_curve(made(1, 300)))
    for evidence in (-0.5, 0.0, 0.5, 1.0):
        # Of two normal distributions of one deviation: linear in the evidence.
        exact = (1.5 * evidence - 0.5 * (1.0 - 0.25)) / 0.49
        signals = {"fresh_output": evidence, "intent": 0.0}
        assert curve.log_bayes_factor(signals) == pytest.approx(exact, abs=1.0)


def test_the_order_of_cases_and_the_names_of_providers_change_nothing() -> None:
    cases = made(2)
    turned = [c | {"provider": ("x", c["provider"])} for c in reversed(cases)]
    assert fit_curve(turned) == fit_curve(cases)


def test_more_lawful_clusters_of_the_same_sort_change_no_odds() -> None:
    """The curve stands at even prior odds, however rare campaigns were among what was simulated."""
    cases = made(4)
    thrice = cases + 2 * [c for c in cases if not c["right"]]
    one, other = (fit_curve(c) for c in (cases, thrice))
    grid = np.linspace(-1, 1.5, 20)
    assert np.interp(grid, one["evidence"], one["log_bayes_factors"]) == pytest.approx(
        np.interp(grid, other["evidence"], other["log_bayes_factors"]), abs=0.05
    )


def test_what_tells_nothing_counts_for_little() -> None:
    weights = fit_curve(made(5, 400))["weights"]
    assert weights["fresh_output"] == 1.0
    assert 0.0 <= weights["intent"] < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_firths_estimate_solves_the_modified_score_equation(seed: int) -> None:
    """Sum over cases of (y - p + h (1/2 - p)) x = 0, with h the leverages (Heinze and Schemper 2002)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 2))
    y = x @ [2.0, 1.0] + rng.logistic(size=60) > 0
    if seed == 0:
        y = x[:, 0] > 0  # quite apart: without the penalty no estimate is finite
        x = x[:, :1]
    found = fit_logistic(x, y, np.ones(60))
    design = np.column_stack([np.ones(60), x])
    p = 1 / (1 + np.exp(-design @ found))
    w = p * (1 - p)
    inverse = np.linalg.inv(design.T @ (design * w[:, None]))
    leverage = w * np.einsum("ij,jk,ik->i", design, inverse, design)
    assert np.all(found[1:] > 0)
    assert design.T @ (y - p + leverage * (0.5 - p)) == pytest.approx(0.0, abs=2e-3)


def test_no_weight_is_negative() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 2))
    y = x @ [2.0, -3.0] + rng.logistic(size=200) > 0
    assert fit_logistic(x, y, np.ones(200))[2] == 0.0


def test_only_one_class_is_no_curve() -> None:
    with pytest.raises(ValueError, match="more seeds"):
        fit_curve([c for c in made(1) if c["right"]])
    with pytest.raises(ValueError, match="more seeds"):
        fit_curve([])


def test_classes_weigh_the_same() -> None:
    y = np.array([True] * 3 + [False] * 9)
    weight = balanced(y, 0.5)
    assert weight[y].sum() == pytest.approx(weight[~y].sum()) == pytest.approx(1.5)


def test_scenarios_are_judged_by_the_others() -> None:
    cases = made(7)
    # A scenario in which everything is the other way round teaches its own curve nothing.
    turned = [c | {"right": not c["right"]} if c["level"] == "s0" else c for c in cases]
    out = leave_scenarios_out(turned)
    straight = leave_scenarios_out(cases)
    chosen = [[c["stated"] for c in o if c["level"] == "s0"] for o in (out, straight)]
    assert chosen[0] == chosen[1]
    table = reliability_of(straight, "all")
    assert sum(
        int(line.split("|")[2].replace(",", ""))
        for line in table.splitlines()
        if line.startswith("| 0")
    ) == len(cases)


def test_doubt_about_the_link_and_the_prior_count() -> None:
    curve = parse_curve(fit_curve(made(8)))
    (sure,), (unsure,) = (stated([made(9)[0] | {"link_p": p}], curve) for p in (1e-30, 0.2))
    assert unsure["stated"] < sure["stated"]
    rare = stated([made(9)[0]], curve, prior=0.01)[0]
    assert rare["stated"] < sure["stated"]


def test_every_tested_cluster_beside_the_truth(simulated: Path, tmp_path: Path) -> None:
    traffic = simulated / "small"
    findings = tmp_path / "findings"
    hunt_into(traffic, findings, threads=1)
    rows = clusters_tested(traffic, findings, licences_known=True)
    details = json.loads((findings / "details.json").read_text("utf-8"))["clusters"]
    assert {r["cluster"] for r in rows} == set(details)
    campaigns = pq.read_table(findings / "campaigns.parquet").to_pylist()
    assert {r["cluster"] for r in rows if r["named"]} == {c["campaign"] for c in campaigns} != set()
    assert all(r["right"] for r in rows if r["named"])
    for row in rows:
        assert sum(row["who"].values()) == row["accounts"] >= row["entities"] >= 2
        total = math.fsum(row["terms"].values())
        assert 1 / (1 + math.exp(-total)) == pytest.approx(row["probability"])
    records = [{"task": "tested", "level": "small", "seed": 7, "result": {"clusters": rows}}]
    cases = cases_of([*records, {"task": "hunt", "level": "small", "seed": 7, "result": {}}])
    assert len(cases) == sum(r["q_value"] <= 0.01 for r in rows)
    # What a hunt states is what the fit's own arithmetic makes of its records.
    linked = {r["link_p"]: r["probability"] for r in rows if r["q_value"] <= 0.01}
    for one in stated(cases, shipped_curve()):
        assert one["stated"] == pytest.approx(linked[one["link_p"]], abs=1e-9)


def test_a_refused_hunt_tested_nothing(simulated: Path, tmp_path: Path) -> None:
    assert clusters_tested(simulated / "small", tmp_path, licences_known=True) == []
