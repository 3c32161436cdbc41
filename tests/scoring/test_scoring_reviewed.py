from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from stillhunt.scoring.features import Units
from stillhunt.scoring.harvest import score_clusters
from stillhunt.scoring.reviewed import (
    PSEUDO_VERDICTS,
    compared_with,
    score_reviewed,
    updated_prior,
)

COLUMNS = [f.name for f in fields(Units) if f.name != "clusters"]


def units(clusters: int, ordinary: int, seed: int = 0) -> Units:
    random = np.random.default_rng(seed)
    n = clusters + ordinary
    columns = {
        name: np.where(random.random(n) < 0.3, np.nan, random.poisson(1.0, n).astype(float))
        for name in COLUMNS
    } | {
        "exchanges": random.integers(20, 400, n),
        "sweep": random.random(n),
        "length": random.gamma(2.0, 200.0, n),
        "intent": random.normal(size=n),
        "stands_for": np.ones(n),
    }
    return Units(clusters=clusters, **columns)


@given(st.floats(0.01, 0.99), st.integers(1, 40), st.integers(1, 40))
def test_the_prior_is_the_mean_of_the_posterior(stated: float, yes: int, no: int) -> None:
    # By Bayes' rule on a grid, knowing nothing of conjugacy.
    at = (np.arange(20_000) + 0.5) / 20_000
    density = beta.pdf(at, PSEUDO_VERDICTS * stated, PSEUDO_VERDICTS * (1 - stated))
    posterior = density * at**yes * (1 - at) ** no
    assert updated_prior(stated, yes, no).mean == pytest.approx(
        float(np.sum(at * posterior) / np.sum(posterior)), abs=1e-3
    )


@given(st.floats(0.01, 0.99), st.integers(0, 40), st.integers(0, 40))
def test_more_confirmed_raises_it_more_lawful_lowers_it(stated: float, yes: int, no: int) -> None:
    here = updated_prior(stated, yes, no).mean
    assert updated_prior(stated, yes + 1, no).mean > here > updated_prior(stated, yes, no + 1).mean
    assert updated_prior(stated, 0, 0).mean == pytest.approx(stated)


@pytest.mark.parametrize("seed", range(5))
def test_without_verdicts_nothing_changes(seed: int) -> None:
    these = units(4, 150, seed)
    link_p = np.full(4, 1e-12)
    assert score_reviewed(these, link_p, 0.3, [None] * 4) == score_clusters(these, link_p, 0.3)
    assert score_reviewed(these, link_p, 0.3, ["unsure"] * 4) == score_clusters(these, link_p, 0.3)


@pytest.mark.parametrize("seed", range(5))
def test_its_own_verdict_changes_no_cluster(seed: int) -> None:
    these = units(3, 150, seed)
    link_p = np.full(3, 1e-12)
    plain = score_clusters(these, link_p, 0.5)
    for word in ("confirmed", "lawful"):
        assert score_reviewed(these, link_p, 0.5, [word, None, None])[0] == plain[0]


def test_a_lawful_cluster_becomes_a_control_of_the_others() -> None:
    these = units(2, 60)
    scores = score_reviewed(these, np.full(2, 1e-12), 0.5, ["lawful", None])
    plain = score_clusters(these, np.full(2, 1e-12), 0.5)
    assert scores[1].controls == plain[1].controls + 1
    assert scores[0].controls == plain[0].controls
    added = compared_with(these, 1, [0])
    assert added.exchanges[0] == these.exchanges[1]
    assert added.exchanges[-1] == these.exchanges[0]
    assert added.clusters == 1


def test_an_equal_that_was_judged_lawful_speaks_against_a_cluster() -> None:
    these = units(2, 60)
    for column in (these.sweep, these.length, these.intent, these.exchanges):
        column[1] = column[0]
    these.sweep[:2], these.length[:2], these.intent[:2] = 1.0, 5000.0, 9.0
    link_p = np.full(2, 1e-12)
    alone = score_clusters(these, link_p, 0.5)[1]
    told = score_reviewed(these, link_p, 0.5, ["lawful", None])[1]
    assert alone.harvest_p is not None
    assert told.harvest_p is not None
    assert told.harvest_p > alone.harvest_p
    assert told.probability < alone.probability


def test_verdicts_on_campaigns_that_are_gone_count_for_the_prior() -> None:
    these = units(1, 60)
    link_p = np.array([1e-12])
    assert (
        score_reviewed(these, link_p, 0.5, [None], 3, 0)[0].score
        > score_clusters(these, link_p, 0.5)[0].score
        > score_reviewed(these, link_p, 0.5, [None], 0, 3)[0].score
    )


def test_the_order_of_clusters_does_not_matter() -> None:
    these = units(3, 80)
    order = np.array([2, 0, 1, *range(3, 83)])
    turned = Units(clusters=3, **{name: getattr(these, name)[order] for name in COLUMNS})
    link_p = np.full(3, 1e-9)
    words = ["lawful", "confirmed", None]
    one = score_reviewed(these, link_p, 0.5, words)
    other = score_reviewed(turned, link_p, 0.5, [words[i] for i in order[:3]])
    assert [one[i] for i in order[:3]] == other
