"""Clusters by either road, each with its test.

Links form clusters from infrastructure and content together, and a family held out of forming
tests them. Sweeps form clusters from content alone, and infrastructure, or evenness, tests them. What
both roads find is one cluster: a sweep that is most of one validated linked cluster, or the other way
round, is joined with it. A linked cluster with several sweeps in it is several operators behind one
infrastructure, unless these have wording of their own in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.clusters import find_clusters
from stillhunt.linking.evenness import ASPECTS, core, evenness_tests
from stillhunt.linking.explained import by_place, by_tool, load_sweeps
from stillhunt.linking.held_out import HeldOutTest, LinkTest, held_out_tests
from stillhunt.linking.indicators import Totals
from stillhunt.linking.links import Links
from stillhunt.linking.null_model import NullModel, adjust
from stillhunt.linking.shared import build_meetings, member_tests, shared_tests, supported
from stillhunt.linking.sweeps import Sweep, find_sweeps
from stillhunt.linking.wording import alike_in_wording, one_sweep


@dataclass(frozen=True)
class Group:
    """A cluster and how sure it is that it is one.

    Attributes:
        entities: int64 sorted.
        link: the tests on what did not form it; q_value: over all groups tested.
        sweep: what its members sweep together, if that formed it or a part of it.
        sweep_q: q-value of the sweep's tests; 1 without one.
        tested: bool (entities of the sweep,), for whom the sweep's test speaks himself; of the others
            only what they do does.
    """

    entities: np.ndarray
    link: LinkTest
    q_value: float
    sweep: Sweep | None = None
    sweep_q: float = 1.0
    tested: np.ndarray | None = None

    @property
    def evidence(self) -> dict[int, float]:
        """Entity to the q-value that the sweep has to say of it; one half where nothing."""
        if self.sweep is None or self.tested is None:
            return {}
        q = np.where(self.tested, self.sweep_q, 0.5)
        return dict(zip(self.sweep.entities.tolist(), q.tolist(), strict=True))

    @property
    def swept(self) -> np.ndarray:
        """Entities that the sweep brought, int64 sorted; some may have links besides."""
        return np.zeros(0, np.int64) if self.sweep is None else self.sweep.entities


def find_groups(
    engine: Engine,
    totals: Totals,
    null: NullModel,
    links: Links,
    set_aside: np.ndarray,
    level: float,
) -> list[Group]:
    """Clusters and their tests; no entity is in two. Makes ``suspect`` (entity).

    Args:
        engine: after ``find_links``, with ``set_aside``.
        totals, null: of the incidence.
        links: all validated conjunctions.
        set_aside: entities that are never named.
        level: false discovery rate over groups.
    """
    linked = []
    for cluster in find_clusters(links):
        kept = np.setdiff1d(cluster, set_aside, assume_unique=True)
        if len(kept) >= 2:
            linked.append(kept)
    link_tests = held_out_tests(engine, totals, null, links, linked)
    sweeps = find_sweeps(engine, totals)
    load_sweeps(engine, sweeps)
    explained = _explained(engine, len(sweeps))
    sweep_tests = _test_sweeps(engine, totals, null, sweeps, explained)
    tests = link_tests + sweep_tests
    q = adjust(np.array([t.p_value for t in tests]), max(len(tests), 1))
    by_links = [
        Group(entities, test, float(value))
        for entities, test, value in zip(linked, link_tests, q, strict=False)
    ]
    _suspect(engine, sweeps, explained)
    by_sweeps = [
        Group(sweep.entities, test, value, sweep, value, tested)
        for sweep, tested, test, value in _named_parts(
            engine, totals, null, sweeps, sweep_tests, q, level
        )
        if len(sweep.entities) >= 2
    ]
    return _join(by_links, _reunited(engine, by_links, by_sweeps, level), level)


def _suspect(engine: Engine, sweeps: Sequence[Sweep], explained: Sequence[bool]) -> None:
    """Make ``suspect`` (entity): all in sweeps that neither a tool nor a place explains.

    They may be operators' accounts, whether or not their sweep could be validated, and must not stand
    for ordinary customers.
    """
    left = [s.entities for s, known in zip(sweeps, explained, strict=True) if not known]
    entities = np.concatenate([np.zeros(0, np.int64), *left])
    engine.load("suspect", pa.table({"entity": pa.array(np.unique(entities), pa.int64())}))


def _explained(engine: Engine, sweeps: int) -> list[bool]:
    if not sweeps:
        return []
    return [
        tool or place
        for tool, place in zip(by_tool(engine, sweeps), by_place(engine, sweeps), strict=True)
    ]


def _named_parts(
    engine: Engine,
    totals: Totals,
    null: NullModel,
    sweeps: Sequence[Sweep],
    tests: Sequence[LinkTest],
    q_values: np.ndarray,
    level: float,
) -> Iterator[tuple[Sweep, np.ndarray, LinkTest, float]]:
    """Of each validated sweep its members, for whom of them its test speaks, it, and its q-value."""
    members = member_tests(engine, totals, null, sweeps) if sweeps else []
    for sweep, test, p_values, value in zip(
        sweeps, tests, members, q_values[len(q_values) - len(sweeps) :].tolist(), strict=True
    ):
        if value > level:
            continue
        # Evenness is tested on those who do enough; it says nothing of the others.
        if test.tests[0].family in ASPECTS:
            part = core(sweep)
            yield part, np.ones(len(part.entities), dtype=bool), test, value
        else:
            yield *supported(sweep, p_values), test, value


def _test_sweeps(
    engine: Engine,
    totals: Totals,
    null: NullModel,
    sweeps: Sequence[Sweep],
    explained: Sequence[bool],
) -> list[LinkTest]:
    if not sweeps:
        return []
    build_meetings(engine, totals)
    shared = shared_tests(engine, totals, null, [len(s.entities) for s in sweeps])
    even = evenness_tests(engine, sweeps, explained)
    return [_together(a + b) for a, b in zip(shared, even, strict=True)]


def _together(tests: list[HeldOutTest]) -> LinkTest:
    """Bonferroni over the tests of one sweep; p = 1 without any."""
    p_value = min(1.0, len(tests) * min((t.p_value for t in tests), default=1.0))
    return LinkTest(p_value, tuple(sorted(tests, key=lambda t: t.p_value)))


def _reunited(
    engine: Engine, by_links: list[Group], by_sweeps: list[Group], level: float
) -> list[Group]:
    """The sweeps' groups, those of one linked cluster that have wording of their own in common made one."""
    several = [
        (cluster, found)
        for cluster, found in zip(by_links, _partners(by_links, by_sweeps, level), strict=True)
        if len(found) > 1
    ]
    parts = [[by_sweeps[j].entities for j in found] for _, found in several]
    wholes = [
        np.unique(np.concatenate([cluster.entities, *swept]))
        for (cluster, _), swept in zip(several, parts, strict=True)
    ]
    one = np.arange(len(by_sweeps))
    for (_, found), alike in zip(several, alike_in_wording(engine, wholes, parts), strict=True):
        for part, first in enumerate(alike):
            one[one == one[found[part]]] = one[found[first]]
    return [
        _merged([by_sweeps[j] for j in np.flatnonzero(one == kept)]) for kept in dict.fromkeys(one)
    ]


