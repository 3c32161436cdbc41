from __future__ import annotations

import numpy as np

from stillhunt.linking.groups import Group, _join
from stillhunt.linking.held_out import LinkTest
from stillhunt.linking.sweeps import Edges, Sweep


def linked(*entities: int, q: float = 1e-6) -> Group:
    return Group(np.array(sorted(entities)), LinkTest(q, ()), q)


def swept(*entities: int, q: float = 1e-6) -> Group:
    members = np.array(sorted(entities))
    edges = Edges(
        members, np.full(len(members), 7), np.full(len(members), 30), np.ones(len(members))
    )
    sweep = Sweep(members, np.full(len(members), 30), np.array([7]), edges, members)
    return Group(members, LinkTest(q, ()), q, sweep, q)


def members(groups: list[Group]) -> list[list[int]]:
    return sorted(g.entities.tolist() for g in groups)


def test_what_both_roads_found_is_one() -> None:
    groups = _join([linked(1, 2, 3)], [swept(2, 3, 4, 5)], 0.01)
    assert members(groups) == [[1, 2, 3, 4, 5]]
    assert groups[0].swept.tolist() == [2, 3, 4, 5]


def test_the_surer_test_speaks_for_both() -> None:
    (group,) = _join([linked(1, 2, 3, q=1e-9)], [swept(1, 2, 3, q=1e-3)], 0.01)
    assert group.q_value == group.link.p_value == 1e-9
    assert group.sweep_q == 1e-3


def test_two_sweeps_behind_one_infrastructure_stay_two() -> None:
    groups = _join([linked(*range(12))], [swept(0, 1, 2, 3), swept(4, 5, 6, 7)], 0.01)
    assert members(groups) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_fragments_of_one_sweep_are_joined() -> None:
    groups = _join([linked(1, 2), linked(3, 4, 9)], [swept(1, 2, 3, 4, 5)], 0.01)
    assert members(groups) == [[1, 2, 3, 4, 5, 9]]


def test_what_is_not_sure_joins_nothing_and_loses_what_is_swept() -> None:
    groups = _join([linked(1, 2, 3, 4, 5, q=0.2)], [swept(1, 2, 3)], 0.01)
    assert members(groups) == [[1, 2, 3], [4, 5]]


def test_no_entity_is_in_two() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        order = rng.permutation(40)
        cuts = np.sort(rng.choice(np.arange(1, 40), 5, replace=False))
        links = [
            linked(*part.tolist(), q=float(rng.choice([1e-5, 0.5])))
            for part in np.split(order, cuts)
        ]
        order = rng.permutation(40)[:30]
        sweeps = [swept(*part.tolist()) for part in np.array_split(order, 4)]
        groups = _join([g for g in links if len(g.entities) > 1], sweeps, 0.01)
        everyone = np.concatenate([g.entities for g in groups])
        assert len(everyone) == len(np.unique(everyone))
        assert set(order.tolist()) <= set(everyone.tolist())
