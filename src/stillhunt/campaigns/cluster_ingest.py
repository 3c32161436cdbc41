"""Logs that the engine's executors read themselves: canonical Parquet, at paths or addresses, and tables."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from stillhunt.campaigns.cluster_reading import ARRIVED, PLACE, Reading
from stillhunt.campaigns.ingest import (
    Ingested,
    carried,
    judge_share,
    nothing_left,
    read_given_accounts,
)
from stillhunt.campaigns.request import HuntRequest, Progress, is_address
from stillhunt.engines.spark import POSITION, SparkEngine
from stillhunt.engines.spark_places import located
from stillhunt.errors import InputError
from stillhunt.readers import Quarantine, find_files
from stillhunt.readers.records import take_sample
from stillhunt.records.exchange import EXCHANGE_SCHEMA, REQUIRED
from stillhunt.store.contents import load_accounts
from stillhunt.store.inputs import digest_of
from stillhunt.store.intake import SEEN
from stillhunt.store.layout import IDENTITY_KINDS, STORED_SCHEMA
from stillhunt.store.manifest import Input

TABLE = "table:"
"""How a log begins that is the name of a table in one of Spark's catalogs."""

_DAY = 86_400


@dataclass
class _Arrived:
    """What executors told, summed up."""

    seen: int = 0
    kept: int = 0
    outside: int = 0
    rows: dict[int, int] = field(default_factory=dict)
    bytes: dict[int, int] = field(default_factory=dict)


def reads_on_cluster(request: HuntRequest) -> bool:
    """Whether Spark's executors can read the logs: nothing but canonical Parquet.

    Raises:
        InputError: a path cannot be read, or addresses are mixed with paths.
    """
    if request.read.source not in ("auto", "canonical"):
        return False
    addresses = [log for log in request.logs if is_address(log)]
    if addresses:
        if len(addresses) < len(request.logs):
            raise InputError(
                f"{addresses[0]} is an address, and others of the logs are paths.",
                "Write paths as file:///... or hunt in them by themselves.",
            )
        return True
    return all(_canonical(path) for path, _ in find_files(request.paths))


def ingest_on_cluster(
    request: HuntRequest, engine: SparkEngine, quarantine: Quarantine, progress: Progress
) -> Ingested:
    """Read logs and accounts; makes ``observations`` and ``accounts`` in the engine.

    Args:
        request: inputs and settings, for which ``reads_on_cluster``.
        engine: where tables are made.
        quarantine: for bad rows; progress: told when it is done.

    Raises:
        InputError: unreadable input, nothing in it, or more bad rows than allowed.
    """
    accounts = read_given_accounts(request, quarantine)
    bad_accounts = quarantine.count
    judge_share(request, quarantine, bad_accounts, accounts.num_rows + bad_accounts)
    if request.read.pseudonymiser is not None:
        quarantine.excerpts = False
    logs, reported = _open(request, engine)
    names = sorted(reported.values())
    number = {name: i for i, name in enumerate(names)}
    reading = Reading(
        options=request.read,
        files={told: (number[name], name) for told, name in reported.items()},
        since=request.since,
        until=request.until,
        latest=int((time.time() + _DAY) * 1_000_000),
    )
    engine.map_frames("arrived", logs, reading, ARRIVED)
    arrived = _hear(engine, names, quarantine)
    judge_share(request, quarantine, quarantine.count - bad_accounts, arrived.seen)
    if arrived.kept == 0:
        raise nothing_left(names)
    duplicates = _keep_first(engine, names, quarantine)
    load_accounts(engine, accounts)
    local = not is_address(request.logs[0])
    inputs = tuple(
        _input(name, arrived.bytes.get(i, 0), arrived.rows.get(i, 0), local=local)
        for i, name in enumerate(names)
    )
    size = sum(i.bytes for i in inputs)
    progress.advance(size, size)
    return Ingested(
        inputs=inputs,
        exchanges=arrived.kept - duplicates,
        outside=arrived.outside,
        duplicates=duplicates,
        quarantined=0,
        accounts=accounts,
        accounts_given=request.accounts is not None,
        carried=carried(engine),
    )


