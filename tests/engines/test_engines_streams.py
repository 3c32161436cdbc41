"""What streams through an engine: scans, functions of rows, and which values recur."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stillhunt.engines.duckdb as the_engine
from stillhunt.engines.counting import FrequentValues
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.engines.shares import in_shares

SCHEMA = pa.schema([pa.field("twice", pa.int64())])


def twice(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in rows:
        yield pa.RecordBatch.from_arrays(
            [pa.array(2 * np.asarray(batch.column("n")))], schema=SCHEMA
        )


def total(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One row for each share: a sum."""
    n = sum(int(np.asarray(batch.column("n")).sum()) for batch in rows)
    yield pa.RecordBatch.from_arrays([pa.array([n])], schema=SCHEMA)


def batches(values: list[int], size: int = 3) -> Iterator[pa.RecordBatch]:
    for first in range(0, len(values), size):
        part = pa.array(values[first : first + size], pa.int64())
        yield pa.RecordBatch.from_arrays([part], ["n"])


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    with DuckDBEngine(tmp_path, threads=2) as made:
        yield made


def test_a_scan_gives_every_row_while_other_statements_run(engine: DuckDBEngine) -> None:
    engine.create("numbers", "SELECT range AS n FROM range(300000)")
    seen = 0
    for batch in engine.scan("SELECT n FROM numbers"):
        seen += batch.num_rows
        assert engine.scalar("SELECT COUNT(*) AS n FROM numbers") == 300000
    assert seen == 300000


def test_a_function_of_rows_becomes_a_table(engine: DuckDBEngine) -> None:
    engine.create("numbers", "SELECT range AS n FROM range(300000)")
    engine.map("doubled", "SELECT n FROM numbers WHERE n % 2 = 0", twice, SCHEMA)
    got = engine.query("SELECT COUNT(*) AS n, SUM(twice) AS s FROM doubled").to_pylist()
    assert got == [{"n": 150000, "s": 2 * sum(range(0, 300000, 2))}]
    engine.map("totals", "SELECT n FROM numbers", total, SCHEMA)
    assert engine.scalar("SELECT SUM(twice) AS n FROM totals") == sum(range(300000))
    engine.map("nothing", "SELECT n FROM numbers WHERE n < 0", twice, SCHEMA)
    assert engine.scalar("SELECT COUNT(*) AS n FROM nothing") == 0


def test_what_a_function_raises_reaches_the_caller(engine: DuckDBEngine) -> None:
    def fails(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        next(rows)
        raise ArithmeticError("no such row")
        yield

    engine.create("numbers", "SELECT range AS n FROM range(300000)")
    with pytest.raises(Exception, match="no such row"):
        engine.map("bad", "SELECT n FROM numbers", fails, SCHEMA)
    assert engine.scalar("SELECT COUNT(*) AS n FROM numbers") == 300000


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_shares_hold_every_row_once(threads: int) -> None:
    values = list(range(1000))
    made = in_shares(twice, batches(values), threads)
    assert sorted(v for b in made for v in b.column(0).to_pylist()) == [2 * v for v in values]


def test_who_stops_taking_leaves_no_thread_behind() -> None:
    made = in_shares(twice, batches(list(range(10000))), 3)
    next(made)
    made.close()


@pytest.mark.parametrize("at_least", [1, 2, 8])
def test_values_that_recur_are_those_that_counting_finds(
    engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch, at_least: int
) -> None:
    rng = np.random.default_rng(3)
    values = rng.geometric(0.002, 20000) - 2000
    column = pa.array(np.where(rng.random(20000) < 0.1, -1, values), mask=rng.random(20000) < 0.05)
    engine.load("seen", pa.table({"value": column}))
    counted = Counter(v for v in column.to_pylist() if v is not None)
    expected = {v for v, n in counted.items() if n >= at_least}
    for many in (1, 1 << 30):
        monkeypatch.setattr(the_engine, "_MANY", many)
        engine.recurring("often", "SELECT value FROM seen", at_least)
        got = engine.query("SELECT value FROM often").column(0).to_pylist()
        assert len(got) == len(set(got))
        assert set(got) == expected


@pytest.mark.parametrize("many", [1, 1 << 30])
def test_values_of_lists_recur_likewise(
    engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    rng = np.random.default_rng(4)
    lists = [rng.integers(0, 3000, rng.integers(0, 16)).tolist() for _ in range(3000)]
    engine.load("listed", pa.table({"value": pa.array(lists, pa.list_(pa.int32()))}))
    counted = Counter(v for some in lists for v in some)
    monkeypatch.setattr(the_engine, "_MANY", many)
    engine.recurring("often", "SELECT value FROM listed", 8, each=16)
    got = engine.query("SELECT value FROM often").column(0).to_pylist()
    assert sorted(got) == sorted(v for v, n in counted.items() if n >= 8)


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=200), st.integers(1, 255), st.integers(1, 3)
)
def test_values_that_occur_often_enough_are_all_counted(
    values: list[int], at_least: int, shares: int
) -> None:
    frequent = FrequentValues(len(values), at_least)
    values = values + values[:3] * 300
    for i in range(shares):
        assert list(frequent.count(batches(values[i::shares], 50))) == []
    tallied: Counter[int] = Counter()
    for i in range(shares):
        for batch in frequent.tally(batches(values[i::shares], 50)):
            tallied.update(dict(zip(*(c.to_pylist() for c in batch.columns), strict=True)))
    for value, n in Counter(values).items():
        assert tallied[value] in ({n} if n >= at_least else {0, n})


def test_a_tally_grows_with_what_it_holds() -> None:
    rng = np.random.default_rng(6)
    values = np.repeat(rng.integers(-(2**62), 2**62, 20000), 2).tolist()
    frequent = FrequentValues(len(values), 2)
    list(frequent.count(batches(values, 4096)))
    (counts,) = [
        Counter(dict(zip(*(c.to_pylist() for c in b.columns), strict=True)))
        for b in frequent.tally(batches(values, 4096))
    ]
    assert counts == Counter(values)
