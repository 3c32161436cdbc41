from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.campaigns.investigate import exemptions
from stillhunt.scoring.attribution import Attribution
from stillhunt.scoring.calibration import log_odds, probability
from stillhunt.scoring.curve import parse_curve, shipped_curve
from stillhunt.scoring.features import Units
from stillhunt.scoring.harvest import HarvestScore, score_clusters

DOCUMENT: dict[str, Any] = {
    "needed": ["fresh_output", "intent"],
    "providers": 20,
    "lawful": 300,
    "planted": 60,
    "scenarios": ["e3"],
    "weights": {"fresh_output": 1.0, "intent": 0.5, "payers": 0.0},
    "evidence": [-1.0, 0.0, 2.0],
    "log_bayes_factors": [-9.0, 0.5, 2.5],
}
COVERED = {"fresh_output": 0.4, "intent": 0.2, "payers": 3.0}


def units(seed: int, clusters: int = 3, controls: int = 120) -> Units:
    rng = np.random.default_rng(seed)
    n = clusters + controls
    payers = np.full(n, np.nan)
    payers[: clusters + 20] = rng.integers(1, 4, clusters + 20)
    intent = rng.normal(-3, 1, n)
    intent[:clusters] += rng.uniform(0, 4, clusters)
    length = np.exp(rng.normal(5, 0.7, n))
    length[:clusters] *= rng.uniform(1, 6, clusters)
    return Units(
        clusters,
        rng.integers(20, 400, n),
        rng.random(n),
        length,
        intent,
        payers,
        payers,
        np.ones(n),
    )


def worth(score: HarvestScore) -> dict[str, float | None]:
    return {t.signal: t.log_odds for t in score.terms}


def test_between_knots_it_is_a_line_and_beyond_them_level() -> None:
    curve = parse_curve(DOCUMENT)
    # 0.4 + 0.2 / 2 of evidence; payers count for nothing.
    assert curve.log_bayes_factor(COVERED) == pytest.approx(0.5 + 0.5)
    assert curve.log_bayes_factor(dict.fromkeys(COVERED, 9.0)) == pytest.approx(2.5)


def test_no_more_than_the_simulated_providers_can_carry() -> None:
    curve = replace(parse_curve(DOCUMENT), log_bayes_factors=(-9.0, 0.5, 9.0))
    most = curve.log_bayes_factor(dict.fromkeys(COVERED, 5.0))
    least = curve.log_bayes_factor(dict.fromkeys(COVERED, -5.0))
    assert most == pytest.approx(math.log(20))
    assert least == pytest.approx(-math.log(20))
    assert probability(math.log(20)) == pytest.approx(1 - 1 / 21)


def test_what_no_simulated_cluster_lacked_must_be_there() -> None:
    curve = parse_curve(DOCUMENT)
    assert curve.log_bayes_factor(COVERED | {"intent": None}) is None
    assert curve.log_bayes_factor({"fresh_output": 1.0}) is None
    without = {k: v for k, v in COVERED.items() if k != "payers"}
    assert curve.log_bayes_factor(without) == curve.log_bayes_factor(COVERED | {"payers": None})


@pytest.mark.parametrize(
    "spoil",
    [
        {"providers": 0},
        {"log_bayes_factors": [0.5, 0.4, 9.0]},
        {"evidence": [0.0, 0.0, 3.0]},
        {"evidence": [], "log_bayes_factors": []},
        {"evidence": [0.0]},
        {"weights": {"fresh_output": 1.0, "intent": -0.1}},
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(spoil: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="curve"):
        parse_curve(DOCUMENT | spoil)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=2), st.floats(-2, 2))
def test_the_shipped_one_never_falls(fresh: list[float], intent: float) -> None:
    curve = shipped_curve()
    one, other = (
        curve.log_bayes_factor({"fresh_output": f, "intent": intent, "payers": None})
        for f in sorted(fresh)
    )
    assert one is not None
    assert other is not None
    assert -curve.bound <= one <= other <= curve.bound


def test_what_the_shipped_one_says_of_itself() -> None:
    curve = shipped_curve()
    told = curve.record()
    assert told["providers"] == told["largest_bayes_factor"] == curve.providers >= 20
    assert min(curve.planted, curve.lawful) >= curve.providers
    assert "simulated" in told["source"]


@pytest.mark.parametrize("seed", range(6))
def test_the_prior_shifts_what_evidence_is_worth(seed: int) -> None:
    """Without doubt about the link, odds are prior odds times what the curve says."""
    sure = np.full(3, 1e-200)
    for even, rare in zip(
        score_clusters(units(seed), sure, 0.5), score_clusters(units(seed), sure, 0.05), strict=True
    ):
        assert even.score - rare.score == pytest.approx(log_odds(0.5) - log_odds(0.05), abs=1e-6)
        evidence = {
            k: v for k, v in worth(even).items() if k not in ("prior", "link", "calibration")
        }
        assert even.score == pytest.approx(shipped_curve().log_bayes_factor(evidence), abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_a_signal_that_is_needed_and_missing_leaves_the_face_value(seed: int) -> None:
    these = units(seed)
    silent = replace(these, intent=np.full(len(these.exchanges), np.nan))
    for score in score_clusters(silent, np.full(3, 1e-9)):
        assert worth(score)["calibration"] is None
        assert score.score == score.face_value


@pytest.mark.parametrize("seed", range(20))
def test_a_curve_names_and_spares_nobody(seed: int) -> None:
    rng = np.random.default_rng(seed)
    link_p = rng.random(3) ** 6
    nobody = Attribution((), 0, 0, 0, 0.0, has_templates=True)
    nothing = parse_curve(DOCUMENT | {"needed": ["a signal that there is not"]})
    plain = score_clusters(units(seed), link_p, 0.4, nothing)
    assert all(s.score == s.face_value for s in plain)
    for shift in (-4.0, 0.0, 4.0):
        worth_of = (np.sort(rng.normal(0, 2, 3)) + shift).tolist()
        curve = parse_curve(DOCUMENT | {"log_bayes_factors": worth_of})
        for bare, told in zip(plain, score_clusters(units(seed), link_p, 0.4, curve), strict=True):
            assert told.score != bare.score
            before, now = (exemptions(0.01, 1e-3, s, nobody) for s in (bare, told))
            assert before == now
