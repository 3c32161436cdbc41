"""Whom known-bad accounts lead to. Kept apart: no bound on false discoveries over clusters holds here."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from stillhunt.campaigns.tables import Names
from stillhunt.engines.base import Engine
from stillhunt.fingerprints.hashing import hash64
from stillhunt.linking.families import PAIRS
from stillhunt.linking.links import MAX_BY_CHANCE
from stillhunt.linking.null_model import NullModel, adjust, log_tail

SEED_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("seed", pa.string(), nullable=False),
        pa.field("x_family", pa.string(), nullable=False),
        pa.field("x_value", pa.string(), nullable=False),
        pa.field("y_family", pa.string(), nullable=False),
        pa.field("y_value", pa.string(), nullable=False),
        pa.field("entities", pa.int64(), nullable=False),
        pa.field("expected", pa.float64(), nullable=False),
        pa.field("p_value", pa.float64(), nullable=False),
        pa.field("q_value", pa.float64(), nullable=False),
    ]
)
"""One row for each account that shares a surprising conjunction with a seed, by its surest one.
q_value is over the conjunctions that the seeds carry, not over clusters."""


def _carried_by_seeds(x: str, y: str) -> str:
    """Conjunctions of two families that a seed and somebody else carry."""
    return f"""
        SELECT '{x}' AS x_family, s.x_value, '{y}' AS y_family, s.y_value,
            MAX(a.entities) AS dx, MAX(b.entities) AS dy, COUNT(*) AS n, MIN(s.seed) AS seed
        FROM (
            SELECT a.value AS x_value, b.value AS y_value, MIN(s.name) AS seed
            FROM seed AS s
            JOIN account_entity AS m ON m.account = s.account
            JOIN telling AS a ON a.entity = m.entity AND a.family = '{x}'
            JOIN telling AS b ON b.entity = m.entity AND b.family = '{y}'
            {"WHERE a.value < b.value" if x == y else ""}
            GROUP BY a.value, b.value
        ) AS s
        JOIN telling AS a ON a.family = '{x}' AND a.value = s.x_value
        JOIN telling AS b ON b.family = '{y}' AND b.value = s.y_value AND b.entity = a.entity
        GROUP BY s.x_value, s.y_value HAVING COUNT(*) >= 2
        """  # noqa: S608


def seed_rows(
    engine: Engine, null: NullModel, seeds: frozenset[str], names: Names, level: float
) -> pa.Table:
    """Accounts linked to seeds by conjunctions that seeds carry.

    Args:
        engine: with ``telling`` and ``account_entity`` of the hunt.
        null: of the incidence.
        seeds: account names.
        names: for values.
        level: bound on the false discovery rate among the seeds' own conjunctions.
    """
    given = pa.array(sorted(seeds), pa.string())
    engine.load("seed", pa.table({"account": hash64(given, "account"), "name": given}))
    engine.create("seed_conjunction", " UNION ALL ".join(_carried_by_seeds(*p) for p in PAIRS))
    rows = engine.query(
        "SELECT * FROM seed_conjunction ORDER BY x_family, x_value, y_family, y_value"
    )
    x, y = (np.asarray(rows.column(c)) for c in ("x_family", "y_family"))
    dx, dy, n = (np.asarray(rows.column(c)) for c in ("dx", "dy", "n"))
    expected = np.zeros(len(n))
    for pair in PAIRS:
        here = (x == pair[0]) & (y == pair[1])
        expected[here] = null.pairs(*pair, dx[here], dy[here])
    p = np.exp(log_tail(n, expected))
    # Of a seed's conjunctions all could have been tested, those that only the seed carries too.
    tests = float(
        engine.scalar(
            """
            SELECT SUM(CAST(a.n AS DOUBLE) * b.n) AS n
            FROM seed AS s
            JOIN account_entity AS m ON m.account = s.account
            JOIN degree AS a ON a.entity = m.entity
            JOIN degree AS b ON b.entity = m.entity
            """
        )
        or 0.0
    )
    q = adjust(p, max(tests, len(p)))
    keep = np.flatnonzero((q <= level) & (expected <= MAX_BY_CHANCE * n))
    engine.load(
        "seed_link",
        pa.table(
            {
                "link": pa.array(keep),
                **{
                    c: rows.column(c).take(keep)
                    for c in ("x_family", "x_value", "y_family", "y_value")
                },
            }
        ),
    )
    reached = engine.query(
        """
        SELECT DISTINCT l.link, m.account, n.name
        FROM seed_link AS l
        JOIN telling AS a ON a.family = l.x_family AND a.value = l.x_value
        JOIN telling AS b ON b.family = l.y_family AND b.value = l.y_value AND b.entity = a.entity
        JOIN account_entity AS m ON m.entity = a.entity
        JOIN identity AS n ON n.kind = 'account' AND n.value = m.account
        LEFT JOIN (
            SELECT b.entity FROM seed AS s JOIN account_entity AS b ON b.account = s.account
        ) AS own ON own.entity = m.entity
        LEFT JOIN set_aside AS e ON e.entity = m.entity
        WHERE own.entity IS NULL AND e.entity IS NULL
        ORDER BY link
        """
    ).to_pylist()
    best: dict[str, int] = {}
    for row in reached:  # of links that surprise alike the first, whatever order rows come in
        link, name = row["link"], row["name"]
        if name not in best or p[link] < p[best[name]]:
            best[name] = link
    values = {c: rows.column(c).to_pylist() for c in ("x_value", "y_value", "seed")}
    return pa.Table.from_pylist(
        [
            {
                "account": name,
                "seed": values["seed"][i],
                "x_family": x[i],
                "x_value": names.value(x[i], values["x_value"][i]),
                "y_family": y[i],
                "y_value": names.value(y[i], values["y_value"][i]),
                "entities": int(n[i]),
                "expected": float(expected[i]),
                "p_value": float(p[i]),
                "q_value": float(q[i]),
            }
            for name, i in sorted(best.items())
        ],
        schema=SEED_SCHEMA,
    )