def _canonical(path: Path) -> bool:
    """Whether a file is canonical Parquet whose name Spark does not pass over."""
    if path.name.startswith((".", "_")):
        return False
    try:
        sample = take_sample(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.",
            "Check its name and permissions, or leave it out.",
        ) from error
    return (
        sample.container == "parquet"
        and not sample.damaged
        and set(REQUIRED) <= set(sample.columns)
    )


def _open(request: HuntRequest, engine: SparkEngine) -> tuple[list[Any], dict[str, str]]:
    """DataFrames of the logs with PLACE, and for each file as it is reported, its name.

    A table has no places that can be read again; all of it is one file.
    """
    if any(str(log).startswith(TABLE) for log in request.logs):
        return _open_table(request, engine)
    frames = []
    names: dict[str, str] = {}
    place = ("_metadata.file_path", POSITION, "_metadata.file_size")
    beside = [f"{what} AS {name}" for what, name in zip(place, PLACE, strict=True)]
    for paths in _alike(request):
        try:
            frame = engine.read_parquet(paths, one_schema=False)
            names |= {told: located(told) for told in engine.reported_files(frame)}
        except Exception as error:
            raise _unreadable(str(paths[0]), error) from error
        frames.append(frame.selectExpr(*_columns(frame, str(paths[0])), *beside))
    return frames, names


def _alike(request: HuntRequest) -> list[list[Path | str]]:
    """The logs, in groups whose columns go together: what is here, by the types of its columns."""
    addresses: list[Path | str] = [log for log in request.logs if is_address(log)]
    if addresses:
        return [addresses]
    groups: dict[str, list[Path | str]] = defaultdict(list)
    for path, _ in find_files(request.paths):
        canonical = [f for f in pq.read_schema(path) if f.name in EXCHANGE_SCHEMA.names]
        groups[str([(f.name, str(f.type)) for f in canonical])].append(path)
    return list(groups.values())


def _open_table(request: HuntRequest, engine: SparkEngine) -> tuple[list[Any], dict[str, str]]:
    name = str(request.logs[0])
    if len(request.logs) > 1:
        raise InputError(
            "A table is hunted in by itself, and other logs are given beside it.",
            "Give one table; several can be made one with a view in Spark's catalog.",
        )
    try:
        frame = engine.session.table(name.removeprefix(TABLE))
    except Exception as error:
        raise _unreadable(name, error) from error
    # Not a place, but a number of its own for each row.
    place = ("CAST(NULL AS STRING)", "monotonically_increasing_id()", "CAST(NULL AS BIGINT)")
    beside = [f"{what} AS {column}" for what, column in zip(place, PLACE, strict=True)]
    return [frame.selectExpr(*_columns(frame, name), *beside)], {"": name}


def _columns(frame: Any, where: str) -> list[str]:
    """The canonical columns that are there."""
    there = {column.lower(): column for column in frame.columns}
    missing = [name for name in REQUIRED if name not in there]
    if missing:
        raise InputError(
            f"{where} has no column {', '.join(missing)}.",
            "Rename the column, or describe the file with --source mapping --mapping FILE.",
        )
    return [f"`{there[name]}` AS {name}" for name in EXCHANGE_SCHEMA.names if name in there]


def _unreadable(where: str, error: Exception) -> InputError:
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(
        f"Spark cannot read {where}: {first[:300].rstrip('.')}.",
        "Check the address and its credentials (--spark-conf); --engine duckdb puts files that are "
        "damaged into the quarantine, and goes on.",
    )


