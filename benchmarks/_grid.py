"""Many cells in several processes; every finished one is on disk, so that a killed run goes on."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import stillhunt
import stillhunt_simulator
from _cells import Cell, Record, one_core, run_cell

CELLS = "cells.jsonl"
RUN = "run.json"


def read_records(path: Path) -> list[Record]:
    """Records of a file of JSON lines; what a kill left of a last line is cut off the file.

    Raises:
        ValueError: a line in the middle is no JSON.
    """
    if not path.is_file():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return [json.loads(line) for line in whole.splitlines()]


def left_to_do(cells: Iterable[Cell], records: Iterable[Record]) -> list[Cell]:
    """The cells without the tasks that are done; those with none left are left out."""
    done = {(r["level"], r["seed"], r["exchanges"], r["task"]) for r in records}
    left = []
    for cell in cells:
        tasks = tuple(
            t for t in cell.tasks if (cell.level, cell.seed, cell.exchanges, t) not in done
        )
        if tasks:
            left.append(replace(cell, tasks=tasks))
    return left


def run_grid(
    cells: Sequence[Cell],
    folder: Path,
    jobs: int,
    told: Callable[[int, int, str], None] = lambda _done, _of, _what: None,
) -> list[Record]:
    """Run what is not done of some cells.

    Args:
        cells: to run.
        folder: keeps the records; traffic is written below it and deleted cell by cell.
        jobs: processes, one core each.
        told: called with cells done, cells there are, and what was done last.

    Returns:
        All records of these cells, also those of earlier runs, by level, seed and task.

    Raises:
        ValueError: the folder holds records of other code, or a cell failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _check_code(folder / RUN)
    path = folder / CELLS
    left = left_to_do(cells, read_records(path))
    if left:
        for killed in folder.glob(".traffic-*"):
            shutil.rmtree(killed, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=".traffic-", dir=folder) as traffic:
            _run(left, Path(traffic), path, jobs, told)
    wanted = {(c.level, c.seed, c.exchanges, t) for c in cells for t in c.tasks}
    found = {
        key: r
        for r in read_records(path)
        if (key := (r["level"], r["seed"], r["exchanges"], r["task"])) in wanted
    }
    return [found[key] for key in sorted(found)]


def _run(
    left: Sequence[Cell],
    traffic: Path,
    path: Path,
    jobs: int,
    told: Callable[[int, int, str], None],
) -> None:
    # Spawned, not forked: the parent's threads (DuckDB, Arrow) would not survive a fork.
    pool = ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=one_core
    )
    try:
        waiting = {pool.submit(run_cell, cell, traffic): cell for cell in left}
        with path.open("a", encoding="utf-8") as kept:
            for number, future in enumerate(as_completed(waiting), start=1):
                cell = waiting[future]
                try:
                    records = future.result()
                except Exception as error:
                    raise ValueError(
                        f"The cell {cell.level}, seed {cell.seed}, failed: {error!r}"
                    ) from error
                for record in records:
                    kept.write(json.dumps(record) + "\n")
                kept.flush()
                told(number, len(left), f"{cell.level}, seed {cell.seed}")
    finally:
        pool.shutdown(cancel_futures=True)


def code_digest() -> str:
    """What the hunts and the traffic depend on: a digest of both packages' sources and data."""
    digest = hashlib.sha256()
    for package in (stillhunt, stillhunt_simulator):
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _check_code(path: Path) -> None:
    now: dict[str, Any] = {"code": code_digest()}
    if not path.is_file():
        path.write_text(json.dumps(now) + "\n", "utf-8")
    elif json.loads(path.read_bytes()).get("code") != now["code"]:
        raise ValueError(
            f"{path.parent} holds records that other code has made: take a new folder, "
            f"or delete {path.name} if the difference does not matter."
        )
