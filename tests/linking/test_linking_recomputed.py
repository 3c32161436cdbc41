from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from incidences import Edges, load, plant, strangers

from stillhunt.linking.families import FAMILIES
from stillhunt.linking.indicators import Totals
from stillhunt.linking.links import Carried, Links, find_links, mark_telling
from stillhunt.linking.null_model import NullModel
from stillhunt.linking.recomputed import components, recompute_links

ENTITIES = 1500
SIZES = {"template": 120, "address": 2500, "payment": 1800, "email_domain": 60, "client": 40}
OPERATOR = tuple(range(100, 116))


def planted(seed: int) -> Edges:
    edges = strangers(np.random.default_rng(seed), ENTITIES, SIZES)
    plant(edges, "template", OPERATOR, 700_001)
    plant(edges, "address", OPERATOR[:10], 700_002)
    plant(edges, "payment", OPERATOR[6:], 700_003)
    return edges


def hunted(folder: Path, edges: Edges, level: float) -> tuple[Links, Totals]:
    engine, totals = load(folder, edges)
    with engine:
        return find_links(engine, NullModel(totals), mark_telling(engine, totals), level), totals


def shown(edges: Edges, entities: np.ndarray) -> dict[str, Carried]:
    """What a group shows of itself: its own incidence, and how popular its values are with everybody."""
    carried = {}
    for family, rows in edges.items():
        names, number, popularity = np.unique(rows[:, 1], return_inverse=True, return_counts=True)
        own = np.isin(rows[:, 0], entities)
        two = popularity >= 2
        own &= two[number.ravel()]
        kept, value = np.unique(number.ravel()[own], return_inverse=True)
        carried[family] = Carried(
            names[kept].astype(np.int64),
            popularity[kept].astype(np.int64),
            np.searchsorted(entities, rows[own, 0]).astype(np.int32),
            value.astype(np.int32),
            len(entities),
        )
    return carried


def described(links: Links) -> list[tuple[object, ...]]:
    rows = zip(
        links.x_family, links.x_value, links.y_family, links.y_value, links.entities, strict=True
    )
    return sorted((str(a), int(b), str(c), int(d), int(e)) for a, b, c, d, e in rows)


def test_whoever_shows_everything_recomputes_the_hunts_links(tmp_path: Path) -> None:
    edges = planted(5)
    links, totals = hunted(tmp_path, edges, 0.01)
    again = recompute_links(totals, shown(edges, np.arange(ENTITIES)), 0.01)
    assert len(again) > 0
    assert described(again) == described(links)
    assert again.tests == links.tests
    order, other = np.argsort(again.log_p), np.argsort(links.log_p)
    assert again.log_p[order] == pytest.approx(links.log_p[other])
    assert again.q_value[order] == pytest.approx(links.q_value[other])


def test_a_group_recomputes_its_own_links_and_no_others(tmp_path: Path) -> None:
    edges = planted(6)
    links, totals = hunted(tmp_path, edges, 0.01)
    group = np.array(OPERATOR)
    again = recompute_links(totals, shown(edges, group), 0.01)
    # Carriers outside are not counted: what is left can only be fewer, and less sure.
    hunt_q = {row[:4]: q for row, q in zip(rows_of(links), links.q_value, strict=True)}
    assert len(again) > 0
    for row, q in zip(rows_of(again), again.q_value, strict=True):
        assert row[:4] in hunt_q
        assert q >= hunt_q[row[:4]] * (1 - 1e-9)
    label = components([again], len(group))
    assert len(set(label.tolist())) == 1
    assert label[0] >= 0
    for link in range(len(again)):
        members = group[again.member_entity[again.member_link == link]]
        assert len(members) == again.entities[link]
        for family, value in (
            (again.x_family[link], again.x_value[link]),
            (again.y_family[link], again.y_value[link]),
        ):
            carriers = edges[family][edges[family][:, 1] == value, 0]
            assert np.isin(members, carriers).all()


def rows_of(links: Links) -> list[tuple[str, int, str, int]]:
    columns = zip(links.x_family, links.x_value, links.y_family, links.y_value, strict=True)
    return [(str(a), int(b), str(c), int(d)) for a, b, c, d in columns]


def test_strangers_who_are_shown_as_a_group_have_no_links(tmp_path: Path) -> None:
    edges = planted(7)
    _, totals = hunted(tmp_path, edges, 0.01)
    rest = np.setdiff1d(np.arange(ENTITIES), OPERATOR)
    for seed in range(5):
        group = np.sort(np.random.default_rng(seed).choice(rest, 60, replace=False))
        again = recompute_links(totals, shown(edges, group), 0.01)
        assert len(again) == 0
        assert (components([again], len(group)) == -1).all()


def test_more_stretches_ask_for_more(tmp_path: Path) -> None:
    edges = planted(8)
    _, totals = hunted(tmp_path, edges, 0.01)
    carried = shown(edges, np.array(OPERATOR))
    once, many = (recompute_links(totals, carried, 0.01, stretches=k) for k in (1, 30))
    q = dict(zip(rows_of(once), once.q_value.tolist(), strict=True))
    for row, value in zip(rows_of(many), many.q_value.tolist(), strict=True):
        assert value == pytest.approx(min(1.0, 30 * q[row]))
        assert value <= 0.01


def test_understated_popularity_is_seen_where_no_value_is_so_popular(tmp_path: Path) -> None:
    edges = planted(9)
    _, totals = hunted(tmp_path, edges, 0.01)
    carried = shown(edges, np.array(OPERATOR))
    wrong = carried["address"].popularity.copy()
    wrong[0] = 1_000_000
    lied = Carried(
        carried["address"].names, wrong, carried["address"].entity, carried["address"].value, 16
    )
    with pytest.raises(ValueError, match="as popular as none is"):
        recompute_links(totals, carried | {"address": lied}, 0.01)


def test_the_families_of_the_helper_are_families() -> None:
    assert set(SIZES) <= set(FAMILIES)