def _hear(engine: SparkEngine, names: list[str], quarantine: Quarantine) -> _Arrived:
    """Sum up what executors told; bad rows go to the quarantine in the order of files and rows."""
    arrived = _Arrived()
    for number, entry in _entries(engine):
        if "reason" not in entry:
            arrived.seen += entry["seen"]
            arrived.kept += entry["kept"]
            arrived.outside += entry["outside"]
            # Rows that were lost are not counted among a file's exchanges.
            read = entry["kept"] + entry["outside"]
            arrived.rows[number] = arrived.rows.get(number, 0) + read
            arrived.bytes[number] = entry["bytes"]
        elif entry.get("kept"):
            quarantine.note(names[number], entry["row"], entry["reason"], entry.get("excerpt"))
        else:
            quarantine.add(
                names[number], entry["row"], entry["reason"], entry.get("excerpt"),
                entry.get("rows", 1),
            )  # fmt: skip
    return arrived


def _entries(engine: SparkEngine) -> Iterator[tuple[int, dict[str, Any]]]:
    for batch in engine.scan(
        "SELECT file, told FROM arrived WHERE told IS NOT NULL ORDER BY file, row, told"
    ):
        for number, told in zip(*(c.to_pylist() for c in batch.columns), strict=True):
            yield number, orjson.loads(told)


def _keep_first(engine: SparkEngine, names: list[str], quarantine: Quarantine) -> int:
    """Make ``observations``: of rows with one exchange id, the earliest; the rest is quarantined.

    Which one stays depends on what the rows say, not on where they stand.
    """
    engine.view("work", "SELECT * FROM arrived WHERE told IS NULL")
    # Rows of keys that come twice are few; only they are put in order.
    engine.recurring("key_again", "SELECT key AS value FROM work", 2)
    engine.create(
        "again",
        """
        SELECT key, file, row, exchange_id, place FROM (
            SELECT w.key, w.file, w.row, w.exchange_id, ROW_NUMBER() OVER (
                PARTITION BY w.key
                ORDER BY w.time, w.account, w.item, w.address, w.input_tokens, w.output_tokens,
                    w.file, w.row) AS place
            FROM work AS w
            JOIN key_again AS t ON t.value = w.key
        ) AS ranked
        WHERE place > 1
        """,
    )
    count = int(engine.scalar("SELECT COUNT(*) AS n FROM again") or 0)
    if count:
        engine.view(
            "first",
            """
            SELECT w.* FROM work AS w
            LEFT JOIN again AS a ON a.key = w.key AND a.file = w.file AND a.row = w.row
            WHERE a.key IS NULL
            """,
        )
    _name_tables(engine, "first" if count else "work")
    for batch in engine.scan("SELECT file, row, exchange_id FROM again ORDER BY file, row"):
        for file, row, exchange in zip(*(c.to_pylist() for c in batch.columns), strict=True):
            quarantine.add(names[file], row, SEEN, exchange)
    return count


def _name_tables(engine: SparkEngine, kept: str) -> None:
    """Make the tables that a hunt reads (see ``store.contents``) of the rows that are kept."""
    columns = ", ".join(STORED_SCHEMA.names)
    engine.view("observations", f"SELECT {columns} FROM {kept}")  # noqa: S608
    engine.view("exchange_name", f"SELECT key, exchange_id, file, row FROM {kept}")  # noqa: S608
    kinds = " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, CAST({value} AS BIGINT) AS value, {kind}_name AS name FROM {kept}"  # noqa: S608
        for kind, (value, _) in IDENTITY_KINDS.items()
    )
    # Once, and not whenever a name is looked up: all exchanges are read for it.
    engine.create(
        "identity",
        f"SELECT kind, value, MAX(name) AS name FROM ({kinds}) AS seen "  # noqa: S608
        "WHERE value IS NOT NULL AND name IS NOT NULL GROUP BY kind, value",
    )


def _input(name: str, size: int, rows: int, *, local: bool) -> Input:
    if not local:  # what is far away is not read once more for a digest
        return Input(name, bytes=size, rows=rows, source="canonical")
    path = Path(name)
    now = path.stat()
    return Input(name, digest_of(path), now.st_size, now.st_mtime_ns, rows, source="canonical")
