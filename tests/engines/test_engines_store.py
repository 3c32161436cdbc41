"""A store gives every engine the same tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hunt_tables import hunt_tables

from stillhunt import HuntRequest
from stillhunt.campaigns.ingest import take_from_store
from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.readers import Quarantine, ReadOptions
from stillhunt.store.accounts import take_accounts
from stillhunt.store.ingest import Ingest
from stillhunt.store.store import store_to_read, store_to_write


@pytest.fixture(scope="module")
def times(small_traffic: Path) -> pa.ChunkedArray:
    return pq.read_table(small_traffic / "exchanges.parquet", columns=["time"]).column("time")


@pytest.fixture(scope="module")
def root(small_traffic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two transactions, whose second repeats some exchanges of the first."""
    folder = tmp_path_factory.mktemp("stored a b")
    rows = pq.read_table(small_traffic / "exchanges.parquet")
    options = ReadOptions()
    for i, (first, last) in enumerate([(0, 1500), (1400, 3000)]):
        log = folder / f"{i}.parquet"
        pq.write_table(rows.slice(first, last - first), log)
        with store_to_write(folder / "store", None) as store:
            Ingest(store, options).take([log])
    with store_to_write(folder / "store", None) as store:
        take_accounts(store, small_traffic / "accounts.parquet", options, 0.01)
    return folder / "store"


@pytest.mark.parametrize("period", ["all of it", "from within a day to within a day"])
def test_a_store_is_the_same_on_every_engine(
    root: Path, times: pa.ChunkedArray, tmp_path: Path, spark: Any, period: str
) -> None:
    since = until = None
    if period != "all of it":
        first: datetime = pc.min(times.slice(0, 3000)).as_py()
        since = first + timedelta(hours=5, minutes=7)
        until = since + timedelta(days=3, hours=4)
    request = HuntRequest(logs=(), store=root, out=tmp_path / "out", since=since, until=until)

    def taken(engine: Engine) -> tuple[Any, ...]:
        with engine, store_to_read(root) as store:
            with Quarantine(tmp_path / "quarantine.jsonl") as quarantine:
                came = take_from_store(request, engine, store, quarantine)
            return came.exchanges, came.outside, came.carried, hunt_tables(engine)

    (tmp_path / "work").mkdir()
    one = taken(DuckDBEngine(tmp_path))
    two = taken(spark(tmp_path / "work"))
    assert one == two
    assert one[0] == len(one[3]["observations"]) > 0
    assert {r["key"] for r in one[3]["exchange_name"]} >= {r["key"] for r in one[3]["observations"]}
    assert (one[1] > 0) == (since is not None)
    assert {row["kind"] for row in one[3]["identity"]} >= {"account", "address"}
