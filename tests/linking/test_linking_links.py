from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from incidences import Edges, load, plant, strangers

from stillhunt.engines.base import Engine
from stillhunt.linking.families import PAIRS
from stillhunt.linking.indicators import Totals
from stillhunt.linking.links import (
    MAX_BY_CHANCE,
    Carried,
    Links,
    conjunctions,
    find_links,
    mark_telling,
)
from stillhunt.linking.null_model import NullModel, tail

ENTITIES = 2500
FAMILIES = {"template": 150, "address": 4000, "payment": 3000, "email_domain": 60, "client": 40}
SEEDS = (11, 12, 13, 14)


def links_of(folder: Path, edges: Edges, level: float = 0.01) -> Links:
    engine, totals = load(folder, edges)
    with engine:
        return find_links(engine, NullModel(totals), mark_telling(engine, totals), level)


def of_two_or_more(engine: Engine, totals: Totals, x: str, y: str) -> list[tuple[int, ...]]:
    """(x_value, y_value, dx, dy, n) of all conjunctions of two families."""
    null = NullModel(totals)
    two = np.full_like(null.least(x, y, 1.0), 2)
    first, second = ((family, Carried.read(engine, family)) for family in (x, y))
    columns = conjunctions(null, first, second, two)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def members(links: Links, link: int) -> set[int]:
    return set(links.member_entity[links.member_link == link].tolist())


