from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from stillhunt.linking.clusters import find_clusters
from stillhunt.linking.links import Links

Partition = set[frozenset[int]]


def made_links(groups: Sequence[Sequence[int]], log_p: Sequence[float] | float = -20.0) -> Links:
    """Links with the given entities."""
    n = len(groups)
    sizes = [len(g) for g in groups]
    return Links(
        x_family=np.array(["address"] * n, dtype=object),
        y_family=np.array(["template"] * n, dtype=object),
        x_value=np.arange(n),
        y_value=np.arange(n) + 1000,
        entities=np.array(sizes, dtype=np.int64),
        expected=np.full(n, 0.01),
        log_p=np.broadcast_to(np.asarray(log_p, dtype=float), (n,)),
        q_value=np.full(n, 1e-6),
        member_link=np.repeat(np.arange(n), sizes),
        member_entity=np.array([e for g in groups for e in g], dtype=np.int64),
        tests=1e6,
        surprising=np.zeros(0),
    )


def partition(links: Links) -> Partition:
    return {frozenset(c.tolist()) for c in find_clusters(links)}


def operator(
    rng: np.random.Generator, members: np.ndarray, links: int, each: int
) -> list[list[int]]:
    """An operator's links: each on a random few of its members, so that all are reached."""
    drawn = [rng.choice(members, each, replace=False).tolist() for _ in range(links)]
    ring = [members[[i, (i + 1) % len(members)]].tolist() for i in range(len(members))]
    return drawn + ring


@pytest.mark.parametrize("seed", range(12))
def test_two_operators_welded_by_one_shared_value_come_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = np.arange(15), np.arange(100, 118)
    weld = [[*a[:2].tolist(), *b[:2].tolist()]]
    links = made_links(operator(rng, a, 30, 4) + operator(rng, b, 30, 4) + weld)
    assert partition(links) == {frozenset(a.tolist()), frozenset(b.tolist())}


@pytest.mark.parametrize("seed", range(12))
def test_one_homogeneous_operator_is_not_split(seed: int) -> None:
    rng = np.random.default_rng(seed)
    members = np.arange(10 + 5 * seed)
    links = made_links(operator(rng, members, 2 * len(members), 4))
    assert partition(links) == {frozenset(members.tolist())}


def test_operators_with_nothing_in_common_are_apart() -> None:
    assert partition(made_links([[1, 2, 3], [3, 4], [10, 11], [11, 12]])) == {
        frozenset({1, 2, 3, 4}),
        frozenset({10, 11, 12}),
    }


@pytest.mark.parametrize("seed", range(20))
def test_names_and_row_order_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = []
    for start in (0, 20, 40, 60):
        groups += operator(rng, np.arange(start, start + 14), 12, 3)
    # Enough across to make the partition a matter of judgement.
    groups += [[*rng.choice(80, 3, replace=False).tolist()] for _ in range(6)]
    log_p = rng.uniform(-60, -12, len(groups))
    before = partition(made_links(groups, log_p))
    name = np.unique(rng.integers(-(2**63), 2**63 - 1, 200))
    rng.shuffle(name)
    renamed = [[int(name[e]) for e in g] for g in groups]
    links = made_links(renamed, log_p)
    order = rng.permutation(len(links.member_link))
    shuffled = Links(
        **{
            **links.__dict__,
            "member_link": links.member_link[order],
            "member_entity": links.member_entity[order],
        }
    )
    expected = {frozenset(int(name[e]) for e in c) for c in before}
    assert partition(links) == expected
    assert partition(shuffled) == expected


def test_only_links_of_the_pairs_asked_for_count() -> None:
    links = made_links([[1, 2, 3], [3, 4]])
    links.x_family[1] = "payment"
    only = find_clusters(links, [("address", "template")])
    assert [c.tolist() for c in only] == [[1, 2, 3]]
    assert find_clusters(links, [("address", "client")]) == []


def test_clusters_are_sorted_and_the_largest_comes_first() -> None:
    found = find_clusters(made_links([[9, 7], [30, 20, 25], [25, 28]]))
    assert [c.tolist() for c in found] == [[20, 25, 28, 30], [7, 9]]


def test_no_links_no_clusters() -> None:
    assert find_clusters(made_links([])) == []
