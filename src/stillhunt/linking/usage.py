"""Usage: what each account did from where, summed up so that exchanges need not be read again.

One pass over the observations gives a row for each different combination of account, place and client.
The sums are whole numbers, so that the order of rows, days and engines change nothing, and rows of
several days can be added up.
"""

from __future__ import annotations

from stillhunt.engines.base import Engine

LOG_UNITS = 10_000
"""Logarithms of words are added up as whole multiples of one part in so many."""


def log_of(words: str) -> str:
    """ln(1 + words) in LOG_UNITS, as SQL, of a column of words."""
    return f"CAST(ROUND(LN(1.0 + {words}) * {LOG_UNITS}) AS BIGINT)"


def build_usage(engine: Engine) -> None:
    """Make ``usage`` from ``observations``.

    Its columns: account, address, network, tls, agent; organization, as declared on exchanges;
    first_seen, last_seen; exchanges; written, those with text; measured, those whose words were
    counted; log_words and log_words_squared, sums over these of ln(1 + words) and of its square, in
    LOG_UNITS.
    """
    engine.create(
        "usage",
        f"""
        SELECT account, address, network, tls, agent, MAX(organization) AS organization,
            MIN(time) AS first_seen, MAX(time) AS last_seen,
            COUNT(*) AS exchanges, COUNT(item) AS written, COUNT(log_words) AS measured,
            CAST(SUM(log_words) AS BIGINT) AS log_words,
            CAST(SUM(log_words * log_words) AS BIGINT) AS log_words_squared
        FROM (
            SELECT account, address, network, tls, agent, organization, time, item,
                {log_of("words")} AS log_words
            FROM observations
        ) AS o
        GROUP BY account, address, network, tls, agent
        """,  # noqa: S608
    )


def measure_entities(engine: Engine) -> None:
    """Make ``volume`` and ``whereabouts`` from ``usage`` and ``account_entity``.

    - volume (entity, exchanges, written, measured, log_words, log_words_squared).
    - whereabouts (entity, address, network): distinct.
    """
    sums = ", ".join(
        f"CAST(SUM(u.{name}) AS BIGINT) AS {name}"
        for name in ("exchanges", "written", "measured", "log_words", "log_words_squared")
    )
    engine.create(
        "volume",
        f"""
        SELECT m.entity, {sums}
        FROM usage AS u JOIN account_entity AS m ON m.account = u.account
        GROUP BY m.entity
        """,  # noqa: S608
    )
    engine.create(
        "whereabouts",
        """
        SELECT DISTINCT m.entity, u.address, u.network
        FROM usage AS u JOIN account_entity AS m ON m.account = u.account
        WHERE u.address IS NOT NULL
        """,
    )
