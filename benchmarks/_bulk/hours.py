"""A day that comes hour by hour: each hour's exchanges are taken in, then everything is hunted."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from _bulk.generate import generate
from _bulk.hunted import hunt, watched
from _bulk.sizes import Size, twin
from stillhunt_simulator.write import simulate

HOURS = 24
_DIGITS = 9
_TABLES = ("campaigns", "accounts", "links")


@dataclass(frozen=True, slots=True)
class Hour:
    """What an hour cost.

    Attributes:
        hour: from 1; exchanges: that came; total: in the store then.
        ingest, hunt: seconds of the two commands, started afresh each time.
        working: seconds of the hunt's stages: without starting Python and ending.
        peak: resident memory of the hunt, bytes.
    """

    hour: int
    exchanges: int
    total: int
    ingest: float
    hunt: float
    working: float
    peak: int


@dataclass(frozen=True, slots=True)
class Day:
    """A day hunted hour by hour.

    Attributes:
        hours: in order.
        scratch: seconds of a hunt from scratch on the same data.
        campaigns: that the last hour's hunt names: with none, findings are easily the same.
        differences: table to number of rows that only one of the two hunts has.
    """

    hours: tuple[Hour, ...]
    scratch: float
    campaigns: int
    differences: dict[str, int]


def from_bulk(
    work: Path, size: Size, memory: str, threads: int | None, seed: int, tell: Callable[[str], None]
) -> Day:
    """Hours made in bulk: an ingest is a transaction that is put in place, its files are there.

    Args:
        work: empty folder.
        size: of the day; memory, threads: of the hunts; seed: of the store.
        tell: told what is being done.
    """
    store, pending = work / "store", work / "pending"
    tell("Generating")
    generate(store, size, days=1, seed=seed, hourly=True)
    pending.mkdir()
    transactions = sorted((store / "manifest").iterdir())
    for path in transactions:
        path.rename(pending / path.name)
    rows = [
        sum(part["rows"] for part in json.loads((pending / p.name).read_text())["added"])
        for p in transactions
    ]

    def bring() -> Iterator[tuple[int, float]]:
        for path, count in zip(transactions, rows, strict=True):
            (pending / path.name).rename(path)
            yield count, 0.0

    def anew(scratch: Path) -> None:
        # The same files, and nothing that a hunt may have left in the store.
        for name in ("observations", "names", "identities", "accounts", "manifest"):
            shutil.copytree(store / name, scratch / name, copy_function=os.link)
        shutil.copy(store / "store.json", scratch / "store.json")

    return _day(work, store, bring(), anew, memory, threads, tell)


def from_logs(
    work: Path, size: Size, memory: str, threads: int | None, seed: int, tell: Callable[[str], None]
) -> Day:
    """Hours as logs with their texts, simulated, and taken in by ``stillhunt ingest``.

    Args: as ``from_bulk``.
    """
    store, traffic, logs = work / "store", work / "traffic", work / "logs"
    tell("Simulating")
    simulate(traffic, seed=seed, exchanges=size.exchanges, scenario=twin(1, size))
    paths = list(_split(traffic / "exchanges.parquet", logs))

    def bring() -> Iterator[tuple[int, float]]:
        for path in paths:
            yield pq.read_metadata(path).num_rows, _ingest(store, traffic, [path], work)

    return _day(
        work, store, bring(), lambda scratch: _done(_ingest(scratch, traffic, paths, work)),
        memory, threads, tell,
    )  # fmt: skip


def _done(_seconds: float) -> None:
    return None


def _split(exchanges: Path, logs: Path) -> Iterator[Path]:
    logs.mkdir()
    table = pq.read_table(exchanges)
    hour = pc.hour(table.column("time"))
    for number in range(HOURS):
        path = logs / f"hour-{number:02}.parquet"
        pq.write_table(table.filter(pc.equal(hour, number)), path, compression="zstd")
        yield path


def _ingest(store: Path, traffic: Path, logs: list[Path], work: Path) -> float:
    accounts = [] if store.exists() else ["--accounts", str(traffic / "accounts.parquet")]
    command = [
        sys.executable, "-m", "stillhunt", "ingest", *map(str, logs), "--store", str(store), *accounts,
    ]  # fmt: skip
    return float(watched(command, work / "ingest.stderr").seconds)


def _day(
    work: Path,
    store: Path,
    bring: Iterator[tuple[int, float]],
    anew: Callable[[Path], None],
    memory: str,
    threads: int | None,
    tell: Callable[[str], None],
) -> Day:
    hours: list[Hour] = []
    total = 0
    findings = work / "findings"
    for number, (count, ingest) in enumerate(bring, 1):
        total += count
        tell(f"Hour {number} of {HOURS}: {total:,} exchanges so far")
        # Clear, because keyed hashes differ from hunt to hunt.
        run = hunt(store, findings, memory, threads=threads, more=("--clear",))
        working = sum(run.record["timings"].values())
        hours.append(Hour(number, count, total, ingest, run.run.seconds, working, run.run.peak))
    tell("From scratch")
    scratch = work / "scratch"
    anew(scratch)
    began = time.perf_counter()
    hunt(scratch, work / "findings-scratch", memory, threads=threads, more=("--clear",))
    seconds = time.perf_counter() - began
    campaigns = pq.read_metadata(findings / "campaigns.parquet").num_rows
    apart = differences(findings, work / "findings-scratch")
    return Day(tuple(hours), seconds, campaigns, apart)


def differences(one: Path, other: Path) -> dict[str, int]:
    """Rows that only one of two findings folders has, by table; sums of doubles to nine digits."""
    found = {}
    for name in _TABLES:
        rows = [_rows(pq.read_table(folder / f"{name}.parquet")) for folder in (one, other)]
        found[name] = len(rows[0] ^ rows[1])
    with duckdb.connect(":memory:") as engine:
        a, b = (str(folder / "exchanges.parquet") for folder in (one, other))
        either = "(SELECT * FROM read_parquet('{}') EXCEPT ALL SELECT * FROM read_parquet('{}'))"
        only = [engine.sql(f"SELECT COUNT(*) FROM {either.format(*p)}") for p in ((a, b), (b, a))]  # noqa: S608
        found["exchanges"] = sum(int(count.fetchall()[0][0]) for count in only)
    return found


def _rows(table: pa.Table) -> set[str]:
    return {json.dumps(_rounded(row), default=str, sort_keys=True) for row in table.to_pylist()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return value
