"""Logs to observations on disk, in one pass; text goes no further than this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillhunt.campaigns.request import HuntRequest, Progress
from stillhunt.engines.base import Engine
from stillhunt.errors import InputError
from stillhunt.fingerprints.hashing import hash64
from stillhunt.fingerprints.observe import Observer
from stillhunt.fingerprints.pairs import word_pairs
from stillhunt.readers import InputFile, LogReader, Quarantine, ReadBatch, read_accounts
from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt.records.observation import OBSERVATION_SCHEMA

# Beside the observation the working file names what the findings will name; it lives only as long
# as the hunt.
_NAMES: tuple[pa.Field, ...] = (
    pa.field("key", pa.int64(), nullable=False),
    pa.field("exchange_id", pa.string(), nullable=False),
    pa.field("account_name", pa.string(), nullable=False),
    pa.field("organization_name", pa.string()),
    pa.field("address_name", pa.string()),
    pa.field("agent_name", pa.string()),
    pa.field("file", pa.int32(), nullable=False),
    pa.field("row", pa.int64(), nullable=False),
)
WORK_SCHEMA: pa.Schema = pa.schema([*OBSERVATION_SCHEMA, *_NAMES])
PAIRS_SCHEMA: pa.Schema = WORK_SCHEMA.append(pa.field("pairs", pa.list_(pa.int32())))


@dataclass(frozen=True)
class Ingested:
    """What came in.

    Attributes:
        files: input files, with digests; rows: of each file, int64.
        exchanges: observations kept; outside: rows outside --since/--until; duplicates: rows whose
            exchange id had come already; accounts: the accounts table (ACCOUNT_SCHEMA).
        carried: per canonical column, the share of rows that have a value.
    """

    files: tuple[InputFile, ...]
    rows: tuple[int, ...]
    exchanges: int
    outside: int
    duplicates: int
    accounts: pa.Table
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
    """Read logs and accounts; makes ``observations`` and ``accounts`` in the engine.

    Args:
        request: inputs and settings.
        engine: where tables are made; work: folder for the working file.
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
    present = dict.fromkeys(EXCHANGE_SCHEMA.names, 0)
    observer = Observer(request.threads)
    path = work / "observations.parquet"
    outside = kept = 0
    schema = PAIRS_SCHEMA if pairs else WORK_SCHEMA
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for batch in _together(iter(reader)):
            rows[number[batch.file]] += batch.exchanges.num_rows
            inside = _inside(batch, request.since, request.until)
            outside += batch.exchanges.num_rows - inside.exchanges.num_rows
            if inside.exchanges.num_rows == 0:
                continue
            for name in present:
                column = inside.exchanges.column(name)
                present[name] += len(column) - column.null_count
            writer.write_batch(_work_rows(observer, inside, number[batch.file], schema))
            kept += inside.exchanges.num_rows
            progress.advance(reader.bytes_read, total)
    judge_share(request, quarantine, quarantine.count - bad_accounts, reader.rows_read)
    _judge_empty(reader, kept)
    engine.attach("work", [path])
    duplicates = _drop_duplicates(engine, reader.files, quarantine)
    load_accounts(engine, accounts)
    return Ingested(
        files=tuple(reader.files),
        rows=tuple(rows.tolist()),
        exchanges=kept - duplicates,
        outside=outside,
        duplicates=duplicates,
        accounts=accounts,
        carried={name: n / kept for name, n in present.items()},
    )


def read_given_accounts(request: HuntRequest, quarantine: Quarantine) -> pa.Table:
    """The accounts table (ACCOUNT_SCHEMA); empty where none was given."""
    if request.accounts is None:
        return ACCOUNT_SCHEMA.empty_table()
    return read_accounts(request.accounts, request.read, quarantine)


def _together(batches: Iterator[ReadBatch], rows: int = 32768) -> Iterator[ReadBatch]:
    """Join neighbouring batches of a file, so that small ones do not starve the cores."""
    held: list[ReadBatch] = []
    size = 0
    for batch in batches:
        if held and (batch.file != held[0].file or size + batch.exchanges.num_rows > rows):
            yield _join(held)
            held, size = [], 0
        held.append(batch)
        size += batch.exchanges.num_rows
        if batch.exchanges.nbytes > 1 << 26:
            yield _join(held)
            held, size = [], 0
    if held:
        yield _join(held)


