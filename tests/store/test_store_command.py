"""The commands ingest and watch, run as programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_logs import exchange, held, write_log

from stillhunt.cli.watch import _seconds, _settings
from stillhunt.errors import UsageError
from stillhunt.store.sources.folder import settled_files
from stillhunt.store.store import open_store


def stillhunt(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stillhunt", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "100"},
    )


def test_ingest_tells_what_it_took(tmp_path: Path) -> None:
    root, logs = tmp_path / "store", tmp_path / "logs"
    write_log(logs / "a.jsonl", [exchange(i) for i in range(30)])
    write_log(logs / "b.jsonl", [exchange(i) for i in range(20, 40)])
    accounts = write_log(tmp_path / "accounts.jsonl", [{"account": "acct_1", "payment": "p"}])
    first = stillhunt("ingest", logs, "--store", root, "--accounts", accounts)
    assert first.returncode == 0, first.stderr
    assert "2 files taken in: 40 new exchanges." in first.stdout
    assert "quarantine: 10, 10 of them duplicates" in first.stdout
    assert "40 exchanges of 2026-01-05 to 2026-01-06" in first.stdout
    write_log(logs / "c.jsonl", [exchange(50), "no json"])
    again = stillhunt("ingest", logs, "--store", root, "--accounts", accounts)
    assert again.returncode == 2
    assert "2 were there already" in again.stdout
    told = " ".join(again.stderr.split())
    assert "c.jsonl was not taken in: 1 of 2 rows are bad" in told
    old = stillhunt("ingest", logs, "--store", root, "--keep-days", 3, "--max-bad", 0.5)
    assert old.returncode == 0, old.stderr
    assert "deleted: 40" in old.stdout
    assert open_store(root).state.rows == 0


def test_mistakes_are_told(tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.jsonl", [exchange(1)])
    for words, problem in (
        (("hunt", log, "--store", tmp_path), "either in logs or in a store"),
        (("hunt",), "either in logs or in a store"),
        (("hunt", "--store", tmp_path / "none", "--out", tmp_path / "o"), "is no store"),
        (("ingest", log, "--store", tmp_path), "holds files and is no store"),
        (("ingest", tmp_path / "none", "--store", tmp_path / "s"), "does not exist"),
        (("watch", "--store", tmp_path / "s"), "either a folder or a Kafka topic"),
        (("watch", "--store", tmp_path / "s", "--folder", log, "--every", "soon"), "period 'soon'"),
    ):
        told = stillhunt(*words)
        assert told.returncode == 2
        assert problem in " ".join(told.stderr.split())
        assert "What to do:" in told.stderr


def test_watch_takes_what_comes_survives_what_is_bad_and_stops_when_told(tmp_path: Path) -> None:
    root, logs = tmp_path / "store", tmp_path / "in"
    write_log(logs / "a.jsonl", [exchange(i) for i in range(30)])
    watch = subprocess.Popen(
        [
            sys.executable, "-m", "stillhunt", "watch", "--store", str(root), "--folder", str(logs),
            "--every", "1s", "--settle", "0", "--out", str(tmp_path / "out"),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert watch.stdout is not None
    try:
        first = watch.stdout.readline()
        assert "1 files taken in: 30 new exchanges." in first
        assert "0 campaigns (0 new) among 30 exchanges" in first
        write_log(logs / "bad.jsonl", ["what", "is", "this"])
        write_log(logs / ".b.tmp", [exchange(i) for i in range(30, 50)]).rename(logs / "b.jsonl")
        lines = []
        while "1 files taken in: 20 new exchanges." not in "".join(lines):
            lines.append(watch.stdout.readline())
            assert lines[-1], lines
        while "Nothing to hunt anew." not in lines[-1]:
            lines.append(watch.stdout.readline())
            assert lines[-1], lines
        told = "".join(lines)
        assert told.count("Refused: ") == 1
        assert "among 50 exchanges" in told
        watch.send_signal(signal.SIGTERM)
        rest = watch.stdout.read()
        assert watch.wait(30) == 0
        assert "Stopped." in rest
    finally:
        watch.kill()
    assert held(root).ids == sorted(f"x{i}" for i in range(50))
    assert (tmp_path / "out" / "hunt.json").is_file()
    assert not list(tmp_path.glob(".out.*"))


def test_only_settled_files_are_taken(tmp_path: Path) -> None:
    for n, name in enumerate(("b.jsonl", "a.jsonl", "c.jsonl.tmp", ".d.jsonl", "e.jsonl")):
        path = write_log(tmp_path / name, [exchange(n)])
        os.utime(path, (time.time() - 100 + n,) * 2)
    os.utime(tmp_path / "e.jsonl")
    assert [p.name for p in settled_files([tmp_path], 30)] == ["b.jsonl", "a.jsonl"]


def test_periods_and_settings(tmp_path: Path) -> None:
    assert [_seconds(p) for p in ("90s", "30m", "1h", "2 D")] == [90, 1800, 3600, 172_800]
    for bad in ("", "0s", "1", "h", "1w", "-1h"):
        with pytest.raises(UsageError, match="period"):
            _seconds(bad)
    path = tmp_path / "kafka.properties"
    path.write_text("# ours\nsasl.password = a=b\n\nsecurity.protocol=SASL_SSL\n")
    assert _settings(path) == {"sasl.password": "a=b", "security.protocol": "SASL_SSL"}
    path.write_text("nothing\n")
    with pytest.raises(UsageError, match="without ="):
        _settings(path)
