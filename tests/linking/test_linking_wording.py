"""Whether sweeps of one linked cluster are one operator's."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.linking.groups import Group, _join, _reunited
from stillhunt.linking.held_out import LinkTest
from stillhunt.linking.sweeps import Edges, Sweep
from stillhunt.linking.wording import MOST, alike_in_wording, one_sweep

Use = set[tuple[int, int]]
"""Entities and templates that they use."""


def using(folder: Path, use: Use) -> Engine:
    engine = DuckDBEngine(folder, threads=1)
    pairs = np.array(sorted(use), dtype=np.int64).reshape(-1, 2)
    engine.load(
        "template_use",
        pa.table(
            {
                "entity": pa.array(pairs[:, 0]),
                "template": pa.array(pairs[:, 1]),
                "n": pa.array(np.full(len(pairs), 9)),
            }
        ),
    )
    engine.create(
        "popularity",
        """
        SELECT 'template' AS family, template AS value, COUNT(*) AS entities
        FROM template_use GROUP BY template
        """,
    )
    return engine


def all_of(entities: range | tuple[int, ...], *templates: int) -> Use:
    return {(e, t) for e in entities for t in templates}


def plainly(use: Use, cluster: list[int], parts: list[list[int]]) -> list[int]:
    """The same by sets, and joining until nothing changes."""
    everybody = {t: {e for e, u in use if u == t} for _, t in use}
    label = list(range(len(parts)))
    for _ in parts:
        for i, j in combinations(range(len(parts)), 2):
            for users in everybody.values():
                if users <= set(cluster) and all(
                    len(users & set(parts[p])) > MOST * len(parts[p]) for p in (i, j)
                ):
                    label = [
                        min(label[i], label[j]) if x in (label[i], label[j]) else x for x in label
                    ]
    return label


@pytest.mark.parametrize("seed", range(12))
def test_as_by_plain_reading(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    use: Use = set()
    for template in range(12):
        among = [np.arange(40), np.arange(30), np.arange(30, 40)][template % 3]
        users = rng.choice(among, int(rng.integers(2, min(25, len(among)))), replace=False)
        use |= {(int(e), template) for e in users}
    cuts = [np.split(rng.permutation(30)[:24], [5, 12, 15]), np.split(np.arange(30, 40), [4, 7])]
    parts = [[np.sort(part) for part in cut] for cut in cuts]
    clusters = [np.arange(30), np.arange(30, 40)]
    found = alike_in_wording(using(tmp_path, use), clusters, parts)
    assert found == [
        plainly(use, cluster.tolist(), [p.tolist() for p in part])
        for cluster, part in zip(clusters, parts, strict=True)
    ]


def test_a_published_prompt_is_nobodys_own(tmp_path: Path) -> None:
    one, other = np.arange(0, 10), np.arange(10, 16)
    use = all_of(range(16), 1) | all_of(range(10), 2) | all_of(range(10, 16), 3)
    both = [[one, other]]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert alike_in_wording(using(tmp_path / "a", use), [np.arange(16)], both) == [[0, 0]]
    copied = use | all_of((99,), 1)
    assert alike_in_wording(using(tmp_path / "b", copied), [np.arange(16)], both) == [[0, 1]]


def test_who_is_in_no_sweep_but_in_the_cluster_is_not_outside(tmp_path: Path) -> None:
    use = all_of(range(12), 1)
    parts = [[np.arange(5), np.arange(5, 9)]]
    assert alike_in_wording(using(tmp_path, use), [np.arange(12)], parts) == [[0, 0]]


def test_names_and_order_change_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    use = all_of(range(4), 1, 2) | all_of(range(4, 9), 2, 3) | all_of(range(9, 12), 4)
    name = {e: int(n) for e, n in enumerate(rng.permutation(1000)[:12])}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    parts = [range(4), range(4, 9), range(9, 12)]
    before = alike_in_wording(
        using(tmp_path / "a", use), [np.arange(12)], [[np.array(p) for p in parts]]
    )
    after = alike_in_wording(
        using(tmp_path / "b", {(name[e], t) for e, t in use}),
        [np.sort(list(name.values()))],
        [[np.sort([name[e] for e in p]) for p in reversed(parts)]],
    )
    assert before == [[0, 0, 2]]
    assert after == [[0, 1, 1]]


def swept(entities: range, template: int, q: float) -> Group:
    members = np.array(entities)
    many = np.full(len(members), 30)
    edges = Edges(members, np.full(len(members), template), many, np.ones(len(members)))
    sweep = Sweep(members, many, np.array([template]), edges, members)
    return Group(members, LinkTest(q, ()), q, sweep, q, np.ones(len(members), dtype=bool))


def test_fragments_of_a_linked_harvest_are_one_campaign(tmp_path: Path) -> None:
    use = all_of(range(20), 1) | all_of(range(10), 2) | all_of(range(10, 16), 3)
    links = [Group(np.arange(20), LinkTest(1e-9, ()), 1e-9)]
    sweeps = [
        swept(range(10, 16), 3, 1e-4),
        swept(range(10), 2, 1e-6),
        swept(range(30, 33), 7, 1e-5),
    ]
    engine = using(tmp_path, use)
    whole, apart = _join(links, _reunited(engine, links, sweeps, 0.01), 0.01)
    assert whole.entities.tolist() == list(range(20))
    assert (whole.q_value, whole.sweep_q) == (1e-9, 1e-4)
    assert whole.evidence == dict.fromkeys(range(16), 1e-4)
    assert whole.sweep is not None
    assert whole.sweep.templates.tolist() == [2, 3]
    assert apart.entities.tolist() == [30, 31, 32]
    # Where the links are not sure, nothing says that they are one.
    unsure = [Group(np.arange(20), LinkTest(0.5, ()), 0.5)]
    assert len(_reunited(engine, unsure, sweeps, 0.01)) == 3


def test_one_sweep_keeps_what_belongs_to_each_entity() -> None:
    parts = [swept(range(5, 8), 3, 0.1).sweep, swept(range(5), 2, 0.1).sweep]
    whole = one_sweep([part for part in parts if part is not None])
    assert whole.entities.tolist() == list(range(8))
    assert whole.place.tolist() == list(range(8))
    assert dict(zip(whole.use.entity.tolist(), whole.use.template.tolist(), strict=True)) == (
        dict.fromkeys(range(5), 2) | dict.fromkeys(range(5, 8), 3)
    )
