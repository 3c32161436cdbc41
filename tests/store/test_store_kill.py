"""Killed at any moment, fifty times, a store loses nothing and has nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from made_logs import exchange, held, take, write_log

from stillhunt.readers import ReadOptions
from stillhunt.store.ingest import Ingest
from stillhunt.store.manifest import State
from stillhunt.store.store import Store, open_store, store_to_write
from stillhunt.store.upkeep import keep_up

KILLS = 50
FILES = 4
ROWS = 24


def _new_logs(folder: Path, life: int) -> None:
    """Some files; a third of each file's exchanges is in the one before, too."""
    for n in range(FILES):
        first = (life * FILES + n) * ROWS * 2 // 3
        rows = [exchange(i) for i in range(first, first + ROWS)]
        done = write_log(folder / f".{life:03}-{n}.tmp", rows)
        done.rename(folder / f"{life:03}-{n}.jsonl")


def _whole(store: Store, logs: Path) -> set[str]:
    """Ids that are in the store if exactly the inputs that it names were taken in."""
    expected: set[str] = set()
    for taken in store.state.inputs:
        assert taken.refused == ""
        text = (logs / Path(taken.path).name).read_text()
        expected |= {line.split('"')[3] for line in text.splitlines()}
    return expected


def test_fifty_kills(tmp_path: Path) -> None:
    root, logs = tmp_path / "store", tmp_path / "logs"
    logs.mkdir()
    random = np.random.default_rng(2)
    grown: list[int] = []
    target = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("kill_target.py")), str(root), str(logs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert target.stdin is not None
    assert target.stdout is not None
    life_time = 5.0
    try:
        for life in range(KILLS):
            _new_logs(logs, life)
            target.stdin.write("live\n")
            target.stdin.flush()
            child = int(target.stdout.readline())
            if life == 0:
                # How long a transaction takes here, so that kills come at all moments of one.
                began = time.monotonic()
                while not (root / "manifest" / "00000002.json").exists():
                    assert time.monotonic() < began + 60
                    time.sleep(0.002)
                life_time = time.monotonic() - began
            else:
                time.sleep(random.uniform(0.0, life_time))
            os.kill(child, signal.SIGKILL)
            assert int(target.stdout.readline()) == -signal.SIGKILL
            if not (root / "store.json").exists():
                continue
            store = open_store(root)
            assert held(root).ids == sorted(_whole(store, logs))
            # The machine may be busy or not: live longer after a life without a transaction.
            life_time *= 0.9 if store.state.transactions > max(grown, default=0) else 1.25
            grown.append(store.state.transactions)
    finally:
        target.stdin.close()
        target.wait(10)
    assert len(set(grown)) > KILLS // 4  # that it lived long enough to be killed at work
    with store_to_write(root, None) as store:
        Ingest(store, ReadOptions(), threads=1).take(sorted(logs.glob("*.jsonl")))
        keep_up(store, None)
    done = open_store(root)
    assert len(done.state.inputs) == KILLS * FILES
    last = (KILLS * FILES - 1) * ROWS * 2 // 3 + ROWS
    assert held(root).ids == sorted(f"x{i}" for i in range(last))
    named = {p for part in done.state.parts.values()
             for p in done.layout.part_files(part.part, part.day)}  # fmt: skip
    assert set(root.rglob("*.parquet")) == named
    assert {path.stem for path in (root / "keys").iterdir()} == set(done.state.keys)


def test_a_crash_before_the_commit_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "store"
    take(root, [write_log(tmp_path / "a.jsonl", [exchange(i) for i in range(30)])])
    before: State = open_store(root).state
    other = write_log(tmp_path / "b.jsonl", [exchange(i) for i in range(20, 60)])

    def crash(_store: Store, _transaction: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", crash)
        with pytest.raises(KeyboardInterrupt):
            take(root, [other])
    assert open_store(root).state == before
    assert held(root).ids == sorted(f"x{i}" for i in range(30))
    take(root, [other])
    assert held(root).ids == sorted(f"x{i}" for i in range(60))
