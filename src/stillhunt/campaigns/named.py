"""What named accounts sent: one pass over the exchanges, for everything that findings say of them."""

from __future__ import annotations

from stillhunt.engines.base import Engine


def gather_named(engine: Engine) -> None:
    """Make ``named_exchange`` (key, account, entity, cluster, own, time, input_tokens, output_tokens, cues).

    All exchanges of named members; ``own`` are those that are their campaign's.

    Args:
        engine: with ``observations``, ``account_entity``, ``named_member`` and ``campaign_exchange``.
    """
    engine.create(
        "named_exchange",
        """
        SELECT o.key, o.account, w.entity, w.cluster, x.key IS NOT NULL AS own, o.time,
            o.input_tokens, o.output_tokens, o.cues
        FROM observations AS o
        JOIN account_entity AS m ON m.account = o.account
        JOIN named_member AS w ON w.entity = m.entity
        LEFT JOIN campaign_exchange AS x ON x.key = o.key AND x.cluster = w.cluster
        """,
    )
