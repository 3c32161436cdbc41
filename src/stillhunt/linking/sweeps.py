"""Sweeps: entities that put items of their own through the same templates, and share nothing else.

Where every account has its own address, network, payer and client, what is left to see is that a
pool of items is divided among them: the same skeletons, reworded or not, and no item twice. Items
that several entities send (a benchmark, a class's homework) are no division of labour and do not
count. Entities and the templates they sweep form a bipartite graph; the community step (Leiden)
finds who sweeps the same. That says what they do, not that they are one: a public tool's users do
the same. Whether they are one is for ``evenness`` to test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.clusters import partition
from stillhunt.linking.indicators import Totals
from stillhunt.linking.links import most_telling

MIN_SWEEP = 20
"""Own items from which on an entity's sweep is counted: the count of fewer is mostly noise (its
logarithm has a standard deviation of 1 / sqrt(20) = 0.22 by chance alone)."""

MIN_EDGE = 5
"""Own items that tie an entity to a template; fewer may be chance repetition."""

MAX_REPEATED = 0.1
"""Of what a sweeping entity sends through the templates at most this share may be items that it, or
another, sent already: a nightly evaluation and a class with one exercise sweep nothing."""

RESOLUTION = 0.5
"""Modularity's resolution, higher than for links because what entities do is graded: two equal groups
are kept apart where less than RESOLUTION / 2, a quarter, of their use is of common templates."""


@dataclass(frozen=True)
class Sweep:
    """Entities that sweep the same templates.

    Attributes:
        entities: int64 sorted, those with MIN_SWEEP own items or more and MAX_REPEATED or less.
        items: int64, own items of each.
        templates: int64 sorted, what they sweep.
        client: share of them that use one of the two clients most of them use; None where none is
            logged.
        client_elsewhere: share of all other entities that use one of these.
    """

    entities: np.ndarray
    items: np.ndarray
    templates: np.ndarray
    client: float | None
    client_elsewhere: float

    @property
    def is_tool(self) -> bool:
        """Whether a tool explains what they share: most use a client or two that others rarely use.

        Where no client is logged this cannot be ruled out.
        """
        if self.client is None:
            return True
        return self.client > 0.5 and self.client > 2 * self.client_elsewhere


def find_sweeps(engine: Engine, totals: Totals) -> list[Sweep]:
    """Sweeps of two or more entities, the largest first.

    Args:
        engine: with ``exchange_template``, ``incidence``, ``popularity``, ``set_aside``.
        totals: of the incidence.
    """
    _mark_own_items(engine)
    rows = engine.query(
        f"""
        SELECT s.entity, s.template, s.n, p.entities AS popularity, w.n AS written
        FROM (
            SELECT entity, template, COUNT(DISTINCT item) AS n
            FROM own_item GROUP BY entity, template HAVING COUNT(DISTINCT item) >= {MIN_EDGE}
        ) AS s
        JOIN popularity AS p ON p.family = 'template' AND p.value = s.template
        JOIN (
            SELECT m.entity, COUNT(*) AS n
            FROM observations AS o JOIN account_entity AS m ON m.account = o.account
            WHERE o.item IS NOT NULL GROUP BY m.entity
        ) AS w ON w.entity = s.entity
        WHERE p.entities >= 2 AND p.entities <= {most_telling(totals)}
        ORDER BY s.template, s.entity
        """  # noqa: S608
    )
    entity, template, n, popularity, written = (np.asarray(c) for c in rows.columns)
    if len(entity) == 0:
        return []
    # Narrowness times surprise: what a stranger does much of, and few others do at all.
    weight = n / written * np.log(totals.entities / popularity)
    names, link = np.unique(template, return_inverse=True)
    groups = partition(link.ravel(), entity, weight, RESOLUTION)
    groups = [g for g in groups if len(g) >= 2]
    home = {int(e): i for i, g in enumerate(groups) for e in g}
    at = np.array([home.get(int(e), -1) for e in entity], dtype=np.int64)
    swept = _templates_of(names, link.ravel(), at, n, len(groups))
    return _measure(engine, groups, swept)


def _mark_own_items(engine: Engine) -> None:
    """Make ``own_item``: (entity, item, template) of items that one entity alone sent."""
    engine.create(
        "own_item",
        """
        SELECT DISTINCT t.entity, t.item, t.template
        FROM exchange_template AS t
        JOIN (
            SELECT i.item FROM (
                SELECT DISTINCT o.item, m.entity
                FROM observations AS o JOIN account_entity AS m ON m.account = o.account
                WHERE o.item IS NOT NULL
            ) AS i
            GROUP BY i.item HAVING COUNT(*) = 1
        ) AS s ON s.item = t.item
        LEFT JOIN set_aside AS a ON a.entity = t.entity
        WHERE a.entity IS NULL
        """,
    )


def _templates_of(
    names: np.ndarray, link: np.ndarray, at: np.ndarray, n: np.ndarray, groups: int
) -> list[np.ndarray]:
    """Templates of each group: those most of whose own items are its entities'."""
    most = np.zeros((len(names), groups), dtype=np.int64)
    known = at >= 0
    np.add.at(most, (link[known], at[known]), n[known])
    total = np.bincount(link, weights=n, minlength=len(names))
    return [names[2 * most[:, i] > total] for i in range(groups)]


