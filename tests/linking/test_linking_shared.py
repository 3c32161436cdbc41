from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from incidences import Edges, load, strangers

from stillhunt.engines.base import Engine
from stillhunt.linking.explained import load_sweeps
from stillhunt.linking.held_out import HeldOutTest
from stillhunt.linking.indicators import Totals
from stillhunt.linking.null_model import NullModel
from stillhunt.linking.shared import (
    build_meetings,
    expected_shared,
    likeness,
    member_tests,
    shared_tests,
    supported,
)
from stillhunt.linking.sweeps import Edges as Use
from stillhunt.linking.sweeps import Sweep

ENTITIES = 2000
FAMILIES = {"template": 100, "address": 3000, "payment": 1500}
NONE = np.zeros(0, dtype=np.int64)


def world(folder: Path, edges: Edges, networks: int = 10**9) -> tuple[Engine, Totals]:
    """Incidence and the observations behind its addresses; an address lies in one network."""
    engine, totals = load(folder, edges)
    entity, address = edges["address"].T
    engine.load(
        "whereabouts",
        pa.table(
            {
                "entity": pa.array(entity),
                "address": pa.array(address),
                "network": pa.array(address % networks),
            }
        ),
    )
    return engine, totals


def bare(entities: np.ndarray) -> Sweep:
    """A sweep of entities whose templates do not matter."""
    nothing = Use(NONE, NONE, NONE, np.zeros(0))
    return Sweep(
        np.sort(entities), np.ones(len(entities), np.int64), NONE, nothing, np.sort(entities)
    )


def outcome_of(
    engine: Engine, totals: Totals, groups: list[np.ndarray]
) -> list[dict[str, HeldOutTest]]:
    load_sweeps(engine, [bare(g) for g in groups])
    build_meetings(engine, totals)
    found = shared_tests(engine, totals, NullModel(totals), [len(g) for g in groups])
    return [{t.family: t for t in tests} for tests in found]


@pytest.mark.parametrize("size", [5, 30, 120])
def test_p_values_of_strangers_are_super_uniform(tmp_path: Path, size: int) -> None:
    p: dict[str, list[float]] = {"address": [], "payment": []}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        engine, totals = world(tmp_path, strangers(rng, ENTITIES, FAMILIES))
        with engine:
            groups = [rng.choice(ENTITIES, size, replace=False) for _ in range(150)]
            for tests in outcome_of(engine, totals, groups):
                for family, test in tests.items():
                    p[family].append(test.p_value)
    for values in p.values():
        for level in (0.5, 0.2, 0.1, 0.05, 0.01):
            error = np.sqrt(level * (1 - level) / len(values))
            assert np.mean(np.array(values) <= level) <= level + 3 * error, level


def test_what_is_expected_is_what_strangers_share() -> None:
    """Against simulation of the null model itself: every pair falls independently."""
    rng = np.random.default_rng(5)
    carrying = np.array([[0.001, 0.02], [0.01, 0.15]])
    popularities = np.array([[3, 40], [400, 25]])
    degrees = np.array([[0, 0], [1, 9], [30, 12]])  # group 0: thirty of degree 1, twelve of 9
    expected = expected_shared(carrying, np.array([1, 9]), popularities, degrees, 1)[0]
    chance = np.repeat(np.repeat(carrying, popularities[1], axis=1), [30, 12], axis=0)
    drawn = [int(np.sum((rng.random(chance.shape) < chance).sum(axis=0) >= 2)) for _ in range(400)]
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert expected == pytest.approx(np.mean(drawn), abs=3.5 * error)


def test_many_places_tell_and_one_does_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    edges = strangers(rng, ENTITIES, FAMILIES)
    operator, classmates = np.arange(0, 30), np.arange(40, 70)
    met = [(e, 1_000_000 + int(v)) for e in operator for v in rng.integers(0, 60, 6)]
    room = [(e, 2_000_000 + 10 * int(v)) for e in classmates for v in rng.integers(0, 8, 3)]
    edges["address"] = np.unique(np.concatenate([edges["address"], met, room]), axis=0)
    # Addresses of the room differ, but lie in one network.
    edges["address"] = edges["address"][edges["address"][:, 1] != 0]
    engine, totals = load(tmp_path, edges)
    entity, address = edges["address"].T
    network = np.where(address >= 2_000_000, -1, address)
    engine.load(
        "whereabouts",
        pa.table(
            {
                "entity": pa.array(entity),
                "address": pa.array(address),
                "network": pa.array(network),
            }
        ),
    )
    with engine:
        operator_tests, room_tests = outcome_of(engine, totals, [operator, classmates])
    assert operator_tests["address"].p_value < 0.01
    assert room_tests["address"].p_value > 0.01
    pairs = {}
    for e, v in edges["address"].tolist():
        if e in operator:
            pairs.setdefault(v, set()).add(e)
    assert operator_tests["address"].shared == sum(len(s) > 1 for s in pairs.values()) - 1


