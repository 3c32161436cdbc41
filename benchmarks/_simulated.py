"""Detection over simulator seeds: which cells there are, and what is printed of them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

import _markdown as markdown
from _cells import BESIDE, HUNT, LEAK, WITHOUT, Cell, traffic_records
from _grid import code_digest, run_grid
from _plots import write_reliability
from _summary import CLEAN, peer_summary, summarised

LADDER = tuple(f"e{i}" for i in range(8))
WITHHELD_ON = "e3"
"""Level on which hunts are also run without accounts table, text, addresses, clients."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of a run over seeds."""
    group = parser.add_argument_group("over simulator seeds")
    group.add_argument("--simulate", action="store_true", help="simulate traffic, level by level")
    group.add_argument("--levels", nargs="+", default=[*LADDER, CLEAN], metavar="NAME")
    group.add_argument("--seeds", type=int, default=20, help="seeds of each level with campaigns")
    group.add_argument("--clean-seeds", type=int, default=40, help="seeds without any")
    group.add_argument("--first-seed", type=int, default=1)
    group.add_argument("--exchanges", type=int, default=100_000, help="of each seed")
    group.add_argument(
        "--leak-seeds", type=int, default=2, help="seeds of a level that are hunted day by day"
    )
    group.add_argument(
        "--without-seeds", type=int, default=5, help=f"seeds of {WITHHELD_ON} with columns withheld"
    )
    group.add_argument("--peers", action="store_true", help="run the peers on the first seeds")
    group.add_argument("--peer-seeds", type=int, default=2, help="how many seeds of each level")
    group.add_argument(
        "--peers-python", default=sys.executable, metavar="PYTHON",
        help="interpreter with benchmarks/requirements-peers.txt",
    )  # fmt: skip
    group.add_argument("--jobs", type=int, default=2, help="processes, one core each")
    group.add_argument(
        "--resume", type=Path, metavar="DIR",
        help="folder of the results; what it holds is not done again (default: a new one here)",
    )  # fmt: skip


def cells_of(asked: argparse.Namespace) -> list[Cell]:
    """The cells that the options ask for, the costly ones first."""
    cells = []
    for level in dict.fromkeys(asked.levels):
        seeds = asked.clean_seeds if level == CLEAN else asked.seeds
        for number in range(seeds):
            tasks = [HUNT]
            if level != CLEAN and number < asked.leak_seeds:
                tasks.append(LEAK)
            if level == WITHHELD_ON and number < asked.without_seeds:
                tasks += WITHOUT
            if asked.peers and number < asked.peer_seeds:
                tasks += BESIDE
            cells.append(
                Cell(
                    level,
                    asked.first_seed + number,
                    asked.exchanges,
                    tuple(tasks),
                    asked.peers_python,
                )
            )
    return sorted(cells, key=lambda cell: -len(cell.tasks))


def main(asked: argparse.Namespace) -> int:
    """Run the grid and print its tables."""
    now = datetime.now(UTC)
    folder = asked.resume or Path(f"detection-{now:%Y%m%d-%H%M%S}")
    told = Console(stderr=True)
    began = time.perf_counter()

    def tell(done: int, of: int, what: str) -> None:
        minutes = (time.perf_counter() - began) / 60
        told.print(
            f"{done} of {of} cells, {minutes:.1f} min, about {minutes / done * (of - done):.0f} min "
            f"to go: {escape(what)}",
            highlight=False,
        )

    try:
        records = run_grid(cells_of(asked), folder, asked.jobs, tell)
    except ValueError as error:
        sys.exit(str(error))
    summary = summarised(records)
    levels = [s for name, s in summary["levels"].items() if name != CLEAN]
    images = []
    if levels:
        images.append(folder / "reliability.png")
        write_reliability(summary["pooled"]["reliability"], images[0])
    document = {
        "made": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "code": code_digest(),
        "options": {name: _plain(value) for name, value in sorted(vars(asked).items())},
        "cells": len(records),
        **summary,
    }
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    text = "\n".join(tables(summary))
    (folder / "results.md").write_text(text, "utf-8")
    sys.stdout.write(text)
    told.print(f"\nKept in {folder}: results.json, results.md, cells.jsonl", *images[:1], sep=" ")
    return 0


def peers_on(traffic: Path, python: str) -> str:
    """The peers' table for one folder of traffic, Stillhunt's own hunt first."""
    records = traffic_records(traffic, (HUNT, *BESIDE), python)
    return markdown.peer_table({traffic.name: peer_summary(records)})


def tables(summary: dict[str, Any]) -> list[str]:
    """All tables that have something to say."""
    planted = {name: s for name, s in summary["levels"].items() if name != CLEAN}
    found = []
    if planted:
        everything = planted | {"all": summary["pooled"]}
        found += [
            markdown.found_table(everything, "Found of what was planted"),
            markdown.wrong_table(everything),
            markdown.counting_table(everything),
            markdown.campaign_table(planted),
        ]
    found.append(markdown.lawful_table(summary["levels"]))
    if planted:
        found.append(markdown.reliability_table(summary["pooled"]["reliability"]))
    if summary["clean"]:
        found.append(markdown.clean_line(summary["clean"]))
    if summary["leaks"]:
        found.append(markdown.leak_table(summary["leaks"]))
    if summary["without"]:
        found += [
            markdown.found_table(summary["without"], "With something withheld"),
            markdown.wrong_table(summary["without"]),
        ]
    if summary["peers"]:
        found.append(markdown.peer_table(summary["peers"]))
    found.append(markdown.cost_table(summary["cost"]))
    return found


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | str | bool | list | None) else str(value)
