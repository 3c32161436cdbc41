"""One cell of a benchmark: the traffic of one scenario and seed, what is tried on it, and its numbers.

Traffic lives only as long as its cell. What comes back is one plain record for each task.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from _hunts import ACCOUNTS, LOSSES, hunt_into
from _leaks import leaks
from _measures import measured
from _peers import PEERS, run_peer
from stillhunt_simulator import scenarios, simulate

HUNT = "hunt"
LEAK = "leak"
WITHOUT = tuple(f"without {what}" for what in LOSSES)
BESIDE = tuple(f"peer {name}" for name in PEERS)
TASKS: tuple[str, ...] = (HUNT, LEAK, *WITHOUT, *BESIDE)
"""What can be tried in a cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One simulated traffic and what is to be tried on it.

    Attributes:
        level: name of the scenario; seed: of the simulator; exchanges: how many.
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
        One record for each task: level, seed, task, exchanges, seconds (of the task), and its result.
    """
    return list(_records(cell, folder))


def one_core() -> None:
    """Keep this process to one core; it is one of several that work side by side."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def _records(cell: Cell, folder: Path) -> Iterator[Record]:
    with tempfile.TemporaryDirectory(prefix=f"{cell.level}-{cell.seed}-", dir=folder) as made:
        traffic = Path(made) / cell.level
        began = time.perf_counter()
        traffic.mkdir()
        simulate(
            traffic, seed=cell.seed, exchanges=cell.exchanges, scenario=scenarios.load(cell.level)
        )
        simulated = time.perf_counter() - began
        for task in cell.tasks:
            began = time.perf_counter()
            result = _TASKS[task](cell, traffic)
            yield {
                "level": cell.level,
                "seed": cell.seed,
                "exchanges": cell.exchanges,
                "task": task,
                "seconds": round(time.perf_counter() - began, 2),
                "seconds_simulating": round(simulated, 2),
                "result": result,
            }


def _hunt_without(*lost: str) -> Callable[[Cell, Path], Record]:
    def task(_cell: Cell, traffic: Path) -> Record:
        with tempfile.TemporaryDirectory(dir=traffic.parent) as made:
            findings = Path(made) / "findings"
            ended = hunt_into(traffic, findings, lost, threads=1)
            return measured(traffic, findings, licences_known=ACCOUNTS not in lost) | {
                "exit_code": ended.exit_code,
                "refusal": ended.refusal,
                "seconds_hunting": round(ended.seconds, 2),
                "not_covered": [signal for signal, _ in ended.not_covered],
            }

    return task


def _peer(name: str) -> Callable[[Cell, Path], Record]:
    def task(cell: Cell, traffic: Path) -> Record:
        if cell.peers_python is None:
            raise ValueError(f"The peer {name} needs an interpreter that has it.")
        return run_peer(name, traffic, cell.peers_python)

    return task


_TASKS: dict[str, Callable[[Cell, Path], Record]] = {
    HUNT: _hunt_without(),
    LEAK: lambda _cell, traffic: {"campaigns": leaks(traffic)},
    **{f"without {what}": _hunt_without(what) for what in LOSSES},
    **{f"peer {name}": _peer(name) for name in PEERS},
}
