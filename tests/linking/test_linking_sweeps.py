from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sweeping import World, load_world

from stillhunt.linking.explained import by_place, by_tool, load_sweeps
from stillhunt.linking.sweeps import MAX_REPEATED, MIN_EDGE, Sweep, find_sweeps, resemblance


def mixed_world(rng: np.random.Generator) -> World:
    """Two operators that share a public template, laboratories, a tool, a crowd."""
    world = World()
    world.chat(rng, range(150))
    for e in range(1000, 1015):
        world.sweep(e, [11, 12, 99], int(rng.poisson(60)), e)
    for e in range(2000, 2012):
        world.sweep(e, [21, 21, 21, 99], int(rng.poisson(60)), e)
    for e in range(3000, 3008):
        world.sweep(e, [99], 40, e, shared=40)
    for e in range(4000, 4020):
        world.sweep(e, [41], 20 + int(rng.lognormal(3.0, 0.9)), 7)
    return world


def found(folder: Path, world: World, set_aside: tuple[int, ...] = ()) -> list[Sweep]:
    engine, totals = load_world(folder, world, set_aside)
    with engine:
        return find_sweeps(engine, totals)


@pytest.mark.parametrize("seed", range(5))
def test_operators_stay_apart_though_they_share_a_public_template(
    tmp_path: Path, seed: int
) -> None:
    sweeps = found(tmp_path, mixed_world(np.random.default_rng(seed)))
    groups = [set((s.entities // 1000).tolist()) for s in sweeps]
    assert sorted(map(sorted, groups)) == [[1], [2], [4]]
    assert {len(s.entities) for s in sweeps if s.entities[0] < 4000} == {15, 12}


def test_counts_are_those_of_a_plain_reading(tmp_path: Path) -> None:
    world = mixed_world(np.random.default_rng(3))
    # Items that two members of one operator both send: a few, and more than a tenth.
    for i in range(3):
        world.rows += [(1000, 10_000_000 + i, 11, 50), (1001, 10_000_000 + i, 11, 50)]
    for i in range(30):
        world.rows += [(1002, 20_000_000 + i, 11, 50), (1002, 20_000_000 + i, 11, 50)]
    senders: dict[int, set[int]] = {}
    for e, item, _, _ in world.rows:
        senders.setdefault(item, set()).add(e)
    sweeps = found(tmp_path, world)
    for sweep in sweeps:
        templates = set(sweep.templates.tolist())
        counted = {}
        for e in sorted({r[0] for r in world.rows if r[0] // 1000 == sweep.entities[0] // 1000}):
            sent = [i for s, i, t, _ in world.rows if s == e and t in templates]
            own = {i for i in sent if len(senders[i]) == 1}
            if len(own) >= MIN_EDGE and len(own) >= (1 - MAX_REPEATED) * len(sent):
                counted[e] = len(own)
        assert counted == dict(zip(sweep.entities.tolist(), sweep.items.tolist(), strict=True))
    members = {e for s in sweeps for e in s.entities.tolist()}
    assert {1000, 1001} <= members
    assert 1002 not in members


def test_names_and_row_order_change_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    world = mixed_world(rng)
    entities = sorted(world.client)
    name = dict(zip(entities, rng.permutation(10**6)[: len(entities)].tolist(), strict=True))
    other = world.renamed(name, rng.permutation(len(world.rows)))

    def facts(sweeps: list[Sweep], back: dict[int, int]) -> list[object]:
        return sorted(
            (
                sorted(back[e] for e in s.entities.tolist()),
                s.templates.tolist(),
                sorted(s.items.tolist()),
            )
            for s in sweeps
        )

    back = {b: a for a, b in name.items()}
    same = {e: e for e in entities}
    assert facts(found(tmp_path, world), same) == facts(found(tmp_path, other), back)


def test_who_is_set_aside_is_in_no_sweep(tmp_path: Path) -> None:
    world = mixed_world(np.random.default_rng(4))
    sweeps = found(tmp_path, world, set_aside=(1003, 2001))
    members = {e for s in sweeps for e in s.entities.tolist()}
    assert not members & {1003, 2001}


def explained(folder: Path, world: World) -> dict[int, tuple[bool, bool]]:
    engine, totals = load_world(folder, world)
    with engine:
        sweeps = find_sweeps(engine, totals)
        load_sweeps(engine, sweeps)
        both = zip(by_tool(engine, len(sweeps)), by_place(engine, len(sweeps)), strict=True)
        return {int(s.entities[0]) // 1000: pair for s, pair in zip(sweeps, both, strict=True)}


def test_a_client_that_most_share_and_few_others_use_is_a_tool(tmp_path: Path) -> None:
    found = explained(tmp_path, mixed_world(np.random.default_rng(6)))
    assert {who: tool for who, (tool, _) in found.items()} == {1: False, 2: False, 4: True}
    assert not any(place for _, place in found.values())


def test_without_clients_a_tool_cannot_be_ruled_out(tmp_path: Path) -> None:
    world = mixed_world(np.random.default_rng(6))
    world.client.clear()
    assert all(tool for tool, _ in explained(tmp_path, world).values())


def test_an_address_that_most_share_is_a_place(tmp_path: Path) -> None:
    world = mixed_world(np.random.default_rng(6))
    world.address = {e: 1 if e % 4 else 2 for e in range(1000, 1015)}
    assert {w: place for w, (_, place) in explained(tmp_path, world).items()} == {
        1: True,
        2: False,
        4: False,
    }


def test_one_phrase_in_common_makes_nobody_a_member_nor_does_a_whole_class_with_it(
    tmp_path: Path,
) -> None:
    world = World()
    rng = np.random.default_rng(13)
    world.chat(rng, range(300))
    for e in range(1000, 1040):
        world.sweep(e, [11, 12, 13, 14], 60, e)
    for e in range(5000, 5010):
        world.sweep(e, [14, 14, 14, 51], 30, e)
        world.address[e] = 77
    (sweep,) = (s for s in found(tmp_path, world) if 1000 in s.entities)
    assert sweep.entities.tolist() == list(range(1000, 1040))


def test_resemblance_is_the_cosine_with_those_elsewhere() -> None:
    rng = np.random.default_rng(3)
    use = rng.random((9, 6)) * (rng.random((9, 6)) < 0.6)
    use[:, 0] += 0.1
    place = np.array([0, 0, 0, 1, 1, 2, 3, 4, 5])
    row, column = np.nonzero(use)
    found = resemblance(row, column, use[row, column], place[row])
    unit = use / np.linalg.norm(use, axis=1, keepdims=True)
    for i in range(9):
        others = unit[place != place[i]].sum(axis=0)
        assert found[i] == pytest.approx(unit[i] @ others / np.linalg.norm(others), abs=1e-8)
    together = resemblance(row, column, use[row, column], np.zeros(len(row), np.int64))
    for i in range(9):
        others = unit.sum(axis=0) - unit[i]
        assert together[i] == pytest.approx(unit[i] @ others / np.linalg.norm(others), abs=1e-8)


def test_nothing_swept_gives_nothing(tmp_path: Path) -> None:
    world = World()
    world.chat(np.random.default_rng(1), range(40))
    assert found(tmp_path, world) == []
