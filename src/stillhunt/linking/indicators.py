"""Indicators: which values entities were seen with, and how popular each value is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.families import FAMILIES, PAIRS


@dataclass(frozen=True)
class Totals:
    """What the null model needs to know of the incidence of entities and indicators.

    Attributes:
        entities: entities that carry anything.
        edges: per family, distinct (entity, value) pairs.
        shareable: per family, values that at least two entities carry.
        degrees: per family, int64 (2, classes): numbers of values an entity may carry, rising, and how
            many entities carry so many.
        popularities: per family, int64 (2, classes): numbers of entities a value may have, rising, and
            how many values have so many.
        joint: per pair of families in PAIRS, int64 (3, classes): an entity's numbers of values in
            either, and how many entities have these.
    """

    entities: int
    edges: dict[str, int]
    shareable: dict[str, int]
    degrees: dict[str, np.ndarray]
    popularities: dict[str, np.ndarray]
    joint: dict[tuple[str, str], np.ndarray]

    def beside(self, others: Totals) -> Totals:
        """Of both together, where no entity and no value is in both."""
        return Totals(
            entities=self.entities + others.entities,
            edges={f: n + others.edges[f] for f, n in self.edges.items()},
            shareable={f: n + others.shareable[f] for f, n in self.shareable.items()},
            degrees={f: _added(c, others.degrees[f]) for f, c in self.degrees.items()},
            popularities={
                f: _added(c, others.popularities[f]) for f, c in self.popularities.items()
            },
            joint={pair: _added(c, others.joint[pair]) for pair, c in self.joint.items()},
        )


def _added(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Classes, int64 (k + 1, classes) each with counts in the last row, put together in order."""
    both = np.concatenate([a, b], axis=1)
    classes, which = np.unique(both[:-1], axis=1, return_inverse=True)
    counts = np.zeros(classes.shape[1], dtype=np.int64)
    np.add.at(counts, which.ravel(), both[-1])
    return np.concatenate([classes, counts[None, :]])


def build_indicators(engine: Engine) -> Totals:
    """Make ``incidence``, ``popularity`` and ``degree`` from usage, accounts, templates.

    - incidence (entity, family, value): distinct.
    - popularity (family, value, entities): how many entities carry a value.
    - degree (entity, family, n): how many values of a family an entity carries.
    """
    engine.create(
        "incidence",
        """
        SELECT DISTINCT entity, 'address' AS family, address AS value FROM whereabouts
        UNION ALL
        SELECT DISTINCT entity, 'network' AS family, network AS value FROM whereabouts
        WHERE network IS NOT NULL
        UNION ALL
        SELECT DISTINCT m.entity, 'client' AS family,
            CAST(COALESCE(u.tls, 0) AS BIGINT) * 4294967296 + COALESCE(u.agent, 0) AS value
        FROM usage AS u JOIN account_entity AS m ON m.account = u.account
        WHERE u.tls IS NOT NULL OR u.agent IS NOT NULL
        UNION ALL
        SELECT DISTINCT m.entity, 'payment' AS family, a.payment AS value
        FROM accounts AS a JOIN account_entity AS m ON m.account = a.account
        WHERE a.payment IS NOT NULL
        UNION ALL
        SELECT DISTINCT m.entity, 'email_domain' AS family, a.email_domain AS value
        FROM accounts AS a JOIN account_entity AS m ON m.account = a.account
        WHERE a.email_domain IS NOT NULL
        UNION ALL
        SELECT entity, 'template' AS family, template AS value FROM template_use
        """,
    )
    return count_indicators(engine)


def count_indicators(engine: Engine) -> Totals:
    """Make ``popularity`` and ``degree`` from ``incidence``, and sum them up."""
    engine.create(
        "popularity",
        "SELECT family, value, COUNT(*) AS entities FROM incidence GROUP BY family, value",
    )
    engine.create(
        "degree", "SELECT entity, family, COUNT(*) AS n FROM incidence GROUP BY entity, family"
    )
    return _measure_totals(engine)


def load_groups(
    engine: Engine, table: str, groups: Sequence[np.ndarray], column: str = "entity"
) -> None:
    """Make ``table`` (cluster, ``column``) of the entities, or other values, of groups from 0."""
    values = np.concatenate([np.zeros(0, dtype=np.int64), *groups])
    number = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    engine.load(
        table,
        pa.table({"cluster": pa.array(number, pa.int64()), column: pa.array(values, pa.int64())}),
    )


def group_degrees(engine: Engine, groups: str, family: str) -> np.ndarray:
    """How busy the entities of groups are, int64 (3, classes), as ``NullModel.group`` takes it.

    Args:
        engine: with ``degree`` and the table ``groups`` (cluster, entity).
        groups: that table's name.
        family: of the values counted.

    Returns:
        Cluster, an entity's number of values, and how many of the cluster have so many.
    """
    rows = engine.query(
        f"""
        SELECT g.cluster, d.n AS k, COUNT(*) AS n
        FROM {groups} AS g JOIN degree AS d ON d.entity = g.entity
        WHERE d.family = '{family}'
        GROUP BY g.cluster, d.n
        """  # noqa: S608
    )
    return np.array([np.asarray(column) for column in rows.columns], dtype=np.int64)


def _measure_totals(engine: Engine) -> Totals:
    degrees = _classes(
        engine, "SELECT family, n AS a, COUNT(*) AS n FROM degree GROUP BY family, degree.n"
    )
    popularities = _classes(
        engine,
        "SELECT family, entities AS a, COUNT(*) AS n FROM popularity GROUP BY family, entities",
    )
    return Totals(
        entities=int(engine.scalar("SELECT COUNT(DISTINCT entity) AS n FROM incidence") or 0),
        edges={f: int(np.prod(c, axis=0).sum()) for f, c in popularities.items()},
        shareable={f: int(c[1][c[0] >= 2].sum()) for f, c in popularities.items()},
        degrees=degrees,
        popularities=popularities,
        joint=_joint_classes(engine),
    )


def _joint_classes(engine: Engine) -> dict[tuple[str, str], np.ndarray]:
    # One statement for all pairs: each costs more to plan than to run.
    counts = " UNION ALL ".join(
        f"""
        SELECT {i} AS pair, a.n AS kx, b.n AS ky, COUNT(*) AS n
        FROM degree AS a JOIN degree AS b ON a.entity = b.entity
        WHERE a.family = '{x}' AND b.family = '{y}'
        GROUP BY a.n, b.n
        """  # noqa: S608
        for i, (x, y) in enumerate(PAIRS)
    )
    rows = engine.query(f"SELECT pair, kx, ky, n FROM ({counts}) AS c ORDER BY pair, kx, ky")  # noqa: S608
    pair = np.asarray(rows.column("pair"))
    classes = np.array([np.asarray(rows.column(c)) for c in ("kx", "ky", "n")], dtype=np.int64)
    return {xy: classes[:, pair == i] for i, xy in enumerate(PAIRS)}


def _classes(engine: Engine, select: str) -> dict[str, np.ndarray]:
    """Per family, int64 (2, classes) of a number and how often it occurs; empty where unseen."""
    rows = engine.query(f"SELECT family, a, n FROM ({select}) AS c ORDER BY family, a")  # noqa: S608
    family = np.asarray(rows.column("family").to_pylist(), dtype=object)
    both = np.array([np.asarray(rows.column(c)) for c in ("a", "n")], dtype=np.int64)
    return {
        f: both[:, family == f] if len(family) else np.zeros((2, 0), np.int64) for f in FAMILIES
    }
