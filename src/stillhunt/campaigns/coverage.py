"""What the logs carry, and what a hunt loses by what they do not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.records.findings import COVERAGE

PARTIAL = 0.5
"""Below this share of rows a signal is called unavailable: more is missing than is there."""


@dataclass(frozen=True)
class Signal:
    """What a hunt decides by: the columns it is read from, one of which is enough, and what is lost
    without them."""

    name: str
    columns: tuple[str, ...]
    lost: str


EXCHANGE_SIGNALS: tuple[Signal, ...] = (
    Signal(
        "prompt text",
        ("system", "prompt"),
        "no templates, no new-item sweeps, no intent: a harvest cannot be told from lawful togetherness, "
        "so no campaign is named; clusters that act as one are still listed in details.json",
    ),
    Signal(
        "client address",
        ("client_address",),
        "accounts behind shared addresses or networks are not linked by them",
    ),
    Signal(
        "client fingerprint",
        ("tls_fingerprint", "user_agent"),
        "clusters are not tested on their client software, and accounts that share nothing are not joined: "
        "that they use one tool cannot be ruled out",
    ),
    Signal(
        "output tokens",
        ("output_tokens", "response"),
        "how much is taken is not known: the harvest score lacks its strongest term",
    ),
    Signal("input tokens", ("input_tokens",), "exposure is stated without input tokens"),
)

_ACCOUNT_SIGNALS: tuple[Signal, ...] = (
    Signal(
        "payment instrument",
        ("payment",),
        "accounts that share a payer are not linked by it, nor their number held against a cluster",
    ),
    Signal(
        "e-mail domain", ("email_domain",), "accounts of one private domain are not linked by it"
    ),
    Signal("account creation", ("created_at",), "when accounts were made is not shown"),
)


def lost_without(columns: Collection[str]) -> list[Signal]:
    """Signals that exchanges with only these columns do not carry."""
    return [signal for signal in EXCHANGE_SIGNALS if not set(signal.columns) & set(columns)]


def coverage_rows(engine: Engine, carried: dict[str, float]) -> pa.Table:
    """The ``coverage`` table.

    Args:
        engine: with ``account_entity`` and ``accounts``.
        carried: per Exchange column, share of rows with a value.
    """
    rows = []
    for signal in EXCHANGE_SIGNALS:
        # Text may be in either column, so one of them is enough.
        share = max(carried.get(column, 0.0) for column in signal.columns)
        rows.append(_row(signal.name, share, signal.lost))
    # Of the accounts that have exchanges: a table of other accounts covers nothing.
    known = engine.query(
        """
        SELECT COUNT(*) AS seen, COUNT(a.account) AS listed, COUNT(a.payment) AS payment,
            COUNT(a.email_domain) AS email_domain, COUNT(a.created_at) AS created_at
        FROM account_entity AS m LEFT JOIN accounts AS a ON a.account = m.account
        """
    ).to_pylist()[0]
    seen = max(known["seen"], 1)
    rows += [_row(s.name, known[s.columns[0]] / seen, s.lost) for s in _ACCOUNT_SIGNALS]
    rows.append(
        _row(
            "declared organizations and licences",
            known["listed"] / seen,
            "togetherness that was declared, and licences, cannot be checked: findings may name "
            "entities that are entitled to what they do",
        )
    )
    return pa.Table.from_pylist(rows, schema=COVERAGE)


def _row(signal: str, share: float, lost: str) -> dict[str, object]:
    available = share >= PARTIAL
    if share >= 0.995:
        consequence = "none: all carry it" if share == 1.0 else "none: nearly all carry it"
    elif available:
        consequence = f"where it is missing ({1 - share:.1%}): {lost}"
    else:
        consequence = lost
    return {"signal": signal, "available": available, "share": share, "consequence": consequence}
