"""Indicators: which values entities were seen with, and how popular each value is."""

from __future__ import annotations

from dataclasses import dataclass

from stillhunt.engines.base import Engine
from stillhunt.linking.families import FAMILIES, PAIRS


@dataclass(frozen=True)
class Totals:
    """Sums over the incidence of entities and indicators, for the null model.

    Attributes:
        entities: entities seen.
        edges: per family, distinct (entity, value) pairs.
        shareable: per family, values that at least two entities carry.
        cross: per pair of families, the sum over entities of the product of their numbers of
            values (for a family with itself, of ordered pairs of different values).
    """

    entities: int
    edges: dict[str, int]
    shareable: dict[str, int]
    cross: dict[tuple[str, str], float]


def build_indicators(engine: Engine) -> Totals:
    """Make ``incidence``, ``popularity`` and ``degree`` from observations, accounts, templates.

    - incidence (entity, family, value): distinct.
    - popularity (family, value, entities): how many entities carry a value.
    - degree (entity, family, n): how many values of a family an entity carries.
    """
    engine.create(
        "incidence",
        """
        SELECT DISTINCT m.entity, 'address' AS family, o.address AS value
        FROM observations AS o JOIN account_entity AS m ON m.account = o.account
        WHERE o.address IS NOT NULL
        UNION ALL
        SELECT DISTINCT m.entity, 'network' AS family, o.network AS value
        FROM observations AS o JOIN account_entity AS m ON m.account = o.account
        WHERE o.network IS NOT NULL
        UNION ALL
        SELECT DISTINCT m.entity, 'client' AS family,
            CAST(COALESCE(o.tls, 0) AS BIGINT) * 4294967296 + COALESCE(o.agent, 0) AS value
        FROM observations AS o JOIN account_entity AS m ON m.account = o.account
        WHERE o.tls IS NOT NULL OR o.agent IS NOT NULL
        UNION ALL
        SELECT DISTINCT m.entity, 'payment' AS family, a.payment AS value
        FROM accounts AS a JOIN account_entity AS m ON m.account = a.account
        WHERE a.payment IS NOT NULL
        UNION ALL
        SELECT DISTINCT m.entity, 'email_domain' AS family, a.email_domain AS value
        FROM accounts AS a JOIN account_entity AS m ON m.account = a.account
        WHERE a.email_domain IS NOT NULL
        UNION ALL
        SELECT DISTINCT entity, 'template' AS family, template AS value
        FROM exchange_template
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


def _measure_totals(engine: Engine) -> Totals:
    per_family = engine.query(
        """
        SELECT family, SUM(entities) AS edges,
            SUM(CASE WHEN entities >= 2 THEN 1 ELSE 0 END) AS shareable
        FROM popularity GROUP BY family
        """
    ).to_pylist()
    products = engine.query(
        """
        SELECT a.family AS x, b.family AS y, SUM(CAST(a.n AS DOUBLE) * b.n) AS product,
            SUM(CAST(a.n AS DOUBLE)) AS own
        FROM degree AS a JOIN degree AS b ON a.entity = b.entity
        GROUP BY a.family, b.family
        """
    ).to_pylist()
    cross = {}
    for row in products:
        pair = (row["x"], row["y"])
        cross[pair] = row["product"] - (row["own"] if pair[0] == pair[1] else 0.0)
    entities = engine.scalar("SELECT COUNT(DISTINCT entity) AS n FROM incidence")
    return Totals(
        entities=int(entities or 0),
        edges={family: 0 for family in FAMILIES} | {r["family"]: int(r["edges"]) for r in per_family},
        shareable={family: 0 for family in FAMILIES}
        | {r["family"]: int(r["shareable"]) for r in per_family},
        cross={pair: 0.0 for pair in PAIRS} | cross,
    )
