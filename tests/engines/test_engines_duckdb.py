from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot

from stillhunt.engines.base import translate
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.errors import UsageError


def setting(engine: DuckDBEngine, name: str) -> str:
    return str(engine.query(f"SELECT current_setting('{name}') AS v").column(0)[0].as_py())


def test_memory_threads_and_spill_folder_are_set(tmp_path: Path) -> None:
    workdir = tmp_path / "it's"
    workdir.mkdir()
    with DuckDBEngine(workdir, memory="300MiB", threads=1) as engine:
        assert isinstance(engine, DuckDBEngine)
        assert setting(engine, "memory_limit") == "300.0 MiB"
        assert setting(engine, "threads") == "1"
        assert setting(engine, "temp_directory") == str(workdir / "spill")
        assert setting(engine, "autoinstall_known_extensions").lower() == "false"
        assert setting(engine, "TimeZone") == "UTC"


def test_beyond_its_memory_it_spills_into_the_folder(tmp_path: Path) -> None:
    rows = 2_000_000
    spilled = 0
    with DuckDBEngine(tmp_path, memory="24MB", threads=1) as engine:
        engine.create(
            "big",
            f"SELECT range AS a, range * 7919 % 1000003 AS b, hash(range) AS c FROM range({rows})",  # noqa: S608
        )
        spilled = sum(f.stat().st_size for f in (tmp_path / "spill").rglob("*") if f.is_file())
        assert engine.scalar("SELECT COUNT(DISTINCT a) AS n FROM big") == rows
    assert spilled > 1_000_000
    assert [p.name for p in tmp_path.iterdir()] in ([], ["spill"])


@pytest.mark.parametrize(
    "memory", ["lots", "-1GB", "none", "0GB", "2", "1 elephant", "'; SELECT 1; --", ""]
)
def test_a_memory_limit_that_cannot_be_read_says_what_to_give(tmp_path: Path, memory: str) -> None:
    with pytest.raises(UsageError) as raised:
        DuckDBEngine(tmp_path, memory=memory)
    assert "--memory 2GB" in raised.value.remedy
    assert raised.value.exit_code == 2


def test_translate_refuses_what_spark_has_not() -> None:
    assert "XOR" not in translate("SELECT XOR(a, 3) AS x FROM t", "spark").upper()
    with pytest.raises(sqlglot.errors.SqlglotError):
        translate("SELECT * FROM", "spark")