def all_conjunctions(edges: Edges, x: str, y: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dy, n) of every pair of shareable values, by multiplying incidence matrices."""
    dense = {}
    for family in (x, y):
        carried = np.zeros((ENTITIES, FAMILIES[family]), dtype=np.float32)
        carried[edges[family][:, 0], edges[family][:, 1]] = 1
        dense[family] = carried[:, carried.sum(axis=0) >= 2]
    n = np.rint(dense[x].T @ dense[y]).astype(int)
    dx, dy = (dense[f].sum(axis=0).astype(int) for f in (x, y))
    pairs = np.broadcast_arrays(dx[:, None], dy[None, :], n)
    chosen = np.triu_indices(len(dx), 1) if x == y else np.indices(n.shape).reshape(2, -1)
    return tuple(p[tuple(chosen)].ravel() for p in pairs)  # type: ignore[return-value]


@pytest.mark.parametrize("seed", SEEDS)
def test_strangers_have_no_links(tmp_path: Path, seed: int) -> None:
    edges = strangers(np.random.default_rng(seed), ENTITIES, FAMILIES)
    links = links_of(tmp_path, edges)
    # Under the null every link is false, so P(any) <= the level; the seeds are fixed.
    assert len(links) == 0
    assert len(links.member_link) == 0


def test_p_values_of_all_conjunctions_are_super_uniform(tmp_path: Path) -> None:
    levels = np.array([0.2, 0.05, 0.01, 1e-3, 1e-4])
    shares: dict[tuple[str, str], list[np.ndarray]] = {}
    for seed in (*SEEDS, 21, 22):
        edges = strangers(np.random.default_rng(seed), ENTITIES, FAMILIES)
        engine, totals = load(tmp_path, edges)
        engine.close()
        null = NullModel(totals)
        for x, y in PAIRS:
            if x not in FAMILIES or y not in FAMILIES:
                continue
            dx, dy, n = all_conjunctions(edges, x, y)
            p = tail(n, null.pairs(x, y, dx, dy))
            shares.setdefault((x, y), []).append((p[:, None] <= levels).mean(axis=0))
    assert len(shares) == 8
    for pair, by_seed in shares.items():
        # Conjunctions of one simulation share entities; simulations are independent.
        at = np.array(by_seed)
        error = at.std(axis=0, ddof=1) / np.sqrt(len(at))
        assert np.all(at.mean(axis=0) <= levels + 3 * error), (pair, at.mean(axis=0))


def test_conjunctions_are_those_that_two_or_more_carry(tmp_path: Path) -> None:
    edges = strangers(np.random.default_rng(2), ENTITIES, FAMILIES)
    engine, totals = load(tmp_path, edges)
    with engine:
        tests = mark_telling(engine, totals)
        found: Counter[tuple[object, ...]] = Counter()
        for x, y in PAIRS:
            for _, _, *counts in of_two_or_more(engine, totals, x, y):
                found[x, y, *counts] += 1
    brute: Counter[tuple[object, ...]] = Counter()
    possible = 0
    for x, y in PAIRS:
        if x not in FAMILIES or y not in FAMILIES:
            continue
        dx, dy, n = all_conjunctions(edges, x, y)
        possible += len(n)
        for a, b, c in zip(dx.tolist(), dy.tolist(), n.tolist(), strict=True):
            if c >= 2 and max(a, b) <= ENTITIES // 2:
                brute[x, y, a, b, c] += 1
    assert found == brute
    assert tests == possible


def test_planted_conjunctions_are_found_whole_and_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    edges = strangers(rng, ENTITIES, FAMILIES)
    operator = sorted(rng.choice(ENTITIES, 12, replace=False).tolist())
    plant(edges, "address", operator, 900_001)
    plant(edges, "template", operator, 900_002)
    links = links_of(tmp_path, edges)
    at = [
        i for i in range(len(links))
        if (links.x_value[i], links.y_value[i]) == (900_001, 900_002)
    ]  # fmt: skip
    assert len(at) == 1
    assert members(links, at[0]) == set(operator)
    assert links.entities[at[0]] == 12
    assert links.q_value[at[0]] < 1e-9
    assert (links.x_family[at[0]], links.y_family[at[0]]) == ("address", "template")
    # What is beside it holds one of the planted values: nothing among strangers became a link.
    for i in range(len(links)):
        assert {int(links.x_value[i]), int(links.y_value[i])} & {900_001, 900_002}


def test_a_template_of_strangers_behind_one_shared_address_is_no_surprise(tmp_path: Path) -> None:
    """A carrier's address and a popular tool's template, both in hundreds of hands, independent."""
    rng = np.random.default_rng(9)
    edges = strangers(rng, ENTITIES, FAMILIES)
    plant(edges, "address", rng.choice(ENTITIES, 600, replace=False).tolist(), 900_001)
    plant(edges, "template", rng.choice(ENTITIES, 600, replace=False).tolist(), 900_002)
    assert len(links_of(tmp_path, edges)) == 0


def test_significant_conjunctions_of_popular_values_are_no_links(tmp_path: Path) -> None:
    """Three times as many carry both as strangers would: sure as a whole, and yet of any one entity
    it says little."""
    rng = np.random.default_rng(10)
    edges = strangers(rng, ENTITIES, FAMILIES)
    order = rng.permutation(ENTITIES)
    plant(edges, "address", order[:400].tolist(), 900_001)
    plant(edges, "template", order[200:600].tolist(), 900_002)
    engine, totals = load(tmp_path, edges)
    with engine:
        null = NullModel(totals)
        tests = mark_telling(engine, totals)
        (row,) = [
            r for r in of_two_or_more(engine, totals, "address", "template")
            if r[:2] == (900_001, 900_002)
        ]  # fmt: skip
        expected = null.pairs("address", "template", np.array([row[2]]), np.array([row[3]]))[0]
        assert row[4] == 200
        assert tail(np.array([200]), np.array([expected]))[0] * tests < 1e-6
        assert expected > MAX_BY_CHANCE * 200
        links = find_links(engine, null, tests, 0.01)
    assert not np.any((links.x_value == 900_001) & (links.y_value == 900_002))
    assert np.all(links.expected <= MAX_BY_CHANCE * links.entities)


def test_a_value_that_most_entities_carry_is_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    edges = strangers(rng, ENTITIES, FAMILIES)
    plant(edges, "address", range(ENTITIES // 2 + 50), 900_001)
    plant(edges, "payment", range(5), 900_002)
    engine, totals = load(tmp_path, edges)
    with engine:
        mark_telling(engine, totals)
        assert engine.scalar("SELECT COUNT(*) AS n FROM telling WHERE value = 900001") == 0
        assert engine.scalar("SELECT COUNT(*) AS n FROM telling WHERE value = 900002") == 5


def test_more_possible_tests_ask_for_more(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    edges = strangers(rng, ENTITIES, FAMILIES)
    for family, value in (("address", 900_001), ("template", 900_002)):
        plant(edges, family, range(4), value)
    engine, totals = load(tmp_path, edges)
    with engine:
        null = NullModel(totals)
        tests = mark_telling(engine, totals)
        links = find_links(engine, null, tests, 0.01)
        assert len(links) >= 1
        assert links.tests == tests
        least = int(np.argmin(links.log_p))
        assert links.q_value[least] <= np.exp(links.log_p[least]) * tests * (1 + 1e-9)
        # A q-value is a p-value times the tests over its rank, so a thousand times as many tests
        # make it a thousand times as large.
        more = find_links(engine, null, 1000 * tests, 1.0)
        at = int(np.argmin(more.log_p))
        assert more.log_p[at] == links.log_p[least]
        assert more.q_value[at] == pytest.approx(1000 * links.q_value[least], rel=1e-6)
        assert len(find_links(engine, null, 1e15 * tests, 0.01)) == 0
