from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from incidences import Edges, load, plant, strangers

from stillhunt.linking.clusters import find_clusters
from stillhunt.linking.families import HELD_OUT, PAIRS, pairs_without
from stillhunt.linking.held_out import LinkTest, held_out_tests
from stillhunt.linking.links import find_links, mark_telling
from stillhunt.linking.null_model import NullModel

ENTITIES = 3000
GROUP = 5
GROUPS = 120
FAMILIES = {"template": 120, "address": 6000, "payment": 5000, "client": 80}


def bound_by_addresses(rng: np.random.Generator) -> tuple[Edges, list[list[int]]]:
    """Groups that share an address and a payer; templates and clients fall as on strangers."""
    edges = strangers(rng, ENTITIES, FAMILIES)
    order = rng.permutation(ENTITIES)
    groups = [order[i * GROUP : (i + 1) * GROUP].tolist() for i in range(GROUPS)]
    for i, group in enumerate(groups):
        plant(edges, "address", group, 1_000_000 + i)
        plant(edges, "payment", group, 2_000_000 + i)
    return edges, groups


def judged(folder: Path, edges: Edges) -> list[tuple[set[int], LinkTest]]:
    engine, totals = load(folder, edges)
    with engine:
        null = NullModel(totals)
        links = find_links(engine, null, mark_telling(engine, totals), 0.01)
        clusters = find_clusters(links)
        tests = held_out_tests(engine, totals, null, links, clusters)
    return [(set(c.tolist()), t) for c, t in zip(clusters, tests, strict=True)]


def super_uniform(p: np.ndarray) -> None:
    for level in (0.5, 0.2, 0.1, 0.05, 0.01):
        error = np.sqrt(level * (1 - level) / len(p))
        assert (p <= level).mean() <= level + 3 * error, level


def test_held_out_p_values_are_super_uniform_where_only_addresses_bind(tmp_path: Path) -> None:
    by_family: dict[str, list[float]] = {}
    together = []
    for seed in (1, 2, 3):
        edges, _ = bound_by_addresses(np.random.default_rng(seed))
        for _, test in judged(tmp_path, edges):
            for one in test.tests:
                by_family.setdefault(one.family, []).append(one.p_value)
            together.append(test.p_value)
    assert set(by_family) == {"template", "client"}
    assert min(len(p) for p in by_family.values()) >= 3 * 0.9 * GROUPS
    for p in by_family.values():
        super_uniform(np.array(p))
    super_uniform(np.array(together))


def test_what_formed_a_cluster_does_not_test_it(tmp_path: Path) -> None:
    """Addresses and payers are as telling as can be, and still count for nothing."""
    edges, groups = bound_by_addresses(np.random.default_rng(4))
    found = judged(tmp_path, edges)
    assert sum(members in [set(g) for g in groups] for members, _ in found) >= 0.95 * GROUPS
    assert min(t.p_value for _, t in found) > 1e-4


def test_a_group_with_a_template_in_common_is_sure(tmp_path: Path) -> None:
    edges, groups = bound_by_addresses(np.random.default_rng(5))
    plant(edges, "template", groups[7], 3_000_000)
    found = {frozenset(m): t for m, t in judged(tmp_path, edges)}
    test = found[frozenset(groups[7])]
    assert test.p_value < 1e-5
    assert test.tests[0].family == "template"
    assert test.tests[0].shared == test.tests[0].entities == GROUP
    assert test.tests[0].expected < 0.1
    others = [t.p_value for m, t in found.items() if m != frozenset(groups[7])]
    assert min(others) > 1e-4


def test_a_template_that_many_strangers_use_makes_nobody_sure(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    edges, groups = bound_by_addresses(rng)
    users = {*rng.choice(ENTITIES, ENTITIES // 3, replace=False).tolist(), *groups[7][:3]}
    plant(edges, "template", users, 3_000_000)
    found = {frozenset(m): t for m, t in judged(tmp_path, edges)}
    assert found[frozenset(groups[7])].p_value > 0.05


@pytest.mark.parametrize("held", HELD_OUT)
def test_forming_pairs_never_hold_what_is_held_out(held: tuple[str, ...]) -> None:
    left = pairs_without(held)
    assert left
    assert set(left) < set(PAIRS)
    for pair in left:
        assert not set(pair) & set(held)


@pytest.mark.parametrize("seed", range(3))
def test_names_do_not_matter(tmp_path: Path, seed: int) -> None:
    """Nor which of two equal halves a cluster falls into while a family is held out."""
    rng = np.random.default_rng(seed)
    edges = strangers(rng, 800, FAMILIES)
    order = rng.permutation(800)
    for i in range(20):
        # Two halves with an address each; one payer and one template hold them together.
        group = order[8 * i : 8 * i + 8]
        for half, members in enumerate((group[:4], group[4:])):
            plant(edges, "address", members.tolist(), 1_000_000 + 2 * i + half)
            plant(edges, "client", members[: 2 + half].tolist(), 4_000_000 + 2 * i + half)
        plant(edges, "payment", group.tolist(), 2_000_000 + i)
        plant(edges, "template", group.tolist(), 3_000_000 + i)
    name = rng.permutation(10_000)[:800]
    renamed = {f: np.column_stack([name[e[:, 0]], e[:, 1]]) for f, e in edges.items()}
    before = {frozenset(name[list(m)].tolist()): t for m, t in judged(tmp_path, edges)}
    assert len(before) >= 15
    assert {frozenset(m): t for m, t in judged(tmp_path, renamed)} == before
