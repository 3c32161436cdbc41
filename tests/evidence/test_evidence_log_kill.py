"""Killed at any moment, fifty times, a log loses nothing, has nothing twice, and never splits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from log_cases import ORIGIN, check_log, digests, observations

from stillhunt.evidence.checkpoint import parse_checkpoint
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.note import parse_note

KILLS = 50


def public_head(root: Path) -> tuple[int, str]:
    head = parse_checkpoint(parse_note((root / "public" / "checkpoint").read_bytes()).text)
    return head.size, head.root.hex()


def test_fifty_kills(tmp_path: Path) -> None:
    root = create_log(tmp_path / "log", ORIGIN).layout.root
    told = tmp_path / "told"
    told.touch()
    random = np.random.default_rng(3)
    heads: dict[int, str] = {}  # every head that anybody was ever shown
    sizes: list[int] = []
    life_time = 1.0
    target = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("log_kill_target.py")), str(root), str(told)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert target.stdin is not None
    assert target.stdout is not None
    try:
        for life in range(KILLS):
            target.stdin.write("live\n")
            target.stdin.flush()
            child = int(target.stdout.readline())
            time.sleep(random.uniform(0.0, life_time))
            os.kill(child, signal.SIGKILL)
            assert int(target.stdout.readline()) == -signal.SIGKILL
            said = [line.split() for line in told.read_text().splitlines()]
            for size, value in [(int(line[0]), line[1]) for line in said] + [public_head(root)]:
                assert heads.setdefault(size, value) == value
            sizes.append(max(heads))
            # The machine may be busy or not: live longer after a life without a head.
            life_time *= 0.85 if len(sizes) > 1 and sizes[-1] > sizes[-2] else 1.2
            if life % 10 == 9:
                with writing_log(root):
                    pass  # recovers
                whole(root, heads, said)
    finally:
        target.stdin.close()
        target.wait(10)
    assert len(set(sizes)) > KILLS // 4  # that it lived long enough to be killed at work


def whole(root: Path, heads: dict[int, str], said: list[list[str]]) -> None:
    """All that was said to be sealed is, once; and the log's files say one thing."""
    log = check_log(root)
    for size, value in heads.items():
        assert log.head(size).checkpoint.root.hex() == value
    sealed = sum(batch.observations for batch in log.batches())
    assert sealed >= max((int(line[2]) for line in said), default=0)
    positions = log.positions_of(digests(observations(0, sealed + 500)))
    assert (positions[:sealed] >= 0).all()
    assert len(set(positions[:sealed].tolist())) == sealed
    assert (positions[sealed:] == -1).all()
    kept = {path.stem for path in (root / "private" / "salts").iterdir()}
    assert kept == {f"{batch.batch:08d}" for batch in log.batches()}
    assert not list((root / "private" / "keys").glob("*.new"))
