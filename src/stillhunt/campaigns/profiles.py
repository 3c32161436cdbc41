"""A line for every account, innocent ones too, so that a hunt can explain itself."""

from __future__ import annotations

import pyarrow as pa

from stillhunt.campaigns.investigate import Investigation
from stillhunt.engines.base import Engine
from stillhunt.fingerprints.hashing import hash64
from stillhunt.linking.families import FAMILIES


def profile_rows(engine: Engine, investigation: Investigation, accounts: pa.Table) -> pa.Table:
    """Account, what it did and what it shares.

    Columns: account; entity (organization or account); cluster (id or null); exchanges; first_seen,
    last_seen; licensed; sweep, length, intent (of its cluster or itself; null below the volume that
    is compared); and per indicator family the number of values, of values shared with other
    entities, and of the entities that carry the most shared one.
    """
    units = investigation.units
    engine.load(
        "unit_feature",
        pa.table(
            {
                "unit": pa.array(range(len(units.exchanges)), pa.int64()),
                "sweep": pa.array(units.sweep, from_pandas=True),
                "length": pa.array(units.length, from_pandas=True),
                "intent": pa.array(units.intent, from_pandas=True),
            }
        ),
    )
    engine.load(
        "cluster_name",
        pa.table(
            {
                "cluster": pa.array(range(len(investigation.verdicts)), pa.int64()),
                "name": pa.array([v.campaign for v in investigation.verdicts], pa.string()),
            }
        ),
    )
    organizations = accounts.column("organization").unique().drop_null()
    engine.load(
        "organization_name",
        pa.table({"entity": hash64(organizations, "organization"), "name": organizations}),
    )
    counts = ", ".join(
        f"""SUM(CASE WHEN i.family = '{f}' THEN 1 ELSE 0 END) AS {f}_values,
        SUM(CASE WHEN i.family = '{f}' AND p.entities >= 2 THEN 1 ELSE 0 END) AS {f}_shared,
        MAX(CASE WHEN i.family = '{f}' THEN p.entities END) AS {f}_most"""
        for f in FAMILIES
    )
    engine.create(
        "entity_sharing",
        f"""
        SELECT i.entity, {counts}
        FROM incidence AS i JOIN popularity AS p ON p.family = i.family AND p.value = i.value
        GROUP BY i.entity
        """,  # noqa: S608
    )
    shares = ", ".join(f"s.{f}_{what}" for f in FAMILIES for what in ("values", "shared", "most"))
    return engine.query(
        f"""
        SELECT h.name AS account,
            CASE WHEN a.entity = a.account THEN h.name ELSE COALESCE(g.name, i.name) END AS entity,
            n.name AS cluster, a.exchanges, a.first_seen, a.last_seen,
            l.entity IS NOT NULL AS licensed, f.sweep, f.length, f.intent, {shares}
        FROM (
            SELECT o.account, m.entity, CAST(SUM(o.exchanges) AS BIGINT) AS exchanges,
                MIN(o.first_seen) AS first_seen, MAX(o.last_seen) AS last_seen
            FROM usage AS o JOIN account_entity AS m ON m.account = o.account
            GROUP BY o.account, m.entity
        ) AS a
        LEFT JOIN identity AS h ON h.kind = 'account' AND h.value = a.account
        LEFT JOIN identity AS i ON i.kind = 'organization' AND i.value = a.entity
        LEFT JOIN organization_name AS g ON g.entity = a.entity
        LEFT JOIN unit_of AS u ON u.entity = a.entity
        LEFT JOIN unit_feature AS f ON f.unit = u.unit
        LEFT JOIN cluster_of AS c ON c.entity = a.entity
        LEFT JOIN cluster_name AS n ON n.cluster = c.cluster
        LEFT JOIN licensed_entity AS l ON l.entity = a.entity
        LEFT JOIN entity_sharing AS s ON s.entity = a.entity
        ORDER BY h.name
        """  # noqa: S608
    )
