"""What only Spark does: settings, bounds, where tables are kept, who is told what is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from spark_settings import CONF

from stillhunt.engines.spark import SparkEngine
from stillhunt.engines.spark_errors import FOLDER
from stillhunt.engines.spark_session import heap, is_local, open_session
from stillhunt.errors import MissingExtraError, UsageError


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*.parquet") if p.is_file()]


def test_more_than_is_collected_says_what_to_do(spark: Any, tmp_path: Path) -> None:
    with spark(tmp_path) as engine:
        assert engine.session.sparkContext.getConf().get("spark.driver.maxResultSize") == "16m"
        rows = np.random.default_rng(0).integers(0, 2**62, 4_000_000)
        engine.load("t", pa.table({"a": rows}))
        with pytest.raises(UsageError, match=r"spark.driver.maxResultSize") as raised:
            engine.query("SELECT a FROM t")
        assert "--spark-conf" in raised.value.remedy
        # Streaming has no such bound.
        total = sum(b.num_rows for b in engine.scan("SELECT a FROM t WHERE a > 0"))
        assert total == np.count_nonzero(rows > 0)


def test_a_table_does_not_reach_back_beyond_its_files(spark: Any, tmp_path: Path) -> None:
    with spark(tmp_path) as engine:
        engine.load("t", pa.table({"a": np.arange(10)}))
        for _ in range(5):
            engine.create("t", "SELECT x.a + 1 AS a FROM t AS x JOIN t AS y ON x.a = y.a")
        plan = engine.session.table("t")._jdf.queryExecution().optimizedPlan().toString()
        assert "Relation" in plan
        assert "Join" not in plan
        assert engine.scalar("SELECT MIN(a) AS a FROM t") == 5


def test_what_is_replaced_or_dropped_is_deleted(spark: Any, tmp_path: Path) -> None:
    with spark(tmp_path) as engine:
        engine.load("t", pa.table({"a": np.arange(10)}))
        assert files(tmp_path) == []
        engine.create("u", "SELECT a FROM t")
        first = files(tmp_path)
        assert first
        engine.create("u", "SELECT a FROM t")
        assert len(files(tmp_path)) == len(first)
        assert not set(files(tmp_path)) & set(first)
        engine.drop("u")
        assert files(tmp_path) == []


def test_overflow_and_division_by_zero_stop_rather_than_become_null(
    spark: Any, tmp_path: Path
) -> None:
    with spark(tmp_path) as engine:
        engine.load("t", pa.table({"a": [2**63 - 1], "z": [0]}))
        for select in ("SELECT a + 1 AS b FROM t", "SELECT a / z AS b FROM t"):
            with pytest.raises(Exception, match=r"(?i)overflow|zero"):
                engine.query(select)


def test_no_setting_of_the_user_changes_what_statements_mean(spark: Any, tmp_path: Path) -> None:
    given = {"spark.sql.session.timeZone": "Asia/Tokyo", "spark.sql.shuffle.partitions": "3"}
    with spark(tmp_path), SparkEngine(tmp_path, conf=given) as engine:
        assert engine.session.conf.get("spark.sql.session.timeZone") == "UTC"
        assert engine.session.conf.get("spark.sql.shuffle.partitions") == "3"


def test_tables_are_kept_where_the_setting_says(spark: Any, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    with spark(tmp_path), SparkEngine(tmp_path, conf={FOLDER: f"file://{folder}"}) as engine:
        engine.create("t", "SELECT 1 AS a")
        assert files(folder)
        assert engine.scalar("SELECT a FROM t") == 1
    assert files(folder) == []


def test_without_pyspark_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(MissingExtraError) as raised:
        SparkEngine(tmp_path)
    assert raised.value.remedy == "Run: pip install 'stillhunt[spark]'"


def test_without_java_it_says_what_to_install(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyspark

    monkeypatch.setattr(pyspark.SparkContext, "_active_spark_context", None)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "none"))
    with pytest.raises(MissingExtraError, match="JAVA_HOME is") as raised:
        open_session(tmp_path, "1GB", None, None, {})
    assert "Java 17" in raised.value.remedy
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="no java on the PATH"):
        open_session(tmp_path, "1GB", None, None, {})


def test_one_engine_after_another_in_one_process(spark: Any, tmp_path: Path) -> None:
    script = """
import json, shutil, sys
from pathlib import Path
import pyarrow as pa
from stillhunt.engines.spark import SparkEngine
conf = json.loads(sys.argv[2])
for i in range(2):
    work = Path(sys.argv[1], str(i))
    work.mkdir()
    with SparkEngine(work, memory=f"{600 + i}MB", threads=1, conf=conf) as engine:
        engine.load("t", pa.table({"a": [1, 2, 2]}))
        engine.create("u", "SELECT a, COUNT(*) AS n FROM t GROUP BY a")
        assert engine.query("SELECT a, n FROM u ORDER BY a").to_pylist()[1] == {"a": 2, "n": 2}
        heap = engine.session.sparkContext.getConf().get("spark.driver.memory")
        print(heap, engine.session.sparkContext._jvm.Runtime.getRuntime().maxMemory() >> 20)
    shutil.rmtree(work)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), json.dumps(CONF)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    heaps = [line.split()[0] for line in done.stdout.splitlines()]
    assert heaps == [heap("600MB"), heap("601MB")]
    assert "ERROR" not in done.stderr


def test_a_memory_limit_is_read_as_duckdb_reads_it() -> None:
    assert heap("2GB") == f"{2_000_000_000 >> 10}k"
    assert heap("1.5 GiB") == f"{3 << 29 >> 10}k"
    assert heap("24MB") == f"{512 << 10}k"  # less would not do for Spark
    for wrong in ("lots", "0GB", "2", "-1GB", ""):
        with pytest.raises(UsageError) as raised:
            heap(wrong)
        assert "--memory 2GB" in raised.value.remedy


def test_only_a_local_master_shares_this_disk() -> None:
    assert is_local("local")
    assert is_local("local[*]")
    assert is_local("local-cluster[2,1,1024]")
    assert not is_local("spark://host:7077")
    assert not is_local("yarn")
