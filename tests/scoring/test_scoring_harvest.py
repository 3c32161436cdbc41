from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from stillhunt.scoring.calibration import log_odds, probability
from stillhunt.scoring.controls import ALIKE, CONTROLS, PANEL, alike_controls, panel
from stillhunt.scoring.features import Units
from stillhunt.scoring.harvest import HarvestScore, score_clusters


def customers(rng: np.random.Generator, clusters: int = 3, controls: int = 150) -> Units:
    """Ordinary units; the clusters among them are drawn as the controls are."""
    n = clusters + controls
    payers = np.full(n, np.nan)
    payers[:clusters] = rng.integers(1, 4, clusters)
    return Units(
        clusters=clusters,
        exchanges=np.exp(rng.normal(5, 1, n)).astype(np.int64) + 1,
        sweep=rng.random(n),
        length=np.exp(rng.normal(5, 0.7, n)),
        intent=rng.normal(-3, 1, n),
        payers=payers,
        paying=payers + 2,
        stands_for=np.ones(n),
    )


def changed(units: Units, row: int, **values: float) -> Units:
    columns = {}
    for name, value in values.items():
        column = getattr(units, name).copy()
        column[row] = value
        columns[name] = column
    return replace(units, **columns)


def worth(score: HarvestScore) -> dict[str, float | None]:
    return {t.signal: t.log_odds for t in score.terms}


