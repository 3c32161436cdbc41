"""The hunt through its command line: exit codes, folders, and being killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hunts import read


def command(*args: str | Path) -> list[str]:
    return [sys.executable, "-m", "stillhunt", "hunt", *map(str, args)]


def start(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*args), capture_output=True, text=True, check=False, timeout=120)


def digests(out: Path) -> dict[str, str]:
    return {
        p.relative_to(out).as_posix(): sha256(p.read_bytes()).hexdigest()
        for p in sorted(out.rglob("*"))
        if p.is_file()
    }


def given(traffic: Path) -> tuple[str | Path, ...]:
    return (traffic / "exchanges.parquet", "--accounts", traffic / "accounts.parquet")


@pytest.fixture(scope="module")
def small_log(tmp_path_factory: pytest.TempPathFactory, exchange_table: pa.Table) -> Path:
    """Too little for a campaign."""
    path = tmp_path_factory.mktemp("log") / "small.parquet"
    pq.write_table(exchange_table.slice(0, 300), path)
    return path


def test_campaigns_found_is_ten(tmp_path: Path, small_traffic: Path) -> None:
    done = start(*given(small_traffic), "--out", tmp_path / "out")
    assert done.returncode == 10, done.stderr
    campaigns = read(tmp_path / "out", "campaigns")
    assert campaigns
    for row in campaigns:
        assert row["campaign"] in done.stdout
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_nothing_found_is_zero(tmp_path: Path, small_log: Path) -> None:
    done = start(small_log, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "No campaign" in done.stdout
    assert "Not covered" in done.stdout  # no accounts were given
    assert read(tmp_path / "out", "campaigns") == []


def test_wrong_usage_and_unreadable_input_are_two(tmp_path: Path, small_log: Path) -> None:
    (tmp_path / "not.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    out = tmp_path / "out"
    for args in (
        (tmp_path / "missing.parquet", "--out", out),
        (tmp_path / "not.parquet", "--out", out),
        (small_log, "--out", out, "--memory", "lots"),
        (small_log, "--out", out, "--format", "csv"),
        (small_log, "--out", tmp_path / "mine"),
    ):
        done = start(*args)
        assert done.returncode == 2, (args, done.stderr)
        assert "What to do:" in done.stderr, args
        assert "Traceback" not in done.stderr, args
        assert not out.exists()
    assert start(small_log, "--no-such-option").returncode == 2
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_lists_of_allowed_accounts_and_seeds_are_read_from_files(
    tmp_path: Path, small_traffic: Path, baseline: Path
) -> None:
    named = sorted(r["account"] for r in read(baseline, "accounts"))
    allow, seed = tmp_path / "allow.txt", tmp_path / "seed.txt"
    allow.write_text("# those we know\n\n" + "\n".join(named) + "\n")
    seed.write_text(named[0] + "\n")
    out = tmp_path / "out"
    done = start(
        *given(small_traffic), "--out", out, "--allow", allow, "--seed", seed, "--no-exit-code"
    )
    assert done.returncode == 0, done.stderr
    assert not {r["account"] for r in read(out, "accounts")} & set(named)
    assert (out / "seeds.parquet").is_file()
    assert "outside the bound on false discoveries" in " ".join(done.stdout.split())


def test_killed_at_any_moment_the_old_findings_stay_whole(
    tmp_path: Path, small_traffic: Path, small_log: Path
) -> None:
    out = tmp_path / "out"
    assert start(small_log, "--out", out).returncode == 0
    (out / "notes.txt").write_text("mine")
    before = digests(out)
    rng = np.random.default_rng(5)
    interrupted = 0
    for delay in rng.uniform(0.5, 3.0, 5):
        process = subprocess.Popen(
            command(*given(small_traffic), "--out", out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=float(delay))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            interrupted += 1
        now = digests(out)
        if now != before:  # it came to its end in time, and then wholly
            assert read(out, "campaigns")
            assert now["notes.txt"] == before["notes.txt"]
            assert start(small_log, "--out", out).returncode == 0
            before = digests(out)
    assert interrupted
    assert start(small_log, "--out", out).returncode == 0
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (out / "notes.txt").read_text() == "mine"


def test_killed_once_the_first_staging_folder_is_there(
    tmp_path: Path, small_traffic: Path, small_log: Path
) -> None:
    """Mid-run for certain: not before the hunt began to write, nor after it ended."""
    out = tmp_path / "out"
    assert start(small_log, "--out", out).returncode == 0
    before = digests(out)
    process = subprocess.Popen(
        command(*given(small_traffic), "--out", out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.*/store/store.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert digests(out) == before
    assert len(list(tmp_path.iterdir())) > 1
    assert start(small_log, "--out", out).returncode == 0
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


# The engine


@pytest.mark.parametrize(
    ("options", "problem", "remedy"),
    [
        (("--engine", "oracle"), "There is no engine 'oracle'", "--engine duckdb or"),
        (("--master", "local"), "are Spark's", "Give --engine spark"),
        (("--engine", "spark", "--spark-conf", "fast"), "'fast' is no KEY=VALUE", "--spark-conf"),
        (("--engine", "spark", "--spark-conf", "=1"), "'=1' is no KEY=VALUE", "--spark-conf"),
    ],
)
def test_options_of_an_engine_are_checked_before_anything_is_read(
    tmp_path: Path, small_log: Path, options: tuple[str, ...], problem: str, remedy: str
) -> None:
    done = start(small_log, "--out", tmp_path / "out", *options)
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert problem in said
    assert remedy in said
    assert not (tmp_path / "out").exists()


def test_an_address_takes_spark(tmp_path: Path) -> None:
    done = start("s3a://bucket/logs/", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "s3a://bucket/logs/ is an address" in " ".join(done.stderr.split())