def _merged(parts: list[Group]) -> Group:
    """Sweeps' groups as one. The surest test speaks for it, each member's for himself."""
    if len(parts) == 1:
        return parts[0]
    whole = one_sweep([part.sweep for part in parts if part.sweep is not None])
    order = np.argsort(np.concatenate([part.entities for part in parts]))
    tested = [part.tested for part in parts if part.tested is not None]
    surest = min(parts, key=lambda g: (g.q_value, g.link.p_value))
    tests = sorted((t for part in parts for t in part.link.tests), key=lambda t: t.p_value)
    return Group(
        whole.entities,
        LinkTest(surest.link.p_value, tuple(tests)),
        surest.q_value,
        whole,
        max(part.sweep_q for part in parts),
        np.concatenate(tested)[order] if len(tested) == len(parts) else None,
    )


def _partners(by_links: list[Group], by_sweeps: list[Group], level: float) -> list[list[int]]:
    """Of each linked cluster, the sweeps (rows) that it shares more than half of the smaller with."""
    partners: list[list[int]] = [[] for _ in by_links]
    for j, sweep in enumerate(by_sweeps):
        for i, cluster in enumerate(by_links):
            if cluster.q_value > level:
                continue
            common = len(np.intersect1d(sweep.entities, cluster.entities, assume_unique=True))
            if 2 * common > min(len(sweep.entities), len(cluster.entities)):
                partners[i].append(j)
    return partners


def _join(by_links: list[Group], by_sweeps: list[Group], level: float) -> list[Group]:
    """One cluster of what both roads found, and no entity in two."""
    joined: list[list[Group]] = [[sweep] for sweep in by_sweeps]
    left = []
    for cluster, found in zip(by_links, _partners(by_links, by_sweeps, level), strict=True):
        # A linked cluster that holds two sweeps is two operators behind one infrastructure.
        if len(found) == 1:
            joined[found[0]].append(cluster)
        else:
            left.append(cluster)
    swept = np.concatenate([np.zeros(0, np.int64), *(g.entities for g in by_sweeps)])
    groups = [_union(parts, swept) for parts in joined]
    taken = np.concatenate([np.zeros(0, np.int64), *(g.entities for g in groups)])
    for cluster in left:
        rest = np.setdiff1d(cluster.entities, taken, assume_unique=True)
        if len(rest) == len(cluster.entities):
            groups.append(cluster)
        elif len(rest) >= 2:
            # The test was of them all: it speaks for the rest where that is most of them.
            same = 2 * len(rest) > len(cluster.entities)
            groups.append(
                Group(rest, cluster.link, cluster.q_value)
                if same
                else Group(rest, LinkTest(1.0, ()), 1.0)
            )
    return sorted(groups, key=lambda g: (-len(g.entities), int(g.entities[0])))


def _union(parts: list[Group], swept: np.ndarray) -> Group:
    """A sweep's group and the linked ones that are the same operator's; each has its own test.

    Entities of another sweep stay with that.
    """
    entities = parts[0].entities
    for part in parts[1:]:
        entities = np.union1d(entities, np.setdiff1d(part.entities, swept))
    surest = min(parts, key=lambda g: (g.q_value, g.link.p_value))
    tests = tuple(t for part in parts for t in part.link.tests)
    return Group(
        entities,
        LinkTest(surest.link.p_value, tuple(sorted(tests, key=lambda t: t.p_value))),
        surest.q_value,
        parts[0].sweep,
        parts[0].sweep_q,
        parts[0].tested,
    )
