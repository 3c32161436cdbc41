"""Entities: an organization, or an account without one."""

from __future__ import annotations

from stillhunt.engines.base import Engine


def build_entities(engine: Engine) -> None:
    """Make ``account_entity`` (account, entity) from ``usage`` and ``accounts``.

    The accounts table's organization outranks the one on exchanges.
    """
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
