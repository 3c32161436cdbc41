"""A hunt finds the same whichever engine it runs on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hunt_tables import hunt_tables

import stillhunt.campaigns.engine as engines
from stillhunt import HuntRequest, hunt
from stillhunt.campaigns import detectable
from stillhunt.campaigns.engine import take_in
from stillhunt.campaigns.request import Progress
from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.errors import InputError, UsageError
from stillhunt.readers import Quarantine, ReadOptions
from stillhunt.records.pseudonyms import Pseudonymiser
from stillhunt_simulator import simulate

TABLES = (
    "campaigns",
    "accounts",
    "exchanges",
    "links",
    "link_members",
    "coverage",
    "profiles",
    "seeds",
)


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated traffic in two files; some rows come twice, some are no exchanges."""
    out = tmp_path_factory.mktemp("traffic")
    simulate(out, seed=1, exchanges=10_000)
    rows = pq.read_table(out / "exchanges.parquet")
    rows = rows.cast(pa.schema([field.with_nullable(True) for field in rows.schema]))
    bad = rows.slice(0, 20)
    nothing = pa.nulls(20, pa.string())
    bad = bad.set_column(bad.schema.get_field_index("account"), "account", nothing)
    pq.write_table(pa.concat_tables([rows, bad, rows.slice(100, 30)]), out / "all.parquet")
    half = rows.num_rows // 2
    logs = out / "logs"
    logs.mkdir()
    pq.write_table(rows.slice(0, half), logs / "a b.parquet", row_group_size=1000)
    # The other file lacks a column, has a type of its own, and one column more.
    rest = pa.concat_tables([rows.slice(half), bad, rows.slice(100, 30)])
    rest = rest.drop_columns(["credential"]).append_column("extra", pa.nulls(rest.num_rows))
    at = rest.schema.get_field_index("status")
    rest = rest.set_column(at, "status", rest.column("status").cast(pa.int16()))
    pq.write_table(rest, logs / "b.parquet")
    return out


def request_of(traffic: Path, out: Path, **settings: Any) -> HuntRequest:
    given = {"logs": (traffic / "logs",), "accounts": traffic / "accounts.parquet", "clear": True}
    return HuntRequest(out=out, **given | settings)


def rows_of(out: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out / f"{name}.parquet").to_pylist()
    return sorted(rows, key=lambda row: json.dumps(row, default=str))


