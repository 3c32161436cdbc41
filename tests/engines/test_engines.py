"""What every engine must do, and do alike."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillhunt.engines.base import Engine, Rows

ROWS = pa.table(
    {
        "i": pa.array([1, 2, 3, 4, 5, None], pa.int32()),
        "b": pa.array([-(2**63), 2**63 - 1, 7, -7, 0, None], pa.int64()),
        "x": pa.array([0.5, -1.25, 0.0, None, 1e300, 2.5], pa.float64()),
        "s": pa.array(["b", "B", "é", None, "", "a"], pa.string()),
        "g": pa.array([[1, 2], [], None, [3], [3, 3], [-1]], pa.list_(pa.int32())),
        "t": pa.array([datetime(2026, 3, 1, 23, 59, i, 7, tzinfo=UTC) for i in range(6)]),
        "yes": pa.array([True, False, None, True, True, False]),
    }
)

# Statement, columns with their types, and rows.
SAME: dict[str, tuple[str, dict[str, pa.DataType], list[tuple[Any, ...]]]] = {
    "counts and sums are int64": (
        "SELECT COUNT(*) AS n, COUNT(i) AS k, SUM(i) AS s, COUNT(DISTINCT yes) AS d, "
        "SUM(CASE WHEN yes THEN 1 ELSE 0 END) AS c FROM t",
        dict.fromkeys(("n", "k", "s", "d", "c"), pa.int64()),
        [(6, 5, 15, 2, 3)],
    ),
    "sums and means of nothing are null, counts are not": (
        "SELECT COUNT(*) AS n, SUM(i) AS s, AVG(x) AS m, MAX(s) AS t FROM t WHERE i > 9",
        {"n": pa.int64(), "s": pa.int64(), "m": pa.float64(), "t": pa.string()},
        [(0, None, None, None)],
    ),
    "division is of real numbers, // of whole ones": (
        "SELECT i / 2 AS x, b // 2 AS y, -7 % 3 AS z FROM t WHERE i = 3",
        {"x": pa.float64(), "y": pa.int64(), "z": pa.int32()},
        [(1.5, 3, -1)],
    ),
    "what divides nothing is null": (
        "SELECT CAST(SUM(i) AS DOUBLE) / NULLIF(SUM(i - i), 0) AS x FROM t",
        {"x": pa.float64()},
        [(None,)],
    ),
    "exclusive or keeps all bits": (
        "SELECT XOR(b, 6148914691236517205) AS x FROM t WHERE i = 1",
        {"x": pa.int64()},
        [(-(2**63) ^ 6148914691236517205,)],
    ),
    "nulls come last, strings by their bytes": (
        "SELECT s FROM t ORDER BY s",
        {"s": pa.string()},
        [("",), ("B",), ("a",), ("b",), ("é",), (None,)],
    ),
    "nulls come last in falling order too": (
        "SELECT i FROM t ORDER BY i DESC",
        {"i": pa.int32()},
        [(5,), (4,), (3,), (2,), (1,), (None,)],
    ),
    "ranks with ties settled": (
        "SELECT i, ROW_NUMBER() OVER (PARTITION BY yes ORDER BY COUNT(*) DESC, i) AS place FROM t "
        "GROUP BY yes, i ORDER BY i",
        {"i": pa.int32(), "place": pa.int64()},
        [(1, 1), (2, 1), (3, 1), (4, 2), (5, 3), (None, 2)],
    ),
    "lists unfold, empty ones and null to nothing": (
        "SELECT i, UNNEST(g) AS v FROM t ORDER BY i, v",
        {"i": pa.int32(), "v": pa.int32()},
        [(1, 1), (1, 2), (4, 3), (5, 3), (5, 3), (None, -1)],
    ),
    "times are UTC, to the microsecond": (
        "SELECT MIN(t) AS t FROM t",
        {"t": pa.timestamp("us", tz="UTC")},
        [(datetime(2026, 3, 1, 23, 59, 0, 7, tzinfo=UTC),)],
    ),
    "spread of one value is null": (
        "SELECT VAR_SAMP(x) AS v, AVG(LN(1.0 + i)) AS m FROM t WHERE i = 1",
        {"v": pa.float64(), "m": pa.float64()},
        [(None, float(np.log(2.0)))],
    ),
    "joins leave null where nothing matches": (
        "SELECT a.i, b.s FROM t AS a LEFT JOIN t AS b ON b.i = a.i + 1 WHERE a.i >= 3 ORDER BY a.i",
        {"i": pa.int32(), "s": pa.string()},
        [(3, None), (4, ""), (5, None)],
    ),
    "union keeps doubles, distinct does not": (
        "SELECT yes FROM (SELECT yes FROM t UNION ALL SELECT DISTINCT yes FROM t) AS u "
        "WHERE yes IS NULL",
        {"yes": pa.bool_()},
        [(None,), (None,)],
    ),
    "truth values compare": (
        "SELECT MAX(CASE WHEN yes THEN 1 ELSE 0 END) = 1 AS any_yes FROM t",
        {"any_yes": pa.bool_()},
        [(True,)],
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_statements_mean_the_same_on_every_engine(engine: Engine, what: str) -> None:
    select, types, rows = SAME[what]
    engine.load("t", ROWS)
    answer = engine.query(select)
    assert dict(zip(answer.schema.names, answer.schema.types, strict=True)) == types
    assert list(zip(*(c.to_pylist() for c in answer.columns), strict=True)) == rows
    # A table of it holds the same.
    engine.create("made", select)
    again = engine.query("SELECT * FROM made")
    assert Counter(map(str, again.to_pylist())) == Counter(map(str, answer.to_pylist()))


def test_what_is_loaded_comes_back(engine: Engine) -> None:
    engine.load("t", ROWS)
    back = engine.query("SELECT * FROM t ORDER BY t").cast(ROWS.schema)
    assert back.to_pylist() == ROWS.to_pylist()
    odd = pa.table(
        {
            "d": pa.array(["a", "b", None]).dictionary_encode(),
            "u": pa.array([1, 2, 3], pa.uint32()),
            "l": pa.array(["x", None, "z"], pa.large_string()),
            "k": pa.array([b"0123456789abcdef"] * 3, pa.binary(16)),
        }
    )
    engine.load("t", odd)
    assert engine.query("SELECT * FROM t ORDER BY u").to_pylist() == odd.to_pylist()
    engine.load("t", odd.slice(0, 0))
    assert engine.scalar("SELECT COUNT(*) AS n FROM t") == 0


def test_much_is_loaded_whole(engine: Engine) -> None:
    rows = np.arange(1_500_000)
    engine.load("t", pa.table({"a": rows, "b": rows % 7}))
    assert engine.query("SELECT COUNT(*) AS n, SUM(a) AS s FROM t").to_pylist() == [
        {"n": len(rows), "s": int(rows.sum())}
    ]


def test_tables_come_and_go(engine: Engine) -> None:
    engine.load("t", pa.table({"a": np.arange(5), "b": ["x", None, "y", None, "z"]}))
    engine.create("u", "SELECT a FROM t WHERE b IS NULL")
    engine.create("u", "SELECT a + 1 AS a FROM u")  # replaces what it reads
    engine.view("v", "SELECT * FROM u")
    assert engine.query("SELECT a FROM v ORDER BY a").column("a").to_pylist() == [2, 4]
    assert engine.statements[-1] == "SELECT a FROM v ORDER BY a"
    engine.create("u", "SELECT a FROM t WHERE a = 0")  # under the alias too
    assert engine.query("SELECT a FROM v").column("a").to_pylist() == [0]
    engine.view("w", "SELECT COUNT(*) AS n FROM u")
    engine.load("u", pa.table({"a": [1, 2, 3]}))
    assert engine.scalar("SELECT n FROM w") == 3
    engine.drop("t", "never_made")
    assert engine.scalar("SELECT COUNT(*) AS n FROM u") == 3
    with pytest.raises(Exception, match=r"(?i)\bt\b.*(does not exist|cannot be found)"):
        engine.query("SELECT * FROM t")


def test_a_bare_null_is_kept(engine: Engine) -> None:
    engine.load("t", pa.table({"a": [1], "n": pa.nulls(1)}))
    engine.create("u", "SELECT a, n, NULL AS m FROM t")
    assert engine.query("SELECT n, m FROM u").to_pylist() == [{"n": None, "m": None}]
    batches = engine.scan("SELECT a, NULL AS z FROM u")
    assert [row for batch in batches for row in batch.to_pylist()] == [{"a": 1, "z": None}]


def test_tables_of_two_engines_are_apart(open_engine: Any, tmp_path: Path) -> None:
    with open_engine(tmp_path) as one, open_engine(tmp_path) as other:
        one.load("t", pa.table({"a": [1]}))
        other.load("t", pa.table({"a": [2]}))
        one.create("u", "SELECT a FROM t")
        other.create("u", "SELECT a FROM t")
        assert [e.scalar("SELECT a FROM u") for e in (one, other)] == [1, 2]


def test_map_makes_a_table_of_what_a_function_makes(engine: Engine) -> None:
    held = np.arange(1000)[::-1].copy()

    def look_up(rows: Rows) -> Rows:
        for batch in rows:
            number = np.asarray(batch.column("a"))
            odd = number % 2 == 1
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array(held[number[odd]]),
                    pa.array([f"n{i}".encode() for i in number[odd]], pa.binary()),
                    pa.array([[int(i)] for i in number[odd]], pa.list_(pa.int32())),
                ],
                names=["value", "name", "items"],
            )

    schema = pa.schema(
        [("value", pa.int64()), ("name", pa.binary()), ("items", pa.list_(pa.int32()))]
    )
    engine.load("t", pa.table({"a": np.arange(500)}))
    engine.map("t", "SELECT a FROM t WHERE a < 100", look_up, schema)  # replaces what it reads
    rows = engine.query("SELECT value, name, items FROM t ORDER BY value DESC").to_pylist()
    assert rows == [
        {"value": 999 - i, "name": f"n{i}".encode(), "items": [i]} for i in range(1, 100, 2)
    ]
    engine.map("none", "SELECT a FROM (SELECT 1 AS a) AS q WHERE a > 1", look_up, schema)
    assert engine.query("SELECT * FROM none").num_rows == 0


def test_what_a_mapped_function_raises_is_not_lost(engine: Engine) -> None:
    def fails(rows: Rows) -> Rows:
        for _ in rows:
            raise ValueError("the very reason")
        return iter(())

    engine.load("t", pa.table({"a": [1]}))
    with pytest.raises(Exception, match="the very reason"):
        engine.map("u", "SELECT a FROM t", fails, pa.schema([("a", pa.int64())]))


def test_scan_gives_all_rows_in_order_while_other_statements_run(engine: Engine) -> None:
    n = 300_000
    engine.load("t", pa.table({"a": np.arange(n), "s": [f"x{i}" for i in range(n)]}))
    seen = []
    for batch in engine.scan("SELECT a, s, a + 1 AS c FROM t WHERE a % 2 = 0 ORDER BY a DESC"):
        assert batch.schema.names == ["a", "s", "c"]
        if not seen:
            assert engine.scalar("SELECT COUNT(*) AS n FROM t") == n
        seen.append(np.asarray(batch.column("a")))
    assert len(seen) > 1
    assert np.array_equal(np.concatenate(seen), np.arange(n)[::-1][1::2])
    assert sum(b.num_rows for b in engine.scan("SELECT a FROM t WHERE a < 0")) == 0


@pytest.mark.parametrize("at_least", [1, 2, 5])
def test_recurring_values_are_those_that_occur_so_often(engine: Engine, at_least: int) -> None:
    rng = random.Random(at_least)
    values = [rng.choice([None, *range(-300, 300), 2**62]) for _ in range(1500)]
    engine.load("t", pa.table({"a": pa.array(values, pa.int64())}))
    engine.recurring("r", "SELECT a AS value FROM t", at_least)
    expected = sorted(v for v, n in Counter(values).items() if n >= at_least and v is not None)
    answer = engine.query("SELECT value FROM r ORDER BY value")
    assert answer.schema.types == [pa.int64()]
    assert answer.column(0).to_pylist() == expected


NAMES = ["plain.parquet", "it's.parquet", "semi;colon').parquet", "a b%20é{1}[x]*?.parquet"]


def test_attach_names_many_files_as_one_table_and_keeps_odd_names_harmless(
    engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "day=2026-01-01"  # no column of the table
    folder.mkdir()
    for i, name in enumerate(NAMES):
        pq.write_table(pa.table({"a": [i, i + 10]}), folder / name)
    engine.attach("t", [folder / name for name in NAMES])
    assert engine.scalar("SELECT SUM(a) AS s FROM t") == 52
    assert engine.query("SELECT * FROM t").column_names == ["a"]


def test_files_are_joined_row_for_row_with_those_beside_them(
    engine: Engine, tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
    for i, name in enumerate(NAMES):
        n = 1000 * (i + 1)
        pq.write_table(pa.table({"k": np.arange(n) + i * 10_000, "no": [0] * n}), ours / name)
        pq.write_table(
            pa.table({"name": [f"{i}-{j}" for j in range(n)]}), theirs / name, row_group_size=300
        )
    engine.attach_beside(
        "t", [ours / n for n in NAMES], ["k"], [theirs / n for n in NAMES], ["name"]
    )
    rows = engine.query("SELECT * FROM t ORDER BY k")
    assert rows.column_names == ["k", "name"]
    assert rows.to_pylist() == [
        {"k": i * 10_000 + j, "name": f"{i}-{j}"} for i in range(4) for j in range(1000 * (i + 1))
    ]


def test_a_closed_engine_leaves_nothing_in_its_folder(open_engine: Any, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with open_engine(work) as engine:
        engine.load("t", pa.table({"a": np.arange(100)}))
        engine.create("u", "SELECT a FROM t")
    assert [p for p in work.rglob("*") if p.is_file()] == []
