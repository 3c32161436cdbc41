"""Hunts in a store, as a user types the command, watched; and what a mere scan of it costs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from _watch import Watched, watch
from speed import Stage, stages

MIB = 1 << 20
_BECOMING = 0.25


@dataclass(frozen=True, slots=True)
class Hunt:
    """A hunt that has ended.

    Attributes:
        run: the command; stages: of it, with wall time and sampled memory.
        record: its ``hunt.json``.
    """

    run: Watched
    stages: list[Stage]
    record: dict[str, Any]


class HuntError(Exception):
    """The command ended with an error; what it said is the message."""


def hunt(
    store: Path,
    findings: Path,
    memory: str,
    *,
    threads: int | None = None,
    more: Sequence[str] = (),
) -> Hunt:
    """Run ``stillhunt hunt --store``.

    Args:
        store: to hunt in.
        findings: folder for what it finds, replaced.
        memory: the engine's limit; threads: its cores, None: all.
        more: further options.

    Raises:
        HuntError: it did not end well.
    """
    command = [
        sys.executable, "-m", "stillhunt", "hunt", "--store", str(store), "--out", str(findings),
        "--memory", memory, "--no-exit-code", *more,
    ]  # fmt: skip
    if threads is not None:
        command += ["--threads", str(threads)]
    run = watched(command, findings.with_name(findings.name + ".stderr"))
    record = json.loads((findings / "hunt.json").read_bytes())
    return Hunt(run, stages(run, record), record)


def watched(command: Sequence[str], said: Path) -> Watched:
    """Run a command, watched; its peak is the largest memory sampled.

    Raises:
        HuntError: it did not end with 0.
    """
    said.parent.mkdir(parents=True, exist_ok=True)
    run = watch(command, said, os.environ)
    # Until it is another program a child counts the memory of this one, and so does the kernel.
    own = tuple((at, size) for at, size in run.resident if at >= run.began + _BECOMING)
    run = replace(run, resident=own, peak=max((size for _, size in own), default=0))
    if run.exit_code != 0:
        raise HuntError(f"{' '.join(command)} ended with {run.exit_code}:\n{run.said[-2000:]}")
    return run


def scan_seconds(store: Path, threads: int | None = None) -> float:
    """Seconds in which DuckDB reads every column of a store's observations, and counts.

    Args:
        store: the folder.
        threads: cores; None: all.
    """
    files = f"{store}/observations/*/*.parquet"
    with duckdb.connect(":memory:") as engine:
        if threads is not None:
            engine.execute(f"SET threads = {threads}")
        columns = [
            row[0]
            for row in engine.execute("DESCRIBE SELECT * FROM read_parquet(?)", [files]).fetchall()
        ]
        # Counting the values of a column reads them; the length of a list reads its offsets only.
        counts = ", ".join(
            f'COUNT("{c}"), MAX("{c}")' for c in columns if c not in ("grams", "day")
        )
        began = time.perf_counter()
        select = f"SELECT COUNT(*), SUM(LIST_SUM(grams)), {counts} FROM read_parquet('{files}')"  # noqa: S608
        engine.sql(select).to_arrow_table()
        return time.perf_counter() - began


def bytes_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