def _join(batches: list[ReadBatch]) -> ReadBatch:
    if len(batches) == 1:
        return batches[0]
    return ReadBatch(
        exchanges=pa.concat_batches([b.exchanges for b in batches]),
        file=batches[0].file,
        rows=np.concatenate([b.rows for b in batches]),
    )


def _inside(batch: ReadBatch, since: datetime | None, until: datetime | None) -> ReadBatch:
    if since is None and until is None:
        return batch
    time = batch.exchanges.column("time")
    keep = np.ones(len(time), dtype=bool)
    if since is not None:
        keep &= np.asarray(pc.greater_equal(time, _instant(since)))
    if until is not None:
        keep &= np.asarray(pc.less(time, _instant(until)))
    return replace(batch, exchanges=batch.exchanges.filter(pa.array(keep)), rows=batch.rows[keep])


def _instant(moment: datetime) -> pa.Scalar:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return pa.scalar(aware, pa.timestamp("us", tz="UTC"))


def _work_rows(
    observer: Observer, batch: ReadBatch, file: int, schema: pa.Schema
) -> pa.RecordBatch:
    observed = observer.observe(batch.exchanges)
    n = observed.num_rows
    digests = b"".join(observed.column("exchange").to_pylist())
    names = [
        pa.array(np.frombuffer(digests, dtype="<i8").reshape(n, 2)[:, 0]),
        batch.exchanges.column("exchange_id"),
        batch.exchanges.column("account"),
        batch.exchanges.column("organization"),
        batch.exchanges.column("client_address"),
        batch.exchanges.column("user_agent"),
        pa.array(np.full(n, file, dtype=np.int32)),
        pa.array(batch.rows),
    ]
    if "pairs" in schema.names:
        names.append(word_pairs(batch.exchanges.column("prompt")))
    return pa.RecordBatch.from_arrays([*observed.columns, *names], schema=schema)


def judge_share(request: HuntRequest, quarantine: Quarantine, bad: int, seen: int) -> None:
    """Refuse to conclude where too much of a file's rows is bad."""
    if bad > request.max_bad * max(seen, 1):
        reason, n = quarantine.reasons.most_common(1)[0]
        raise InputError(
            f"{bad:,} of {seen:,} rows are bad, more than --max-bad {request.max_bad:g} allows; the most "
            f"common reason ({n:,} times): {reason}.",
            f"See {quarantine.told}; mend the log or, knowing what is lost, raise --max-bad.",
        )


def _judge_empty(reader: LogReader, kept: int) -> None:
    if kept == 0:
        where = ", ".join(str(f.path) for f in reader.files[:3])
        raise InputError(
            f"No exchange is left to look at in {where}.",
            "Check the files, and --since and --until where they are given.",
        )


def _drop_duplicates(engine: Engine, files: list[InputFile], quarantine: Quarantine) -> int:
    """Make ``observations``: of rows with one exchange id, the earliest; the rest is quarantined.

    Which one stays depends on what the rows say, not on where they stand.
    """
    count = engine.scalar("SELECT COUNT(*) - COUNT(DISTINCT key) AS n FROM work")
    if not count:
        engine.create("duplicate", "SELECT key, file, row FROM work WHERE 1 = 0")
        engine.alias("observations", "work")
        return 0
    engine.create(
        "ranked",
        """
        SELECT key, file, row, ROW_NUMBER() OVER (
            PARTITION BY key
            ORDER BY time, account, item, address, input_tokens, output_tokens, file, row) AS place
        FROM work
        """,
    )
    engine.create(
        "observations",
        """
        SELECT w.* FROM work AS w
        JOIN ranked AS r ON r.key = w.key AND r.file = w.file AND r.row = w.row
        WHERE r.place = 1
        """,
    )
    duplicates = engine.query(
        """
        SELECT w.file, w.row, w.exchange_id FROM work AS w
        JOIN ranked AS r ON r.key = w.key AND r.file = w.file AND r.row = w.row
        WHERE r.place > 1 ORDER BY w.file, w.row
        """
    )
    engine.drop("ranked")
    for row in duplicates.to_pylist():
        quarantine.add(
            str(files[row["file"]].path), row["row"],
            "exchange_id was seen before; the earliest row is kept", row["exchange_id"],
        )  # fmt: skip
    return int(duplicates.num_rows)


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
