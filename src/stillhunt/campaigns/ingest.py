"""What a hunt looks at, in its engine: logs by way of a store that ends with it, or a store that stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from stillhunt.campaigns.request import HuntRequest, Progress
from stillhunt.engines.base import Engine
from stillhunt.errors import InputError
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import LogReader, Quarantine, read_accounts
from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt.store.contents import attach_parts, load_accounts, parts_of, read_accounts_table
from stillhunt.store.intake import Intake, inside, together
from stillhunt.store.manifest import Input, Transaction
from stillhunt.store.store import Store, check_key, create_store

_CARRIED = {
    "prompt": "item",
    "client_address": "address",
    "tls_fingerprint": "tls",
    "user_agent": "agent",
    "output_tokens": "output_tokens",
    "response": "response_bytes",
    "input_tokens": "input_tokens",
}
"""Exchange column to the observation's column that has a value where it has one."""


@dataclass(frozen=True)
class Ingested:
    """What came in.

    Attributes:
        inputs: what was read, by number.
        exchanges: observations; outside: rows outside --since/--until; duplicates: rows whose
            exchange id had come already; quarantined: rows lost before this hunt, when a store took
            them in; accounts: the accounts table (ACCOUNT_SCHEMA); accounts_given: whether there is
            one.
        carried: per canonical column that signals rest on, the share of exchanges that have a value.
    """

    inputs: tuple[Input, ...]
    exchanges: int
    outside: int
    duplicates: int
    quarantined: int
    accounts: pa.Table
    accounts_given: bool
    carried: dict[str, float]


def ingest(
    request: HuntRequest,
    engine: Engine,
    work: Path,
    quarantine: Quarantine,
    progress: Progress,
    *,
    pairs: bool = False,
) -> Ingested:
    """Read logs and accounts; makes what a hunt reads in the engine.

    That is ``observations``, ``exchange_name``, ``identity`` (see ``store.contents``) and ``accounts``.

    Args:
        request: inputs and settings.
        engine: where tables are made; work: folder for a store that ends with the hunt.
        quarantine: for bad rows; progress: told how far it is.
        pairs: sample word pairs too (column ``pairs``).

    Raises:
        InputError: unreadable input, nothing in it, or more bad rows than allowed.
    """
    accounts = read_given_accounts(request, quarantine)
    bad_accounts = quarantine.count
    judge_share(request, quarantine, bad_accounts, accounts.num_rows + bad_accounts)
    reader = LogReader(request.paths, request.read, quarantine)
    total = sum(f.bytes for f in reader.files)
    number = {str(f.path): i for i, f in enumerate(reader.files)}
    rows = np.zeros(len(reader.files), dtype=np.int64)
    store = create_store(work / "store", lasting=False)
    intake = Intake(store, Observer(request.threads), pairs=pairs)
    outside = 0
    for batch in together(iter(reader)):
        rows[number[batch.file]] += batch.exchanges.num_rows
        wanted = inside(batch, request.since, request.until)
        outside += batch.exchanges.num_rows - wanted.exchanges.num_rows
        if wanted.exchanges.num_rows:
            intake.take(wanted, number[batch.file])
        progress.advance(reader.bytes_read, total)
    judge_share(request, quarantine, quarantine.count - bad_accounts, reader.rows_read)
    if intake.rows == 0:
        raise nothing_left([str(f.path) for f in reader.files])
    taken = intake.settle({i: str(f.path) for i, f in enumerate(reader.files)}, quarantine)
    inputs = tuple(
        Input(
            str(f.path), f.digest, f.bytes, f.path.stat().st_mtime_ns, rows=int(n), source=f.source
        )
        for f, n in zip(reader.files, rows, strict=True)
    )
    now = datetime.now(UTC).isoformat()
    store.commit(Transaction("ingest", now, added=taken.parts, inputs=inputs))
    attach_parts(engine, store.layout, parts_of(store.state, None, None))
    load_accounts(engine, accounts)
    return Ingested(
        inputs=inputs,
        exchanges=store.state.rows,
        outside=outside,
        duplicates=sum(taken.duplicates.values()),
        quarantined=0,
        accounts=accounts,
        accounts_given=request.accounts is not None,
        carried=carried(engine),
    )


def take_from_store(
    request: HuntRequest, engine: Engine, store: Store, quarantine: Quarantine
) -> Ingested:
    """Make what a hunt reads in the engine, of a store's exchanges in the period of the request.

    Args:
        request: its accounts table, where there is one, is taken in place of the store's.
        engine: where tables are made; store: what is hunted; quarantine: for bad rows of accounts.

    Raises:
        InputError: nothing is there, or names in the store are replaced under another key.
    """
    key = request.read.pseudonymiser.key_id if request.read.pseudonymiser else None
    check_key(store, key)
    parts = parts_of(store.state, request.since, request.until)
    if not parts:
        raise nothing_left([str(store.root)])
    attach_parts(engine, store.layout, parts, request.since, request.until)
    exchanges = int(engine.scalar("SELECT COUNT(*) AS n FROM observations") or 0)
    if exchanges == 0:
        raise nothing_left([str(store.root)])
    accounts = (
        read_given_accounts(request, quarantine) if request.accounts else read_accounts_table(store)
    )
    load_accounts(engine, accounts)
    inputs = store.state.inputs
    return Ingested(
        inputs=inputs,
        exchanges=exchanges,
        outside=store.state.rows - exchanges,
        duplicates=sum(i.duplicates for i in inputs),
        quarantined=sum(i.quarantined for i in inputs),
        accounts=accounts,
        accounts_given=bool(request.accounts or store.state.accounts),
        carried=carried(engine),
    )


def carried(engine: Engine) -> dict[str, float]:
    """As of ``Ingested``, from ``observations``, of which there is at least one."""
    counts = ", ".join(f"COUNT({column}) AS {column}" for column in _CARRIED.values())
    row = engine.query(f"SELECT COUNT(*) AS n, {counts} FROM observations").to_pylist()[0]  # noqa: S608
    return {name: row[column] / row["n"] for name, column in _CARRIED.items()}


def read_given_accounts(request: HuntRequest, quarantine: Quarantine) -> pa.Table:
    """The accounts table (ACCOUNT_SCHEMA); empty where none was given."""
    if request.accounts is None:
        return ACCOUNT_SCHEMA.empty_table()
    return read_accounts(request.accounts, request.read, quarantine)


def judge_share(request: HuntRequest, quarantine: Quarantine, bad: int, seen: int) -> None:
    """Refuse to conclude where too much of a file's rows is bad.

    Raises:
        InputError: ``bad`` rows of those ``seen`` are more than the request allows.
    """
    if bad > request.max_bad * max(seen, 1):
        reason, n = quarantine.reasons.most_common(1)[0]
        raise InputError(
            f"{bad:,} of {seen:,} rows are bad, more than --max-bad {request.max_bad:g} allows; the most "
            f"common reason ({n:,} times): {reason}.",
            f"See {quarantine.told}; mend the log or, knowing what is lost, raise --max-bad.",
        )


def nothing_left(places: list[str]) -> InputError:
    """What is raised where no exchange is left of what was read at some places."""
    return InputError(
        f"No exchange is left to look at in {', '.join(places[:3])}.",
        "Check the files, and --since and --until where they are given.",
    )
