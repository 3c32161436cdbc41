from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from incidences import Edges, load, strangers

from stillhunt.linking.indicators import Totals
from stillhunt.linking.links import Links, find_links, mark_telling
from stillhunt.linking.null_model import NullModel

FAMILIES = {"template": 60, "address": 300, "payment": 200}


def elsewhere(edges: Edges) -> Edges:
    """The same with entities and values that no other has."""
    return {family: rows + 10_000_000 for family, rows in edges.items()}


def joined(a: Edges, b: Edges) -> Edges:
    return {family: np.concatenate([a[family], b[family]]) for family in a}


def same(a: Totals, b: Totals) -> None:
    assert (a.entities, a.edges, a.shareable) == (b.entities, b.edges, b.shareable)
    for one, other in (
        (a.degrees, b.degrees),
        (a.popularities, b.popularities),
        (a.joint, b.joint),
    ):
        assert one.keys() == other.keys()
        for key, classes in one.items():
            assert classes.tolist() == other[key].tolist()


def found(
    folder: Path, edges: Edges, there: Links | None = None, totals: Totals | None = None
) -> Links:
    engine, own = load(folder, edges)
    with engine:
        together = own if totals is None else totals.beside(own)
        beside = np.zeros(0) if there is None else there.surprising
        tests = mark_telling(engine, together)
        return find_links(engine, NullModel(together), tests, 0.05, beside)


@pytest.mark.parametrize("seed", range(3))
def test_totals_of_logs_with_nothing_in_common_add_up(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = strangers(rng, 300, FAMILIES), elsewhere(strangers(rng, 40, FAMILIES))
    with load(tmp_path, a)[0], load(tmp_path, b)[0]:
        alone, beside = load(tmp_path, a)[1], load(tmp_path, b)[1]
    same(alone.beside(beside), load(tmp_path, joined(a, b))[1])


def test_links_of_a_part_that_shares_nothing_need_no_look_at_the_rest(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    a, b = strangers(rng, 600, FAMILIES), elsewhere(strangers(rng, 60, FAMILIES))
    room = np.array([[10_000_000 + e, 77_000_000 + i] for e in range(8) for i in range(3)])
    for family in ("address", "template"):
        b[family] = np.concatenate([b[family], room])
    engine, totals = load(tmp_path, a)
    engine.close()
    both = found(tmp_path, joined(a, b))
    part = found(tmp_path, b, found(tmp_path, a), totals)
    planted = both.x_value >= 10_000_000
    assert planted.sum() == len(part) > 0
    assert part.x_value.tolist() == both.x_value[planted].tolist()
    assert part.expected == pytest.approx(both.expected[planted], rel=1e-9)
    # The rest's p-values are those it had alone, so q-values differ by what its totals moved.
    assert np.log(part.q_value) == pytest.approx(np.log(both.q_value[planted]), abs=0.7)