@pytest.mark.parametrize("seed", range(10))
def test_terms_add_up_to_the_score(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = customers(rng)
    if seed % 2:
        units = changed(units, 1, intent=math.nan)
    for score in score_clusters(units, rng.random(3) ** 4, prior=0.3):
        total = math.fsum(t.log_odds for t in score.terms if t.log_odds is not None)
        assert total == pytest.approx(score.score, abs=1e-9)
        assert score.probability == pytest.approx(probability(score.score))
        assert score.terms[0].signal == "prior"
        assert score.terms[0].log_odds == pytest.approx(log_odds(0.3))
        assert score.terms[-1].signal == "link"


def test_a_missing_signal_adds_nothing_and_is_said_to_be_missing() -> None:
    units = customers(np.random.default_rng(1))
    whole = np.full(len(units.exchanges), np.nan)
    without = replace(units, intent=whole)
    score = score_clusters(without, np.full(3, 1e-9))[0]
    assert worth(score)["intent"] is None
    assert "not covered" in next(t.evidence for t in score.terms if t.signal == "intent")
    # As if there were no such signal: the other terms stand undamped on their own.
    only = score_clusters(changed(without, 0, payers=math.nan), np.full(3, 1e-9))[0]
    terms = worth(only)
    assert terms["payers"] is None
    assert only.score == pytest.approx(
        (terms["prior"] or 0) + (terms["fresh_output"] or 0) + (terms["link"] or 0)
    )


def test_without_any_signal_only_the_prior_and_the_link_are_left() -> None:
    units = customers(np.random.default_rng(2))
    none = np.full(len(units.exchanges), np.nan)
    bare = replace(units, sweep=none, length=none, intent=none, payers=none)
    score = score_clusters(bare, np.full(3, 1e-12))[0]
    assert score.harvest_p is None
    assert score.floor is None
    assert score.taking_p is None
    assert score.score <= 0.0  # no better than the prior


@pytest.mark.parametrize("payers", [1, 3, 500])
def test_payers_are_told_and_change_nothing(payers: int) -> None:
    units = customers(np.random.default_rng(12))
    one, other = (
        score_clusters(changed(units, 0, payers=n, paying=500), np.full(3, 1e-9))[0]
        for n in (payers, math.nan)
    )
    assert one.payers == payers
    assert other.payers is None
    assert (one.score, one.face_value, one.harvest_p) == (
        other.score,
        other.face_value,
        other.harvest_p,
    )
    assert str(payers) in next(t.evidence for t in one.terms if t.signal == "payers")


def test_missing_is_not_zero() -> None:
    """A cluster whose intent is unknown is judged otherwise than one with the least intent."""
    units = customers(np.random.default_rng(3))
    unknown = score_clusters(changed(units, 0, intent=math.nan), np.full(3, 1e-9))[0]
    least = score_clusters(changed(units, 0, intent=-99.0), np.full(3, 1e-9))[0]
    assert unknown.score > least.score


@pytest.mark.parametrize("seed", range(10))
def test_the_rank_is_never_below_its_floor(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = customers(rng, controls=int(rng.integers(1, 200)))
    units = changed(units, 0, sweep=1.0, length=1e6, intent=50.0)
    for i, score in enumerate(score_clusters(units, np.full(3, 1e-9))):
        assert score.floor == pytest.approx(1 / (score.controls + 1))
        assert score.harvest_p is not None
        assert score.floor - 1e-12 <= score.harvest_p <= 1.0
        assert score.taking_p is not None
        assert score.taking_p >= score.floor - 1e-12
        assert score.controls == len(alike_controls(units.exchanges, units.clusters, i))
    first = score_clusters(units, np.full(3, 1e-9))[0]
    assert first.harvest_p == pytest.approx(first.floor)


def test_ordinary_clusters_are_not_called_harvests() -> None:
    """Drawn as the controls are, a cluster's rank is super-uniform."""
    rng = np.random.default_rng(9)
    ranks = []
    for _ in range(60):
        scores = score_clusters(customers(rng, clusters=4), np.full(4, 1e-9))
        ranks += [s.harvest_p for s in scores if s.harvest_p is not None]
    for level in (0.05, 0.2, 0.5):
        error = math.sqrt(level * (1 - level) / len(ranks))
        assert np.mean(np.array(ranks) <= level) <= level + 3 * error


def test_the_order_of_controls_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    units = customers(rng)
    # Ties in volume at the rim of the nearest are where order could matter.
    units = replace(units, exchanges=rng.integers(20, 60, len(units.exchanges)))
    before = score_clusters(units, np.array([1e-9, 1e-3, 0.5]))
    order = np.concatenate([np.arange(3), 3 + rng.permutation(len(units.exchanges) - 3)])
    columns = ("exchanges", "sweep", "length", "intent", "payers", "paying", "stands_for")
    moved = replace(units, **{c: getattr(units, c)[order] for c in columns})
    for one, other in zip(before, score_clusters(moved, np.array([1e-9, 1e-3, 0.5])), strict=True):
        assert one.score == pytest.approx(other.score, rel=1e-9)
        assert one.harvest_p == other.harvest_p
        assert one.taking_p == other.taking_p
        assert one.controls == other.controls
        assert [t.evidence for t in one.terms] == [t.evidence for t in other.terms]


def test_more_taking_and_more_intent_never_lower_the_score() -> None:
    units = customers(np.random.default_rng(5))
    last = -math.inf
    for step in np.linspace(0, 1, 9):
        moved = changed(units, 0, sweep=step, length=50 * 10 ** (3 * step), intent=-5 + 10 * step)
        score = score_clusters(moved, np.full(3, 1e-9))[0].score
        assert score >= last - 0.1  # the damping is estimated anew each time
        last = score
    assert last > score_clusters(changed(units, 0, sweep=0.0), np.full(3, 1e-9))[0].score


def test_doubt_whether_they_are_one_comes_off_the_whole() -> None:
    units = changed(customers(np.random.default_rng(6)), 0, sweep=1.0, length=1e5, intent=20.0)
    scores = [score_clusters(units, np.full(3, p))[0] for p in (1e-15, 1e-4, 0.05, 1.0)]
    assert all(a.score > b.score for a, b in pairwise(scores))
    assert all((worth(s)["link"] or 0) <= 1e-9 for s in scores)
    assert scores[-1].probability <= 0.5


@pytest.mark.parametrize("volume", [1, 40, 150, 10**6])
def test_controls_are_all_of_like_volume_and_the_nearest_where_few_are(volume: int) -> None:
    units = changed(customers(np.random.default_rng(7), controls=400), 0, exchanges=volume)
    near = alike_controls(units.exchanges, units.clusters, 0)
    assert len(near) >= CONTROLS
    assert near.min() >= units.clusters
    ratio = np.exp(np.abs(np.log(units.exchanges) - np.log(volume)))
    far = np.setdiff1d(np.arange(units.clusters, len(units.exchanges)), near)
    assert ratio[near].max() < ratio[far].min()
    nearest = np.sort(ratio[units.clusters :])[CONTROLS - 1]
    assert ratio[near].max() <= max(ALIKE + 1e-6, nearest)
    assert ratio[far].min() > ALIKE


def test_machines_of_one_volume_are_not_all_that_a_cluster_is_compared_with() -> None:
    """Customers who do one job every night have one volume, and next to no new answers."""
    rng = np.random.default_rng(8)
    units = customers(rng, clusters=1, controls=1000)
    units = replace(units, exchanges=np.exp(rng.normal(7, 1, 1001)).astype(np.int64) + 20)
    middling = changed(units, 0, exchanges=1500, sweep=0.5, length=150.0)
    alone = score_clusters(middling, np.array([1e-9]))[0]
    nightly = np.arange(901, 1001)
    columns = {name: getattr(middling, name).copy() for name in ("exchanges", "sweep")}
    columns["exchanges"][nightly] = 1500 + rng.integers(-10, 10, len(nightly))
    columns["sweep"][nightly] = 0.01
    beside = score_clusters(replace(middling, **columns), np.array([1e-9]))[0]
    assert alone.taking_p is not None
    assert beside.taking_p is not None
    # Of some 500 of like volume 100 are such machines: the rank can only fall by their share.
    assert alone.taking_p > beside.taking_p > 0.6 * alone.taking_p


@pytest.mark.parametrize("seed", range(5))
def test_a_panel_takes_evenly_of_each_doubling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    exchanges = np.exp(rng.normal(6, 1.2, 8000)).astype(np.int64) + 20
    exchanges[:1500] = 1540
    first_seen = rng.integers(1 << 40, size=8000)
    stands_for = panel(exchanges, first_seen)
    chosen = stands_for > 0
    for k in range(4, 20):
        here = (exchanges >= 2**k) & (exchanges < 2 ** (k + 1))
        n, kept = int(here.sum()), int(chosen[here].sum())
        assert kept <= PANEL
        assert kept == n if n <= PANEL else kept >= PANEL // 2
        assert stands_for[here].sum() == pytest.approx(n)
        # Whatever part of it is taken: its share of the panel is its share of all.
        for high in np.quantile(exchanges[here], [0.2, 0.5, 0.8]) if n > PANEL else []:
            below = here & (exchanges < high)
            assert chosen[below].sum() / kept == pytest.approx(below.sum() / n, abs=2 / kept)
    order = rng.permutation(8000)
    assert (panel(exchanges[order], first_seen[order]) == stands_for[order]).all()


def test_a_control_that_stands_for_three_counts_as_three() -> None:
    rng = np.random.default_rng(13)
    units = customers(rng, clusters=1, controls=120)
    units = replace(units, exchanges=np.full(121, 50))
    times = np.concatenate([[1], rng.integers(1, 5, 120)])
    names = ("exchanges", "sweep", "length", "intent", "payers", "paying", "stands_for")
    repeated = replace(units, **{n: np.repeat(getattr(units, n), times) for n in names})
    one = score_clusters(replace(units, stands_for=times.astype(float)), np.array([1e-9]))[0]
    other = score_clusters(repeated, np.array([1e-9]))[0]
    # The cluster's own place in the pool is as wide as one control's, and so wider among fewer.
    own = 1 / one.controls
    assert one.taking_p == pytest.approx(other.taking_p, abs=own)
    assert one.harvest_p == pytest.approx(other.harvest_p, abs=own)
    assert one.score == pytest.approx(other.score, abs=0.1)
    middle = [s.terms[1].evidence.split(" in the middle")[0] for s in (one, other)]
    assert middle[0] == middle[1]
