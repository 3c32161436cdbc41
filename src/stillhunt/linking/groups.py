"""Clusters by either road, each with its test: joined by links, or by an evenly divided sweep.

Links come first: what shares infrastructure is formed and tested as before. A sweep adds what no
link reaches: entities that sweep with a linked cluster join it, and a sweep that is nobody's
becomes a cluster of its own where its evenness says that it is one operator's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stillhunt.engines.base import Engine
from stillhunt.linking.clusters import find_clusters
from stillhunt.linking.evenness import evenness_tests
from stillhunt.linking.held_out import LinkTest, held_out_tests
from stillhunt.linking.indicators import Totals
from stillhunt.linking.links import Links
from stillhunt.linking.null_model import NullModel, adjust
from stillhunt.linking.sweeps import Sweep, find_sweeps


@dataclass(frozen=True)
class Group:
    """A cluster and how sure it is that it is one.

    Attributes:
        entities: int64 sorted.
        link: the tests on what did not form it; q_value: over all groups tested.
        sweep: what its members sweep together, where that is what joined some or all of them.
        swept: entities that the sweep brought; none of them need have a link.
        swept_q: q-value of the sweep's test.
    """

    entities: np.ndarray
    link: LinkTest
    q_value: float
    sweep: Sweep | None = None
    swept: frozenset[int] = frozenset()
    swept_q: float = 1.0


@dataclass(frozen=True)
class _Road:
    """A sweep's part: the linked cluster it extends (or -1) and the entities it brings."""

    sweep: Sweep
    home: int
    brings: np.ndarray
    test: LinkTest


def find_groups(
    engine: Engine,
    totals: Totals,
    null: NullModel,
    links: Links,
    set_aside: np.ndarray,
    level: float,
) -> list[Group]:
    """Clusters and their tests, linked ones first.

    Args:
        engine: after ``find_links``, with ``set_aside``.
        totals, null: of the incidence.
        links: all validated conjunctions.
        set_aside: entities that are never named.
        level: false discovery rate over groups.
    """
    clusters = []
    for cluster in find_clusters(links):
        kept = np.setdiff1d(cluster, set_aside, assume_unique=True)
        if len(kept) >= 2:
            clusters.append(kept)
    tested = held_out_tests(engine, totals, null, links, clusters)
    alone = adjust(np.array([t.p_value for t in tested]), max(len(tested), 1))
    home = {int(e): i for i, cluster in enumerate(clusters) if alone[i] <= level for e in cluster}
    roads = _roads(engine, find_sweeps(engine, totals), home)
    p_values = np.array([t.p_value for t in tested] + [r.test.p_value for r in roads])
    q_values = adjust(p_values, max(len(p_values), 1))
    sure = [
        (road, float(q))
        for road, q in zip(roads, q_values[len(tested) :], strict=True)
        if q <= level and len(road.brings)
    ]
    taken = np.concatenate([np.zeros(0, np.int64), *(r.brings for r, _ in sure)])
    groups = [
        _linked(i, cluster, tested[i], float(q_values[i]), sure, taken)
        for i, cluster in enumerate(clusters)
    ]
    groups += [
        Group(r.brings, r.test, q, r.sweep, frozenset(r.brings.tolist()), q)
        for r, q in sure
        if r.home < 0
    ]
    return [g for g in groups if len(g.entities) >= 2]


def _roads(engine: Engine, sweeps: Sequence[Sweep], home: dict[int, int]) -> list[_Road]:
    """What each sweep would bring: to the sure cluster most of it is, or by itself."""
    parts = []
    for sweep in sweeps:
        homes = np.array([home.get(int(e), -1) for e in sweep.entities])
        count = Counter(homes[homes >= 0].tolist())
        where = next((i for i, n in sorted(count.items()) if 2 * n > len(homes)), -1)
        free = homes < 0
        # A new cluster is tested on those it would name, an extension on whom it would join.
        kept = sweep if where >= 0 else _restrict(sweep, free)
        parts.append((kept, where, sweep.entities[free]))
    tests = evenness_tests(engine, [kept for kept, _, _ in parts], [i >= 0 for _, i, _ in parts])
    return [_Road(*part, test) for part, test in zip(parts, tests, strict=True)]


def _restrict(sweep: Sweep, to: np.ndarray) -> Sweep:
    return replace(sweep, entities=sweep.entities[to], items=sweep.items[to])


def _linked(
    i: int,
    cluster: np.ndarray,
    test: LinkTest,
    q_value: float,
    sure: Sequence[tuple[_Road, float]],
    taken: np.ndarray,
) -> Group:
    joining = [(r, q) for r, q in sure if r.home == i]
    stays = np.setdiff1d(cluster, taken, assume_unique=True)
    if not joining:
        return Group(stays, test, q_value)
    brought = np.concatenate([r.brings for r, _ in joining])
    return Group(
        np.union1d(stays, brought),
        test,
        q_value,
        joining[0][0].sweep,
        frozenset(brought.tolist()),
        max(q for _, q in joining),
    )
