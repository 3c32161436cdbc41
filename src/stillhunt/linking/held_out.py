"""Are they one? A cluster's test on indicators that had no part in forming it.

What formed a cluster cannot also convict it. So clusters are formed again without one family at a
time, and that family then tests them: under the null model its values fall on the members by
their degrees alone, whatever the other families did. The p-value of a cluster so formed is the
least tail over the family's values, times their number (Bonferroni), so it is valid whatever the
dependence between values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stillhunt.engines.base import Engine
from stillhunt.linking.clusters import find_clusters
from stillhunt.linking.families import HELD_OUT, pairs_without
from stillhunt.linking.indicators import Totals, group_degrees, load_groups
from stillhunt.linking.links import Links, most_telling
from stillhunt.linking.null_model import NullModel, log_tail


@dataclass(frozen=True)
class HeldOutTest:
    """One test of one cluster.

    Attributes:
        family: the indicators that tested, or an aspect of ``linking.evenness``; their part in
            forming was none.
        entities: how many members the cluster had as formed without them; of an aspect, how many places
            they are in.
        shared: how many of those carry the most telling value; of an aspect, how many are within a
            factor of 1.5 of the middle one.
        expected: how many would, were they strangers.
        p_value: after Bonferroni over the family's values.
    """

    family: str
    entities: int
    shared: int
    expected: float
    p_value: float


@dataclass(frozen=True)
class LinkTest:
    """All held-out tests of a cluster and the p-value they come to together.

    Attributes:
        p_value: the least of the tests times their number; 1 where none could be made.
        tests: one for each family that could be held out.
    """

    p_value: float
    tests: tuple[HeldOutTest, ...]


def held_out_tests(
    engine: Engine, totals: Totals, null: NullModel, links: Links, clusters: Sequence[np.ndarray]
) -> list[LinkTest]:
    """Test each cluster on what did not form it.

    Args:
        engine: with ``incidence``, ``degree`` and ``popularity``.
        totals, null: of the whole incidence.
        links: all validated conjunctions.
        clusters: entities of each, from ``find_clusters`` with all pairs.
    """
    rounds = [held for held in HELD_OUT if totals.shareable[held[0]] > 0]
    found: list[list[HeldOutTest]] = [[] for _ in clusters]
    for held in rounds:
        formed = find_clusters(links, pairs_without(held))
        if not formed:
            continue
        tests = _test_family(engine, totals, null, held[0], formed)
        home = {int(e): i for i, c in enumerate(formed) for e in c}
        for i, cluster in enumerate(clusters):
            equals = [tests[j] for j in _counterparts(cluster, formed, home)]
            if equals:
                # Which of equals it is must hang neither on names nor on which is surest.
                found[i].append(max(equals, key=lambda t: (t.p_value, t.expected, t.shared)))
    return [
        LinkTest(
            p_value=min(1.0, len(rounds) * min((t.p_value for t in tests), default=1.0)),
            tests=tuple(sorted(tests, key=lambda t: t.p_value)),
        )
        for tests in found
    ]


def _counterparts(
    cluster: np.ndarray, formed: Sequence[np.ndarray], home: dict[int, int]
) -> list[int]:
    """The cluster formed without a family that is mostly this one, and this one mostly it.

    A test of a small part would convict the rest. There may be two, each half of the cluster.

    Args:
        cluster: entities.
        formed: entities of the others; home: which of them an entity is in.
    """
    common = Counter(home[e] for e in cluster.tolist() if e in home)
    candidates = {
        i: n for i, n in common.items() if n >= 2 and 2 * n >= max(len(formed[i]), len(cluster))
    }
    return [i for i, n in candidates.items() if n == max(candidates.values())]


def _test_family(
    engine: Engine, totals: Totals, null: NullModel, family: str, formed: Sequence[np.ndarray]
) -> list[HeldOutTest]:
    load_groups(engine, "formed", formed)
    rows = engine.query(
        f"""
        SELECT s.cluster, s.n, s.value, p.entities AS popularity
        FROM (
            SELECT f.cluster, i.value, COUNT(*) AS n
            FROM formed AS f JOIN incidence AS i ON i.entity = f.entity
            WHERE i.family = '{family}'
            GROUP BY f.cluster, i.value
            HAVING COUNT(*) >= 2
        ) AS s
        JOIN popularity AS p ON p.family = '{family}' AND p.value = s.value
        WHERE p.entities <= {most_telling(totals)}
        """  # noqa: S608
    )
    cluster = np.asarray(rows.column("cluster"))
    count = np.asarray(rows.column("n"))
    sizes = np.array([len(c) for c in formed])
    expected = null.group(
        family,
        group_degrees(engine, "formed", family),
        cluster,
        np.asarray(rows.column("popularity")),
    )
    log_p = log_tail(count, expected)
    out = []
    for i in range(len(formed)):
        here = np.flatnonzero(cluster == i)
        if len(here) == 0:
            out.append(HeldOutTest(family, int(sizes[i]), 0, 0.0, 1.0))
            continue
        best = here[np.argmin(log_p[here])]
        p = min(1.0, float(np.exp(log_p[best])) * totals.shareable[family])
        out.append(HeldOutTest(family, int(sizes[i]), int(count[best]), float(expected[best]), p))
    return out