def test_one_payer_of_many_tells(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    edges = strangers(rng, ENTITIES, FAMILIES)
    paid = edges["payment"]
    bundle = np.arange(100, 130)
    paid = paid[~np.isin(paid[:, 0], bundle)]
    more = [(int(e), 5_000_000 + i // 3) for i, e in enumerate(bundle)]
    edges["payment"] = np.unique(np.concatenate([paid, more]), axis=0)
    engine, totals = world(tmp_path, edges)
    with engine:
        (tests,) = outcome_of(engine, totals, [bundle])
    assert tests["payment"].shared == 10
    assert tests["payment"].p_value < 0.01


def test_no_family_no_test(tmp_path: Path) -> None:
    edges = strangers(np.random.default_rng(1), ENTITIES, FAMILIES)
    edges["payment"] = np.column_stack([np.arange(ENTITIES), np.arange(ENTITIES)])
    engine, totals = world(tmp_path, edges)
    with engine:
        (tests,) = outcome_of(engine, totals, [np.arange(10)])
    assert set(tests) == {"address"}


def test_members_p_values_are_super_uniform_among_strangers(tmp_path: Path) -> None:
    p = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        engine, totals = world(tmp_path, strangers(rng, ENTITIES, FAMILIES))
        with engine:
            groups = [bare(rng.choice(ENTITIES, 40, replace=False)) for _ in range(40)]
            load_sweeps(engine, groups)
            build_meetings(engine, totals)
            p += [v for one in member_tests(engine, totals, NullModel(totals), groups) for v in one]
    for level in (0.5, 0.2, 0.1, 0.05, 0.01):
        # Members of one group meet one another, so errors go by groups.
        assert np.mean(np.array(p) <= level) <= level + 3 * np.sqrt(level / 160), level


def test_members_who_meet_are_told_from_one_who_does_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    edges = strangers(rng, ENTITIES, FAMILIES)
    members = np.arange(30)
    pool = 1_000_000 + np.arange(80)
    edges["address"] = edges["address"][edges["address"][:, 0] >= 30]
    own = [(e, 2_000_000 + e) for e in members]
    met = [(int(e), int(v)) for e in members[:24] for v in rng.choice(pool, 8, replace=False)]
    edges["address"] = np.unique(np.concatenate([edges["address"], own, met]), axis=0)
    engine, totals = world(tmp_path, edges)
    sweep = bare(members)
    with engine:
        load_sweeps(engine, [sweep])
        build_meetings(engine, totals)
        (p,) = member_tests(engine, totals, NullModel(totals), [sweep])
    assert np.all(p[:24] < 0.05)
    assert np.all(p[24:] > 0.05)


def profiles(use: np.ndarray) -> Sweep:
    """A sweep of entities with so many own items through each template."""
    row, column = np.nonzero(use)
    n = use[row, column]
    edges = Use(row, column, n, n.astype(float))
    return Sweep(
        np.arange(len(use)), use.sum(axis=1), np.arange(use.shape[1]), edges, np.arange(len(use))
    )


def test_likeness_is_the_cosine_with_the_others_of_the_reference() -> None:
    rng = np.random.default_rng(2)
    use = rng.integers(0, 20, (9, 5)) + np.eye(9, 5, dtype=np.int64)
    reference = rng.random(9) < 0.6
    found = likeness(profiles(use), reference)
    unit = use / np.linalg.norm(use, axis=1, keepdims=True)
    for i in range(9):
        others = unit[reference & (np.arange(9) != i)].sum(axis=0)
        assert found[i] == pytest.approx(unit[i] @ others / np.linalg.norm(others), abs=1e-8)


def test_who_copied_one_prompt_of_three_is_dropped_and_who_does_the_same_stays() -> None:
    rng = np.random.default_rng(4)
    members = rng.multinomial(60, [1 / 3, 1 / 3, 1 / 3], 40)
    copiers = np.tile([40, 0, 0], (8, 1))
    sweep = profiles(np.concatenate([members, copiers]))
    p = np.r_[np.full(30, 1e-6), np.ones(18)]  # ten members meet nobody
    stay, meets = supported(sweep, p)
    kept = stay.entities
    assert kept[meets].tolist() == list(range(30))
    assert set(range(30)) <= set(kept.tolist())
    assert len(set(range(30, 40)) & set(kept.tolist())) >= 6
    assert not set(range(40, 48)) & set(kept.tolist())


def test_where_nobody_meets_anybody_nobody_is_vouched_for() -> None:
    stay, _ = supported(profiles(np.full((6, 2), 10)), np.ones(6))
    assert len(stay.entities) == 0


def test_too_few_who_meet_or_one_template_vouch_for_nobody_else() -> None:
    several = profiles(np.full((20, 3), 10))
    few, _ = supported(several, np.r_[np.full(8, 1e-6), np.ones(12)])
    assert few.entities.tolist() == list(range(8))
    one, _ = supported(profiles(np.full((60, 1), 30)), np.r_[np.full(30, 1e-6), np.ones(30)])
    assert one.entities.tolist() == list(range(30))
