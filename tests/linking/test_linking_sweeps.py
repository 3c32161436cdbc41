from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sweeping import World, load_world

from stillhunt.linking.sweeps import MAX_REPEATED, MIN_SWEEP, Sweep, find_sweeps


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
            if len(own) >= MIN_SWEEP and len(own) >= (1 - MAX_REPEATED) * len(sent):
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
                s.client,
                s.client_elsewhere,
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


def test_a_client_that_most_share_and_few_others_use_is_a_tool(tmp_path: Path) -> None:
    sweeps = found(tmp_path, mixed_world(np.random.default_rng(6)))
    assert [s.is_tool for s in sweeps if s.entities[0] >= 4000] == [True]
    assert not any(s.is_tool for s in sweeps if s.entities[0] < 4000)


def test_without_clients_a_tool_cannot_be_ruled_out(tmp_path: Path) -> None:
    world = mixed_world(np.random.default_rng(6))
    world.client.clear()
    assert all(s.client is None and s.is_tool for s in found(tmp_path, world))


def test_nothing_swept_gives_nothing(tmp_path: Path) -> None:
    world = World()
    world.chat(np.random.default_rng(1), range(40))
    assert found(tmp_path, world) == []
