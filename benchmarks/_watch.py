"""Runs a command and watches its memory, so that a stage of it can be told from the next."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY = 0.005
"""Seconds between two looks at the memory."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A command that has ended.

    Attributes:
        exit_code: as the shell would say it.
        began: start, seconds since 1970.
        seconds: wall time; processor: seconds of processor time, all threads.
        peak: the largest resident memory that the kernel saw, bytes.
        resident: (seconds since 1970, bytes) as sampled, in order of time.
        said: its standard error.
    """

    exit_code: int
    began: float
    seconds: float
    processor: float
    peak: int
    resident: tuple[tuple[float, int], ...]
    said: str

    @property
    def ended(self) -> float:
        """End, seconds since 1970."""
        return self.began + self.seconds


def watch(command: Sequence[str], said: Path, environment: Mapping[str, str]) -> Watched:
    """Run a command; its standard error goes to ``said``, its output nowhere."""
    samples: list[tuple[float, int]] = []
    with said.open("wb") as errors:
        began = time.time()
        clock = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=errors, env=dict(environment)
        )
        process = psutil.Process(child.pid)
        while True:
            # wait4 tells the memory of this one child, getrusage only of the largest of all.
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            try:
                samples.append((time.time(), process.memory_info().rss))
            except psutil.NoSuchProcess:
                samples.append((time.time(), 0))
            time.sleep(EVERY)
        seconds = time.perf_counter() - clock
    child.returncode = os.waitstatus_to_exitcode(status)
    return Watched(
        exit_code=child.returncode,
        began=began,
        seconds=seconds,
        processor=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * 1024,
        resident=tuple(samples),
        said=said.read_text("utf-8", "replace"),
    )


def peak_between(run: Watched, start: float, end: float) -> int | None:
    """Largest resident memory sampled from start to end (seconds since 1970); None: no sample."""
    return max((size for moment, size in run.resident if start <= moment < end), default=None)
