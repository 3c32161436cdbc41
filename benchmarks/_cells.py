"""One cell of a benchmark: the traffic of one scenario and seed, what is tried on it, and its numbers.

Traffic lives only as long as its cell. What comes back is one plain record for each task.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from _hunts import ACCOUNTS, LOSSES, hunt_into
from _leaks import leaks
from _measures import measured
from _peers import PEERS, run_peer
from _tested import clusters_tested
from stillhunt_simulator import scenarios, simulate

HUNT = "hunt"
LEAK = "leak"
TESTED = "tested"
TESTED_WITHOUT = "tested without accounts"
WITHOUT = tuple(f"without {what}" for what in LOSSES)
BESIDE = tuple(f"peer {name}" for name in PEERS)
TASKS: tuple[str, ...] = (HUNT, LEAK, TESTED, TESTED_WITHOUT, *WITHOUT, *BESIDE)
"""What can be tried in a cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One simulated traffic and what is to be tried on it.

    Attributes:
        level: name or file of the scenario; seed: of the simulator; exchanges: how many.
        tasks: of TASKS, in order.
        peers_python: interpreter that has the peers; needed for tasks of BESIDE.
    """

    level: str
    seed: int
    exchanges: int
    tasks: tuple[str, ...]
    peers_python: str | None = None


Record = dict[str, Any]


def run_cell(cell: Cell, folder: Path) -> list[Record]:
    """Simulate a cell's traffic under ``folder``, do its tasks, delete it.

    Returns:
        One record for each task: level, seed, exchanges, task, processor seconds of the task and of
        simulating, and its result.
    """
    name = Path(cell.level).stem
    with tempfile.TemporaryDirectory(prefix=f"{name}-{cell.seed}-", dir=folder) as made:
        traffic = Path(made) / name
        traffic.mkdir()
        began = _processor_seconds()
        simulate(
            traffic, seed=cell.seed, exchanges=cell.exchanges, scenario=scenarios.load(cell.level)
        )
        simulated = round(_processor_seconds() - began, 2)
        return [
            record
            | {"level": cell.level, "seed": cell.seed, "exchanges": cell.exchanges}
            | {"seconds_simulating": simulated}
            for record in traffic_records(traffic, cell.tasks, cell.peers_python)
        ]


def traffic_records(traffic: Path, tasks: Sequence[str], peers_python: str | None) -> list[Record]:
    """Do tasks on one folder of traffic; see ``run_cell``. The seed is 0."""
    records = []
    for task in tasks:
        began = _processor_seconds()
        result = _TASKS[task](traffic, peers_python)
        records.append(
            {
                "level": traffic.name,
                "seed": 0,
                "task": task,
                "seconds": round(_processor_seconds() - began, 2),
                "result": result,
            }
        )
    return records


def _processor_seconds() -> float:
    """Of this process and the children it has waited for: what else the machine does is not in it."""
    return sum(os.times()[:4])


def one_core() -> None:
    """Keep this process to one core; it is one of several that work side by side."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


_Task = Callable[[Path, str | None], Record]


def _hunt_without(*lost: str) -> _Task:
    def task(traffic: Path, _peers_python: str | None) -> Record:
        with tempfile.TemporaryDirectory(prefix="stillhunt-benchmark-") as made:
            findings = Path(made) / "findings"
            ended = hunt_into(traffic, findings, lost, threads=1)
            return measured(traffic, findings, licences_known=ACCOUNTS not in lost) | {
                "exit_code": ended.exit_code,
                "refusal": ended.refusal,
                "seconds_hunting": round(ended.seconds, 2),
                "not_covered": [signal for signal, _ in ended.not_covered],
            }

    return task


def _tested(*lost: str) -> _Task:
    def task(traffic: Path, _peers_python: str | None) -> Record:
        with tempfile.TemporaryDirectory(prefix="stillhunt-benchmark-") as made:
            findings = Path(made) / "findings"
            hunt_into(traffic, findings, lost, threads=1)
            known = ACCOUNTS not in lost
            return {"clusters": clusters_tested(traffic, findings, licences_known=known)}

    return task


def _peer(name: str) -> _Task:
    def task(traffic: Path, peers_python: str | None) -> Record:
        if peers_python is None:
            raise ValueError(f"The peer {name} needs an interpreter that has it.")
        return run_peer(name, traffic, peers_python)

    return task


_TASKS: dict[str, _Task] = {
    HUNT: _hunt_without(),
    TESTED: _tested(),
    TESTED_WITHOUT: _tested(ACCOUNTS),
    LEAK: lambda traffic, _peers_python: {"campaigns": leaks(traffic)},
    **{f"without {what}": _hunt_without(what) for what in LOSSES},
    **{f"peer {name}": _peer(name) for name in PEERS},
}
