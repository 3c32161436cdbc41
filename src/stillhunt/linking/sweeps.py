"""Sweeps: entities that divide a pool of items among them and put it through the same templates.

However an operator spreads his accounts over addresses, networks, payers and clients, the harvest
itself is divided among them: the same skeletons, reworded or not, and no item twice. Items that
several entities send (a benchmark, a class's homework) are no division of labour and do not count.
Entities and the templates they put items of their own through form a bipartite graph; the community
step (Leiden) finds who sweeps the same. That says what they do, not that they are one: a public
tool's users do the same. Content forms a sweep, so everything else may test it: ``shared`` tests the
infrastructure, ``evenness`` the amounts and lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from stillhunt.engines.base import Engine
from stillhunt.linking.clusters import homes, partition
from stillhunt.linking.indicators import Totals, load_groups
from stillhunt.linking.links import most_telling

MIN_EDGE = 3
"""Own items that tie an entity to a template; fewer may be chance repetition."""

MAX_REPEATED = 0.1
"""Of what a sweeping entity sends through the templates at most this share may be items that it, or
another, sent already: a nightly evaluation and a class with one exercise sweep nothing."""

TYPICAL = 0.5
"""A member's use of templates resembles the others' at least this much as the middle member's does
(cosine). One phrase in common with a sweep makes nobody part of it."""

RESOLUTION = 0.5
"""Modularity's resolution, higher than for links because what entities do is graded: two equal groups
are kept apart where less than RESOLUTION / 2, a quarter, of their use is of common templates."""


@dataclass(frozen=True)
class Sweep:
    """Entities that sweep the same templates.

    Attributes:
        entities: int64 sorted.
        items: int64, own items of each.
        templates: int64 sorted, what they sweep.
        use: what its members put own items through, of these templates.
        place: int64, the address that each shares with most others; who shares none is a place alone.
    """

    entities: np.ndarray
    items: np.ndarray
    templates: np.ndarray
    use: Edges
    place: np.ndarray

    @property
    def concentration(self) -> np.ndarray:
        """Share of each entity's items that went through the template it used most, float; up to 1."""
        most = np.zeros(len(self.entities))
        np.maximum.at(most, np.searchsorted(self.entities, self.use.entity), self.use.n)
        share: np.ndarray = most / self.items
        return share

    def only(self, kept: np.ndarray) -> Sweep:
        """The sweep of some of its entities; bool (entities,)."""
        entities = self.entities[kept]
        use = self.use.of(np.isin(self.use.entity, entities))
        return Sweep(entities, self.items[kept], self.templates, use, self.place[kept])


@dataclass(frozen=True)
class Edges:
    """What entities put own items through: entity, template, number of items, weight; each (m,)."""

    entity: np.ndarray
    template: np.ndarray
    n: np.ndarray
    weight: np.ndarray

    def of(self, chosen: np.ndarray) -> Edges:
        """Some of them, by numbers or by mask."""
        return Edges(
            self.entity[chosen], self.template[chosen], self.n[chosen], self.weight[chosen]
        )


def find_sweeps(engine: Engine, totals: Totals) -> list[Sweep]:
    """Sweeps of two or more entities, the largest first.

    Makes ``repeat`` (item, shared): items sent more than once, and whether by several entities; and
    ``own_item_use`` (entity, template, n): how many items that it alone sent an entity put through each.

    Args:
        engine: with ``observations``, ``account_entity``, ``volume``, ``exchange_template``,
            ``popularity`` and ``set_aside``.
        totals: of the incidence.
    """
    _mark_own_items(engine)
    edges = _edges(engine, totals)
    if len(edges.entity) == 0:
        return []
    names, link = np.unique(edges.template, return_inverse=True)
    link = link.ravel()
    groups = partition(link, edges.entity, edges.weight, RESOLUTION)
    groups = [g for g in groups if len(g) >= 2]
    if not groups:
        return []
    at = homes(edges.entity, groups)
    owner = _owners(link, at, edges.n, len(names))
    places = _places(engine, groups)
    # By what is the group's alone: a prompt that many copy makes nobody one of those who sweep with it.
    kept = np.flatnonzero((at >= 0) & (owner[link] == at))
    kept = kept[np.argsort(at[kept], kind="stable")]
    use = [_typical(edges.of(own), places) for own in _slices(kept, at[kept], len(groups))]
    owned = np.flatnonzero(owner >= 0)
    owned = owned[np.argsort(owner[owned], kind="stable")]
    swept = [names[own] for own in _slices(owned, owner[owned], len(groups))]
    return _measure(engine, use, swept, places)