def _measure(engine: Engine, groups: list[np.ndarray], swept: list[np.ndarray]) -> list[Sweep]:
    number = np.arange(len(groups))
    engine.load(
        "sweeper",
        pa.table(
            {
                "entity": pa.array(np.concatenate([*groups, np.zeros(0, np.int64)]), pa.int64()),
                "sweep": pa.array(np.repeat(number, [len(g) for g in groups]), pa.int64()),
            }
        ),
    )
    engine.load(
        "swept",
        pa.table(
            {
                "template": pa.array(np.concatenate([*swept, np.zeros(0, np.int64)]), pa.int64()),
                "sweep": pa.array(np.repeat(number, [len(t) for t in swept]), pa.int64()),
            }
        ),
    )
    engine.create(
        "sweep_core",
        f"""
        SELECT s.sweep, s.entity, s.items
        FROM (
            SELECT s.sweep, s.entity, COUNT(DISTINCT t.key) AS sent, COUNT(DISTINCT i.item) AS items
            FROM sweeper AS s
            JOIN swept AS w ON w.sweep = s.sweep
            JOIN exchange_template AS t ON t.entity = s.entity AND t.template = w.template
            LEFT JOIN own_item AS i
                ON i.entity = t.entity AND i.item = t.item AND i.template = t.template
            GROUP BY s.sweep, s.entity
        ) AS s
        WHERE s.items >= {MIN_SWEEP} AND s.items >= {1 - MAX_REPEATED} * s.sent
        """,  # noqa: S608
    )
    core = engine.query("SELECT sweep, entity, items FROM sweep_core ORDER BY sweep, entity")
    sweep, entity, items = (np.asarray(c) for c in core.columns)
    clients = _clients(engine)
    out = []
    for i in range(len(groups)):
        here = sweep == i
        if here.sum() >= 2:
            share, elsewhere = clients.get(i, (None, 0.0))
            out.append(Sweep(entity[here], items[here], swept[i], share, elsewhere))
    return sorted(out, key=lambda s: (-len(s.entities), int(s.templates[0])))


def _clients(engine: Engine) -> dict[int, tuple[float, float]]:
    """Per sweep, how many of its entities use its two commonest clients, and how many others do."""
    engine.create(
        "sweep_client",
        """
        SELECT sweep, value FROM (
            SELECT c.sweep, i.value,
                ROW_NUMBER() OVER (PARTITION BY c.sweep ORDER BY COUNT(*) DESC, i.value) AS place
            FROM sweep_core AS c
            JOIN incidence AS i ON i.entity = c.entity AND i.family = 'client'
            GROUP BY c.sweep, i.value
        ) AS ranked
        WHERE place <= 2
        """,
    )
    using = engine.query(
        """
        SELECT s.sweep, COUNT(DISTINCT i.entity) AS everybody, COUNT(DISTINCT c.entity) AS members
        FROM sweep_client AS s
        JOIN incidence AS i ON i.family = 'client' AND i.value = s.value
        LEFT JOIN sweep_core AS c ON c.entity = i.entity AND c.sweep = s.sweep
        GROUP BY s.sweep
        """
    ).to_pylist()
    carrying = engine.query(
        """
        SELECT c.sweep, COUNT(DISTINCT c.entity) AS n
        FROM sweep_core AS c JOIN incidence AS i ON i.entity = c.entity AND i.family = 'client'
        GROUP BY c.sweep
        """
    ).to_pylist()
    everybody = int(
        engine.scalar("SELECT COUNT(DISTINCT entity) AS n FROM incidence WHERE family = 'client'")
        or 0
    )
    size = {row["sweep"]: row["n"] for row in carrying}
    return {
        row["sweep"]: (
            row["members"] / size[row["sweep"]],
            (row["everybody"] - row["members"]) / max(everybody - size[row["sweep"]], 1),
        )
        for row in using
    }
