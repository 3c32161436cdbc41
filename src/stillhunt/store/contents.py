"""Gives a store's content to an engine, as the tables that a hunt reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillhunt.engines.base import Engine
from stillhunt.fingerprints.hashing import hash64
from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt.store.layout import IDENTITY_SCHEMA, Layout
from stillhunt.store.manifest import Part, State
from stillhunt.store.store import Store


def parts_of(state: State, since: datetime | None, until: datetime | None) -> list[Part]:
    """Parts that may hold exchanges from ``since`` to before ``until``, by day and name."""
    first = _day(since) if since is not None else ""
    last = _day(until - timedelta(microseconds=1)) if until is not None else "9999-12-31"
    chosen = [part for part in state.parts.values() if first <= part.day <= last]
    return sorted(chosen, key=lambda part: (part.day, part.part))


def attach_parts(
    engine: Engine,
    layout: Layout,
    parts: Sequence[Part],
    since: datetime | None = None,
    until: datetime | None = None,
) -> None:
    """Make ``observations``, ``exchange_name`` and ``identity``; nothing is read yet.

    ``observations`` has STORED_SCHEMA; ``exchange_name`` key, exchange_id, file, row; ``identity``
    kind, value, name, where the name of a hash that several share is the last in order.

    Args:
        engine: where.
        layout: of the store; parts: at least one.
        since, until: as ``parts_of``; rows of the first and the last day beyond them are left out.
    """
    files = [layout.part_files(part.part, part.day) for part in parts]
    observations = [paths[0] for paths in files]
    period = _period(since, until)
    if period:
        engine.attach("stored", observations)
        engine.view("observations", f"SELECT * FROM stored WHERE {period}")  # noqa: S608
    else:
        engine.attach("observations", observations)
    engine.attach_beside(
        "exchange_name",
        observations,
        ["key"],
        [paths[1] for paths in files],
        ["exchange_id", "file", "row"],
    )
    _attach_identities(engine, [paths[2] for paths in files])


def _attach_identities(engine: Engine, files: Sequence[Path]) -> None:
    there = [path for path in files if path.exists()]
    if there:
        engine.attach("identity_seen", there)
    else:
        engine.load("identity_seen", IDENTITY_SCHEMA.empty_table())
    engine.view(
        "identity",
        "SELECT kind, value, MAX(name) AS name FROM identity_seen GROUP BY kind, value",
    )


def read_accounts_table(store: Store) -> pa.Table:
    """The accounts table (ACCOUNT_SCHEMA): of each account, the rows of the last version that has it."""
    table = ACCOUNT_SCHEMA.empty_table()
    for version in store.state.accounts:
        newer = pq.ParquetFile(store.layout.accounts(version)).read().cast(ACCOUNT_SCHEMA)
        stays = pc.invert(
            pc.is_in(table.column("account"), newer.column("account").combine_chunks())
        )
        table = pa.concat_tables([table.filter(stays), newer])
    return table


def load_accounts(engine: Engine, accounts: pa.Table) -> None:
    """Make ``accounts`` in the engine: hashes, as observations have them; one row an account."""
    columns = {
        "account": hash64(accounts.column("account"), "account"),
        "organization": hash64(accounts.column("organization"), "organization"),
        "payment": hash64(accounts.column("payment"), "payment"),
        "email_domain": hash64(
            pc.utf8_lower(accounts.column("email_domain").cast(pa.large_string())), "email_domain"
        ),
        "created_at": accounts.column("created_at"),
        "licensed": pc.is_valid(accounts.column("licence")),
    }
    engine.load("accounts_given", pa.table(columns))
    engine.create(
        "accounts",
        """
        SELECT account, MAX(organization) AS organization, MAX(payment) AS payment,
            MAX(email_domain) AS email_domain, MIN(created_at) AS created_at,
            MAX(CASE WHEN licensed THEN 1 ELSE 0 END) = 1 AS licensed
        FROM accounts_given GROUP BY account
        """,
    )
    engine.drop("accounts_given")


def _aware(moment: datetime) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _day(moment: datetime) -> str:
    return _aware(moment).date().isoformat()


def _period(since: datetime | None, until: datetime | None) -> str:
    """The condition on ``time`` that days alone do not meet; empty where they do."""
    conditions = []
    for sign, moment in ((">=", since), ("<", until)):
        if moment is not None and _aware(moment).time() != datetime.min.time():
            conditions.append(f"time {sign} CAST('{_aware(moment).isoformat(' ')}' AS TIMESTAMPTZ)")
    return " AND ".join(conditions)