def _slices(values: np.ndarray, groups: np.ndarray, count: int) -> list[np.ndarray]:
    """Values of each group from 0, given in order of their groups."""
    return np.split(values, np.searchsorted(groups, np.arange(1, count)))


def _typical(edges: Edges, places: dict[int, int]) -> Edges:
    """The edges of those entities of a group that use templates as the middle one does.

    Those that do not may have been what others resembled, so it is asked again of those that remain.
    """
    while True:
        names = np.unique(edges.entity)
        if len(names) < 2:
            return edges
        place = np.array([places.get(e, e) for e in edges.entity.tolist()])
        alike = resemblance(edges.entity, edges.template, edges.weight, place)
        kept = names[alike >= TYPICAL * np.median(alike)]
        if len(kept) == len(names):
            return edges
        edges = edges.of(np.isin(edges.entity, kept))


def resemblance(
    entity: np.ndarray, template: np.ndarray, weight: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """How much each entity's use of templates resembles that of the others elsewhere, by cosine.

    Args:
        entity, template: int64 (m,), ends of each edge; weight: float (m,), positive.
        place: int64 (m,), where the entity is. A class resembles itself, which says nothing of the
            sweep it is in; where all are in one place, they are compared all the same.

    Returns:
        float (entities,), in the order of the entities' values; between 0 and 1.
    """
    names, first, row = np.unique(entity, return_index=True, return_inverse=True)
    _, column = np.unique(template, return_inverse=True)
    where, home = np.unique(place[first], return_inverse=True)
    row, column, home = row.ravel(), column.ravel(), home.ravel()
    share = weight / np.sqrt(np.bincount(row, weight**2, len(names)))[row]
    shape = (len(names), int(column.max()) + 1)
    use = csr_array((share, (row, column)), shape=shape)
    of = csr_array((np.ones(len(names)), (home, np.arange(len(names)))), (len(where), len(names)))
    total = use.sum(axis=0)
    own = (of @ use).tocsr()  # what each place does
    size = np.bincount(home)
    alone = size[home] == len(names)
    # cosine(u, total - own): products and lengths are worked out on the sparse rows.
    product = use @ total - use.multiply(own[home]).sum(axis=1)
    length = (total**2).sum() - 2 * (own @ total) + own.multiply(own).sum(axis=1)
    everyone = use @ total - 1.0
    whole = (total**2).sum() - 2 * everyone - 1.0
    product = np.where(alone, everyone, product)
    squared = np.where(alone, whole, length[home])
    out: np.ndarray = (product / np.sqrt(np.maximum(squared, 1e-12))).round(9)
    return out


def _places(engine: Engine, groups: list[np.ndarray]) -> dict[int, int]:
    """Entity to the address that it shares with most others of its group, for those that share one."""
    load_groups(engine, "sweeper", groups)
    rows = engine.query(
        """
        SELECT entity, value FROM (
            SELECT s.entity, i.value,
                ROW_NUMBER() OVER (PARTITION BY s.entity ORDER BY a.n DESC, i.value) AS place
            FROM sweeper AS s
            JOIN incidence AS i ON i.entity = s.entity AND i.family = 'address'
            JOIN (
                SELECT s.cluster, i.value, COUNT(*) AS n
                FROM sweeper AS s
                JOIN incidence AS i ON i.entity = s.entity AND i.family = 'address'
                GROUP BY s.cluster, i.value HAVING COUNT(*) >= 2
            ) AS a ON a.cluster = s.cluster AND a.value = i.value
        ) AS ranked
        WHERE place = 1
        """
    )
    entity, value = (np.asarray(c).tolist() for c in rows.columns)
    return dict(zip(entity, value, strict=True))


def _mark_own_items(engine: Engine) -> None:
    engine.recurring("repeated_item", "SELECT item AS value FROM observations", 2)
    engine.create(
        "repeat",
        """
        SELECT o.item, MIN(m.entity) < MAX(m.entity) AS shared
        FROM observations AS o
        JOIN repeated_item AS r ON r.value = o.item
        JOIN account_entity AS m ON m.account = o.account
        GROUP BY o.item
        """,
    )
    engine.drop("repeated_item")
    # An item that was sent once needs no telling apart from others.
    engine.create(
        "own_item_use",
        """
        SELECT u.entity, u.template, CAST(SUM(u.n) AS BIGINT) AS n
        FROM (
            SELECT t.entity, t.template, COUNT(*) AS n
            FROM exchange_template AS t LEFT JOIN repeat AS r ON r.item = t.item
            WHERE r.item IS NULL
            GROUP BY t.entity, t.template
            UNION ALL
            SELECT t.entity, t.template, COUNT(DISTINCT t.item) AS n
            FROM exchange_template AS t JOIN repeat AS r ON r.item = t.item
            WHERE NOT r.shared
            GROUP BY t.entity, t.template
        ) AS u
        LEFT JOIN set_aside AS a ON a.entity = u.entity
        WHERE a.entity IS NULL
        GROUP BY u.entity, u.template
        """,
    )


def _edges(engine: Engine, totals: Totals) -> Edges:
    rows = engine.query(
        f"""
        SELECT s.entity, s.template, s.n, p.entities AS popularity, w.written
        FROM own_item_use AS s
        JOIN popularity AS p ON p.family = 'template' AND p.value = s.template
        JOIN volume AS w ON w.entity = s.entity
        WHERE s.n >= {MIN_EDGE} AND p.entities >= 2 AND p.entities <= {most_telling(totals)}
        ORDER BY s.template, s.entity
        """  # noqa: S608
    )
    entity, template, n, popularity, written = (np.asarray(c) for c in rows.columns)
    # Narrowness times surprise: what a stranger does much of, and few others do at all.
    return Edges(entity, template, n, n / written * np.log(totals.entities / popularity))


def _owners(link: np.ndarray, at: np.ndarray, n: np.ndarray, templates: int) -> np.ndarray:
    """The group most of whose own items each template's are, int64 (templates,); -1 where none's."""
    order = np.lexsort((at, link))
    first = np.flatnonzero(np.diff(link[order], prepend=-1) | np.diff(at[order], prepend=-2))
    items = np.add.reduceat(n[order], first)
    template, group = link[order][first], at[order][first]
    total = np.bincount(link, weights=n, minlength=templates)
    most = (group >= 0) & (2 * items > total[template])
    owner = np.full(templates, -1, dtype=np.int64)
    owner[template[most]] = group[most]
    return owner


def _measure(
    engine: Engine, use: list[Edges], swept: list[np.ndarray], places: dict[int, int]
) -> list[Sweep]:
    """Keep who repeats next to nothing, and count."""
    groups = [np.unique(edges.entity) for edges in use]
    load_groups(engine, "sweeper", groups)
    load_groups(engine, "swept", swept, "template")
    rows = engine.query(
        f"""
        SELECT c.cluster, c.entity, c.items
        FROM (
            SELECT u.cluster, u.entity, COUNT(*) AS sent,
                SUM(CASE WHEN r.item IS NULL THEN 1 ELSE 0 END)
                + COUNT(DISTINCT CASE WHEN NOT r.shared THEN u.item END) AS items
            FROM (
                SELECT t.key, MIN(s.cluster) AS cluster, MIN(t.entity) AS entity, MIN(t.item) AS item
                FROM exchange_template AS t
                JOIN sweeper AS s ON s.entity = t.entity
                JOIN swept AS w ON w.template = t.template AND w.cluster = s.cluster
                GROUP BY t.key
            ) AS u
            LEFT JOIN repeat AS r ON r.item = u.item
            GROUP BY u.cluster, u.entity
        ) AS c
        WHERE c.items >= {MIN_EDGE} AND c.items >= {1 - MAX_REPEATED} * c.sent
        ORDER BY c.cluster, c.entity
        """  # noqa: S608
    )
    sweep, entity, items = (np.asarray(c) for c in rows.columns)
    found = []
    for i, here in enumerate(_slices(np.arange(len(sweep)), sweep, len(groups))):
        own = use[i].of(np.isin(use[i].entity, entity[here]))
        place = np.array([places.get(e, e) for e in entity[here].tolist()], dtype=np.int64)
        found.append(Sweep(entity[here], items[here], swept[i], own, place))
    found = [s for s in found if len(s.entities) >= 2]
    return sorted(found, key=lambda s: (-len(s.entities), int(s.templates[0])))
