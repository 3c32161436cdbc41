"""Killed at any moment while a collector sends: what was acknowledged is in the store, once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import numpy as np
from made_logs import held
from otlp_client import post, span, traces

from stillhunt.readers import ReadOptions
from stillhunt.store.sources.otlp import OtlpSource

KILLS = 25
SENDERS = 3
SPANS = 5


class Sender:
    """A collector: sends one batch after the other, and the same again until it is acknowledged."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._batch = 0
        self.acknowledged: set[int] = set()

    def send(self, port: int, stop: threading.Event) -> None:
        while not stop.is_set():
            first = (self._batch * SENDERS + self._number) * SPANS
            spans = range(first, first + SPANS)
            try:
                status, _, _ = post(port, traces([span(i) for i in spans]))
            except (OSError, HTTPException):
                return
            if status == 200:
                self.acknowledged |= set(spans)
                self._batch += 1


@contextlib.contextmanager
def lives(root: Path) -> Iterator[subprocess.Popen[str]]:
    target = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("otlp_kill_target.py")), str(root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield target
    finally:
        assert target.stdin is not None
        target.stdin.close()
        target.wait(20)


def test_kills_lose_nothing_that_was_acknowledged_and_double_nothing(tmp_path: Path) -> None:
    root = tmp_path / "store"
    random = np.random.default_rng(11)
    senders = [Sender(n) for n in range(SENDERS)]
    segments_left = 0
    with lives(root) as target:
        assert target.stdin is not None
        assert target.stdout is not None
        for life in range(KILLS):
            target.stdin.write("live\n")
            target.stdin.flush()
            child, port = int(target.stdout.readline()), int(target.stdout.readline())
            stop = threading.Event()
            threads = [threading.Thread(target=s.send, args=(port, stop)) for s in senders]
            for thread in threads:
                thread.start()
            time.sleep(1.0 if life == 0 else random.uniform(0.02, 0.4))
            os.kill(child, signal.SIGKILL)
            assert target.stdout.readline() == "gone\n"
            stop.set()
            for thread in threads:
                thread.join(30)
            segments_left += any((root / "spool" / "otlp").glob("0*"))
    acknowledged = set().union(*(sender.acknowledged for sender in senders))
    assert segments_left > KILLS // 5  # that it was killed with something not yet taken in
    source = OtlpSource(("127.0.0.1", 0), root, ReadOptions(), threads=1)
    source.stop()
    source.run(0.01, lambda _outcome: None)
    ids = held(root).ids  # each once, or this raises
    assert {f"x{i}" for i in acknowledged} <= set(ids)
    # What was sent and not acknowledged may be there, and nothing else.
    assert len(set(ids) - {f"x{i}" for i in acknowledged}) <= SENDERS * SPANS
    assert len(acknowledged) > KILLS * SPANS
    assert not list((root / "spool" / "otlp").glob("0*"))