def alike(one: Any, other: Any) -> bool:
    """Equal, floats up to the order of summation."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float):
        return bool(other == pytest.approx(one, rel=1e-7, nan_ok=True))
    return bool(one == other)


def test_a_hunt_finds_the_same_on_both(
    traffic: Path, tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detectable, "SIZES", (8,))  # a round is a round
    outs = {}
    planted = pq.read_table(traffic / "truth" / "accounts.parquet").to_pylist()
    seeds = frozenset(["nobody", min(a["account"] for a in planted if a["campaign"])])
    log = traffic / "all.parquet"
    for name, place in (("duckdb", log), ("spark", f"file://{log}")):
        outs[name] = tmp_path / name
        hunt(
            request_of(
                traffic,
                outs[name],
                logs=(place,),
                engine=name,
                seeds=seeds,
            )
        )
    for table in TABLES:
        one, other = (rows_of(outs[name], table) for name in ("duckdb", "spark"))
        assert one
        assert alike(one, other), table
    details = [json.loads((outs[name] / "details.json").read_text()) for name in outs]
    assert alike(*details)
    campaigns = details[0]["campaigns"].values()
    assert all(t["exemplars"] for c in campaigns for t in c["templates"][:1])
    records = [json.loads((outs[name] / "hunt.json").read_text()) for name in outs]
    assert records[0]["counts"] == records[1]["counts"]
    assert records[0]["counts"]["campaigns"] > 0
    assert records[0]["counts"]["duplicates"] == 30
    assert records[0]["counts"]["quarantined"] == 50
    assert records[0]["smallest_detectable"] == records[1]["smallest_detectable"]
    for field in ("path", "bytes", "rows", "source"):
        assert [i[field] for i in records[0]["inputs"]] == [i[field] for i in records[1]["inputs"]]
    assert records[1]["parameters"]["engine"] == "spark"


def arrived(engine: Engine, request: HuntRequest, folder: Path) -> tuple[Any, ...]:
    """What a hunt reads, and what it says of it: rows, quarantine, inputs, counts."""
    folder.mkdir()
    with Quarantine(folder / "quarantine.jsonl") as quarantine:
        came = take_in(request, engine, folder, quarantine, Progress())
    rows = hunt_tables(engine)
    lines = [json.loads(x) for x in (folder / "quarantine.jsonl").read_text().splitlines()]
    files = [(i.path, i.bytes, i.modified, i.sha256, i.rows, i.source) for i in came.inputs]
    counts = (came.exchanges, came.outside, came.duplicates, came.carried)
    return rows, sorted(lines, key=json.dumps), files, counts


def both(spark: Any, request: HuntRequest, tmp_path: Path, who_reads: str) -> list[Any]:
    """What arrives in DuckDB and in Spark, where only one of two readers is there."""
    with DuckDBEngine(tmp_path) as engine:
        one = arrived(engine, request, tmp_path / "one")
    (tmp_path / "work").mkdir()
    other = {"executors": "ingest", "the driver": "ingest_on_cluster"}[who_reads]
    with pytest.MonkeyPatch.context() as patch, spark(tmp_path / "work") as engine:
        patch.setattr(engines, other, None)
        two = arrived(engine, request, tmp_path / "two")
    return [one, two]


@pytest.mark.parametrize("how", ["as it is", "a period", "pseudonymised"])
def test_executors_read_what_is_read_here(
    traffic: Path, tmp_path: Path, spark: Any, how: str
) -> None:
    request = request_of(traffic, tmp_path / "out")
    if how == "a period":
        times = pq.read_table(traffic / "logs" / "b.parquet", columns=["time"]).column("time")
        middle = pc.quantile(times.cast(pa.int64()))[0].as_py()
        since = pa.scalar(int(middle), pa.timestamp("us", tz="UTC")).as_py()
        request = replace(request, since=since)
    if how == "pseudonymised":
        key = np.random.default_rng(5).bytes(32)
        request = replace(request, read=ReadOptions(pseudonymiser=Pseudonymiser(key)))
    one, two = both(spark, request, tmp_path, "executors")
    assert one == two
    assert (one[3][1] > 0) == (how == "a period")
    if how == "pseudonymised":
        names = [row["name"] for row in two[0]["identity"] if row["kind"] == "account"]
        assert names
        assert all(name.startswith("a_") for name in names)
        assert not any("excerpt" in line for line in two[1])


def test_other_formats_are_read_here_and_hunted_there(
    traffic: Path, tmp_path: Path, spark: Any
) -> None:
    rows = pq.read_table(traffic / "logs" / "a b.parquet").slice(0, 300)
    log = tmp_path / "log.jsonl"
    log.write_text(
        "".join(
            json.dumps({k: v for k, v in row.items() if v is not None}, default=str) + "\n"
            for row in rows.to_pylist()
        )
    )
    request = request_of(traffic, tmp_path / "out", logs=(log,))
    one, two = both(spark, request, tmp_path, "the driver")
    assert len(one[0]["observations"]) == 300
    assert one == two


def test_a_table_of_a_catalog_is_read(traffic: Path, tmp_path: Path, spark: Any) -> None:
    log = traffic / "logs" / "a b.parquet"
    here = request_of(traffic, tmp_path / "out", logs=(log,))
    with DuckDBEngine(tmp_path) as engine:
        rows, _, _, counts = arrived(engine, here, tmp_path / "one")
    (tmp_path / "work").mkdir()
    with spark(tmp_path / "work") as engine:
        engine.read_parquet([log]).createOrReplaceTempView("exchanges")
        request = replace(here, logs=("table:exchanges",))
        found, _, files, same_counts = arrived(engine, request, tmp_path / "two")
    for tables in (rows, found):
        for row in tables["exchange_name"]:
            del row["row"]  # a number of its own, but no place
    assert rows == found
    assert counts == same_counts
    assert files == [("table:exchanges", 0, 0, "", len(rows["observations"]), "canonical")]


def test_what_spark_cannot_read_says_what_to_do(traffic: Path, tmp_path: Path, spark: Any) -> None:
    (tmp_path / "work").mkdir()
    with spark(tmp_path / "work") as engine:
        for i, (logs, problem) in enumerate(
            [
                (("file:///nowhere/at/all.parquet",), "cannot read file:///nowhere"),
                (("table:no_such_table",), "cannot read table:no_such_table"),
                ((f"file://{traffic}/accounts.parquet",), "has no column exchange_id, time"),
                ((f"file://{traffic}/logs", traffic / "logs"), "is an address, and others"),
            ]
        ):
            request = request_of(traffic, tmp_path / "out", logs=logs)
            with pytest.raises(InputError, match=problem):
                arrived(engine, request, tmp_path / str(i))


def test_an_address_takes_spark(traffic: Path, tmp_path: Path) -> None:
    request = request_of(traffic, tmp_path / "out", logs=("s3a://bucket/logs",))
    with pytest.raises(UsageError) as raised:
        hunt(request)
    assert "--engine spark" in raised.value.remedy
