"""The picture of a campaign: accounts and the values that link them, the busiest of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from stillhunt.campaigns.investigate import Investigation, Verdict
from stillhunt.campaigns.tables import Names
from stillhunt.engines.base import Engine
from stillhunt.linking.clusters import marks
from stillhunt.linking.families import ADDRESS, FAMILIES, NETWORK, TEMPLATE

_ACCOUNT_NODES = 60
_VALUE_NODES = {
    "payment": 20,
    "address": 30,
    "network": 10,
    "email_domain": 5,
    "client": 5,
    "template": 3,
}


@dataclass(frozen=True)
class _Edges:
    """Distinct (entity, family, value), int64 (m,) each; families by their place in FAMILIES."""

    entity: np.ndarray
    family: np.ndarray
    value: np.ndarray


def network_of(
    engine: Engine, investigation: Investigation, cluster: int, verdict: Verdict, names: Names
) -> dict[str, Any]:
    """Nodes and edges to draw, and of how many they are chosen.

    Args:
        engine: with ``own_item_use``.
        investigation: what was found; cluster: row of its verdicts; verdict: that one.
        names: of entities and values.
    """
    named = {m.entity: m for m in verdict.named}
    edges = _edges(engine, investigation, cluster, verdict)
    values, which, carriers = _values(edges)
    shown_values = _telling(values, which, carriers, edges.entity)
    number = {int(v): i for i, v in enumerate(shown_values)}
    drawn = np.isin(which, shown_values)
    lines: dict[int, list[int]] = {e: [] for e in named}
    for entity, value in zip(edges.entity[drawn].tolist(), which[drawn].tolist(), strict=True):
        lines[entity].append(number[value])
    shown = sorted(named, key=lambda e: (-len(lines[e]), -named[e].attributed, e))[:_ACCOUNT_NODES]
    nodes = [
        {
            "id": f"n{i}", "kind": "account", "label": names.entity[e],
            "exchanges": named[e].attributed,
        }
        for i, e in enumerate(shown)
    ] + [
        {
            "id": f"n{len(shown) + i}", "kind": FAMILIES[values[v, 0]],
            "label": names.value(FAMILIES[values[v, 0]], int(values[v, 1])),
            "exchanges": int(carriers[v]),
        }
        for v, i in number.items()
    ]  # fmt: skip
    pairs = sorted((f"n{i}", f"n{len(shown) + v}") for i, e in enumerate(shown) for v in lines[e])
    return {
        "nodes": nodes,
        "edges": [{"source": a, "target": b} for a, b in pairs],
        "shown": len(shown),
        "of": len(named),
        "values_shown": len(shown_values),
        "values_of": len(values),
    }


def _edges(engine: Engine, investigation: Investigation, cluster: int, verdict: Verdict) -> _Edges:
    """What joins named members: both values of their links, and templates they sweep."""
    links = investigation.links
    named = np.array([m.entity for m in verdict.named], dtype=np.int64)
    link, entity = investigation.linked(cluster)
    here = np.isin(entity, named)
    link, entity = link[here], entity[here]
    place = {family: i for i, family in enumerate(FAMILIES)}
    parts = [
        (entity, np.array([place[f] for f in family], dtype=np.int64)[link], value[link])
        for family, value in ((links.x_family, links.x_value), (links.y_family, links.y_value))
    ]
    user, template = _swept(engine, verdict)
    here = np.isin(user, named)
    parts.append((user[here], np.full(here.sum(), place[TEMPLATE]), template[here]))
    rows = np.unique(np.column_stack([np.concatenate(c) for c in zip(*parts, strict=True)]), axis=0)
    return _Edges(rows[:, 0], rows[:, 1], rows[:, 2])


def _swept(engine: Engine, verdict: Verdict) -> tuple[np.ndarray, np.ndarray]:
    """Entities that a sweep brought, and the templates through which they put their own items."""
    if verdict.group.sweep is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    for table, values in (
        ("drawn_entity", verdict.group.swept),
        ("drawn_template", verdict.group.sweep.templates),
    ):
        engine.load(table, pa.table({"value": pa.array(values, pa.int64())}))
    rows = engine.query(
        """
        SELECT u.entity, u.template
        FROM own_item_use AS u
        JOIN drawn_entity AS e ON e.value = u.entity
        JOIN drawn_template AS t ON t.value = u.template
        """
    )
    return np.asarray(rows.column("entity")), np.asarray(rows.column("template"))


def _values(edges: _Edges) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct (family, value), int64 (v, 2); of each edge which, int64; and how many carry each."""
    pairs = np.column_stack([edges.family, edges.value])
    values, which, count = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    return values.reshape(-1, 2), which.ravel(), count


def _telling(
    values: np.ndarray, which: np.ndarray, carriers: np.ndarray, entity: np.ndarray
) -> np.ndarray:
    """The most shared values of each family; a network that only repeats an address is left out."""
    mark = np.zeros(len(values), dtype=np.uint64)
    np.add.at(mark, which, marks(entity))
    family = np.array([FAMILIES[f] for f in values[:, 0].tolist()], dtype=object)
    repeats = (family == NETWORK) & np.isin(mark, mark[family == ADDRESS])
    chosen = []
    for name, most in _VALUE_NODES.items():
        of = np.flatnonzero((family == name) & ~repeats)
        chosen.append(of[np.lexsort((values[of, 1], -carriers[of]))][:most])
    return np.concatenate(chosen)
