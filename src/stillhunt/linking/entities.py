"""Entities: an organization, or an account without one."""

from __future__ import annotations

from stillhunt.engines.base import Engine
from stillhunt.linking.usage import build_usage, measure_entities


def build_entities(engine: Engine) -> None:
    """Make ``usage``, ``account_entity`` (account, entity) and the sums over entities.

    From ``observations`` and ``accounts``; see ``linking.usage``.

    The accounts table's organization outranks the one on exchanges.
    """
    build_usage(engine)
    engine.create(
        "account_entity",
        """
        SELECT seen.account, COALESCE(a.organization, seen.organization, seen.account) AS entity
        FROM (
            SELECT account, MAX(organization) AS organization FROM usage GROUP BY account
        ) AS seen
        LEFT JOIN accounts AS a ON a.account = seen.account
        """,
    )
    engine.create(
        "licensed_entity",
        """
        SELECT DISTINCT m.entity
        FROM account_entity AS m JOIN accounts AS a ON a.account = m.account
        WHERE a.licensed
        """,
    )
    measure_entities(engine)
