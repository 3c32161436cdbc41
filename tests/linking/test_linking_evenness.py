from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2
from sweeping import World, load_world

from stillhunt.linking.evenness import ASPECTS, PACE, evenness_p, evenness_tests, of_places
from stillhunt.linking.explained import by_tool, load_sweeps
from stillhunt.linking.held_out import HeldOutTest
from stillhunt.linking.sweeps import find_sweeps


@pytest.mark.parametrize("members", [3, 8, 30])
@pytest.mark.parametrize("typical", [25.0, 200.0])
def test_p_values_of_independent_customers_are_super_uniform(members: int, typical: float) -> None:
    rng = np.random.default_rng(11)
    spread = 0.4
    p = []
    for _ in range(4000):
        intended = np.exp(rng.normal(np.log(typical), spread, members))
        p.append(evenness_p(np.log(np.maximum(rng.poisson(intended), 1)), spread))
    for level in (0.5, 0.2, 0.1, 0.05, 0.01, 0.002):
        error = np.sqrt(level * (1 - level) / len(p))
        assert np.mean(np.array(p) <= level) <= level + 3 * error, level


def test_it_is_the_variance_test_of_the_reference_distribution() -> None:
    values = np.log([40, 44, 39, 52, 41, 47])
    ratio = np.var(values, ddof=1) * 5 / 0.35**2
    assert evenness_p(values, 0.35) == pytest.approx(chi2.cdf(ratio, 5), rel=1e-12)


def test_location_and_order_change_nothing() -> None:
    rng = np.random.default_rng(2)
    values = np.log(rng.integers(900, 1400, 20))
    p = evenness_p(values, 0.2)
    assert evenness_p(rng.permutation(values), 0.2) == pytest.approx(p, rel=1e-9)
    assert evenness_p(values + 7, 0.2) == pytest.approx(p, rel=1e-9)


def test_of_a_place_only_the_value_that_is_furthest_from_the_middle_counts() -> None:
    values = np.array([1.0, 5.0, 4.0, 9.0, 4.5, 0.0])
    place = np.array([7, 7, 3, 3, 9, 2])
    assert of_places(values, place).tolist() == [0.0, 9.0, 1.0, 4.5]
    order = np.array([3, 1, 5, 0, 4, 2])
    assert of_places(values[order], place[order]).tolist() == [0.0, 9.0, 1.0, 4.5]


def test_rooms_in_which_all_do_as_much_are_no_operator(tmp_path: Path) -> None:
    """Courses: everybody in a room does about as much, and rooms differ as customers do."""
    rng = np.random.default_rng(9)
    world = World()
    world.chat(rng, range(300))
    for room in range(12):
        count = 25 + int(rng.lognormal(np.log(40), 0.5))
        for seat in range(12):
            entity = 1000 + 20 * room + seat
            world.address[entity] = 90_000 + room
            world.sweep(entity, [11, 12], int(rng.poisson(count)), int(rng.integers(40)))
    engine, totals = load_world(tmp_path, world)
    with engine:
        sweeps = find_sweeps(engine, totals)
        load_sweeps(engine, sweeps)
        tests = evenness_tests(engine, sweeps, [False] * len(sweeps))
    paces = [t for found in tests for t in found if t.family == PACE]
    assert [t.entities for t in paces] == [12]
    assert paces[0].p_value > 0.01


def least(tests: list[HeldOutTest]) -> float:
    return min((t.p_value for t in tests), default=1.0)


def uneven(rng: np.random.Generator) -> int:
    return 20 + int(rng.lognormal(np.log(40), 0.9))


@pytest.mark.parametrize("seed", range(4))
def test_only_the_divided_sweep_at_one_pace_is_one(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = World()
    world.chat(rng, range(200))
    for e in range(1000, 1020):  # one operator: own clients, a quota each
        world.sweep(e, [11, 12], int(rng.poisson(150)), int(rng.integers(40)))
    for e in range(2000, 2020):  # a public tool's users: one client, volumes of their own
        world.sweep(e, [21], uneven(rng), 500)
    for e in range(3000, 3020):  # users of a program that sends each as much: its client shows
        world.sweep(e, [31], 60, 501)
    for e in range(4000, 4010):  # laboratories with one public benchmark
        world.sweep(e, [41], 60, int(rng.integers(40)), shared=60)
    for e in range(5000, 5020):  # strangers with a public template, each with texts of its own
        n = uneven(rng)
        words = rng.lognormal(rng.normal(5, 0.7), 0.7, n)
        world.sweep(e, [51], n, int(rng.integers(40)), words=words)
    for e in range(6000, 6020):  # an operator whose quotas differ: every part is of one pool
        n = uneven(rng)
        world.sweep(e, [61], n, int(rng.integers(40)), words=rng.lognormal(5, 0.7, n))
    engine, totals = load_world(tmp_path, world)
    with engine:
        sweeps = find_sweeps(engine, totals)
        load_sweeps(engine, sweeps)
        tools = by_tool(engine, len(sweeps))
        tests = evenness_tests(engine, sweeps, tools)
    p_of = {int(s.entities[0]) // 1000: least(t) for s, t in zip(sweeps, tests, strict=True)}
    assert 4 not in p_of  # no item is anybody's own
    assert p_of[1] < 1e-3
    assert p_of[2] == p_of[3] == 1.0
    assert p_of[5] > 0.05
    assert p_of[6] < 1e-3


def test_too_few_customers_to_compare_with_is_no_evidence(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    world = World()
    world.chat(rng, range(28))
    for e in range(1000, 1020):
        world.sweep(e, [11], 60, e)
    engine, totals = load_world(tmp_path, world)
    with engine:
        sweeps = find_sweeps(engine, totals)
        assert evenness_tests(engine, sweeps, [False]) == [[]]


def test_a_long_common_skeleton_makes_nobody_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    world = World()
    world.chat(rng, range(200))
    for e in range(1000, 1020):
        n = uneven(rng)
        own = 500 + rng.lognormal(rng.normal(3, 0.7), 0.5, n)  # lengths within a few per cent
        world.sweep(e, [11], n, e, words=own)
    engine, totals = load_world(tmp_path, world)
    with engine:
        sweeps = find_sweeps(engine, totals)
        (test,) = evenness_tests(engine, sweeps, [False])
    assert {t.family for t in test} == set(ASPECTS)
    assert least(test) > 0.05


def test_those_above_a_limit_are_not_alike_because_of_the_limit(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    world = World()
    world.chat(rng, range(200))
    for e in range(1000, 1060):  # a class: some students do more than twenty of the exercises
        n = int(rng.integers(8, 30))
        world.sweep(e, [11], n, e, words=rng.lognormal(5, 0.5, n))
    engine, totals = load_world(tmp_path, world)
    with engine:
        sweeps = find_sweeps(engine, totals)
        assert evenness_tests(engine, sweeps, [False] * len(sweeps)) == [[]]
