"""Three campaigns among a hundred million exchanges: what a hunt finds of them, and what it costs.

``python benchmarks/headline.py --scale 0.01`` makes a store of observations in bulk, without text,
and hunts in it with the command that a user types. At scale 1 it holds 100 million exchanges of a
million lawful entities, and three campaigns among them: 150 thousand exchanges through 800 accounts,
3.4 million through 3,200, and 13 million through 20,000, the last behind a proxy service whose lines
honest customers use too. Everything shrinks with the scale; a campaign keeps a dozen accounts.

The observations follow fingerprints of simulated traffic at the evasion ladder's level E3, with all
lawful look-alikes in the simulator's proportions (``benchmarks/_bulk``); ``--compare`` also simulates
traffic of the same size with its texts, hunts there too, and prints both side by side.

It prints wall time and peak memory by stage, what was found against what was planted, bytes on disk,
and the time in which DuckDB merely reads the same files. It always ends with 0: it measures, it does
not judge.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from _bulk.compare import MEASURES, Rows, measured_store, measured_twin, simulated
from _bulk.generate import LIBRARY, STRETCH, Made, generate
from _bulk.hunted import MIB, Hunt, HuntError, bytes_of, hunt, scan_seconds
from _bulk.judged import Judged, judge
from _bulk.sizes import Size, size_at

MEMORY = "8GB"
NARROWEST = 132
"""Columns to print with where the output is no terminal."""
WIDEST = 200
"""The same for the table that sets traffic side by side."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    asked = _asked(arguments)
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, NARROWEST))
    told = Console(stderr=True)
    with ExitStack() as stack:
        if asked.hunt_only is not None:
            folder, made = asked.hunt_only, None
        else:
            folder = asked.out or Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="stillhunt-headline-"))
            )
            size = size_at(asked.scale)
            made = make(folder / "store", size, asked, told)
            print_made(console, folder / "store", made)
        store = folder if (folder / "store.json").is_file() else folder / "store"
        if asked.compare and made is not None:
            with told.status("Simulating traffic of the same size, with its texts"):
                twin = simulated(folder / "twin", asked.days, size, asked.seed + 1)
            # Wider than most terminals; cut columns would say nothing.
            Console(width=WIDEST).print(compare_table(measured_twin(twin), measured_store(store)))
        if asked.generate_only:
            return 0
        findings = (asked.out or folder) / "findings"
        with told.status("DuckDB reads the store"):
            scan = scan_seconds(store, asked.threads)
        try:
            with told.status("Hunting"):
                hunted = hunt(store, findings, asked.memory, threads=asked.threads)
        except HuntError as error:
            told.print(escape(str(error)))
            return 1
        console.print(stage_table(hunted, scan))
        result = judge(store / "truth.parquet", findings)
        print_found(console, result)
        _record(findings.with_name("headline.json"), asked, made, hunted, scan, result)
        if asked.keep or asked.out or asked.hunt_only:
            told.print(f"Kept in {folder}: {store.name}, findings, headline.json", highlight=False)
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=0.01, help="of the full size (default 0.01)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="keep everything here (default: nothing is kept)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep everything, in out/headline unless --out is given"
    )
    parser.add_argument(
        "--hunt-only", type=Path, metavar="DIR", help="hunt in a store that was kept"
    )
    parser.add_argument("--generate-only", action="store_true", help="make the store and stop")
    parser.add_argument("--compare", action="store_true", help="set it beside simulated traffic")
    parser.add_argument("--memory", default=MEMORY, help=f"limit of the engine (default {MEMORY})")
    parser.add_argument("--threads", type=int, help="cores of the hunt (default: all)")
    parser.add_argument(
        "--days", type=int, default=7, help="length of the period, 1 to 15 (default 7)"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=2, help="processes that generate (default 2)")
    parser.add_argument(
        "--library",
        type=int,
        default=LIBRARY,
        help=f"exchanges simulated first (default {LIBRARY:,})",
    )
    asked = parser.parse_args(arguments)
    if not 0 < asked.scale <= 10:
        parser.error("--scale: give a number above 0, at most 10.")
    if asked.keep and asked.out is None and asked.hunt_only is None:
        asked.out = Path("out/headline")
    return asked


def make(store: Path, size: Size, asked: argparse.Namespace, told: Console) -> Made:
    """Generate a store, saying how far it is."""
    with told.status("Simulating the pattern, settling everybody") as status:

        def tell(done: int, of: int) -> None:
            status.update(f"Generating: {done:,} of {of:,} exchanges")

        return generate(
            store, size, days=asked.days, seed=asked.seed, jobs=asked.jobs, library=asked.library,
            stretch=STRETCH, progress=tell,
        )  # fmt: skip


def print_made(console: Console, store: Path, made: Made) -> None:
    """What generation took, and what it left."""
    n = made.exchanges
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    other = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    beside = f", each process {other / MIB:,.0f}" if other else ""
    for line in (
        f"Made: {n:,} exchanges through {made.accounts:,} accounts.",
        f"  {made.preparing:.1f} s for the pattern and everybody, {made.writing:.1f} s for the exchanges "
        f"({n / made.writing:,.0f} a second); peak {own / MIB:,.0f} MiB{beside}.",
        f"  On disk, bytes an exchange: observations {made.bytes / n:.1f}, names {made.names_bytes / n:.1f}, "
        f"all {bytes_of(store) / n:.1f}.",
    ):
        console.print(line, highlight=False, soft_wrap=True)


def stage_table(hunted: Hunt, scan: float) -> Table:
    """Wall time and memory by stage."""
    table = Table(title="stillhunt hunt --store", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("stage")
    for name in ("s", "share", "peak MiB", "x scan"):
        table.add_column(name, justify="right")
    run = hunted.run
    for stage in hunted.stages:
        table.add_row(
            escape(stage.name), f"{stage.seconds:.2f}", f"{stage.seconds / run.seconds:.0%}",
            "-" if stage.peak is None else f"{stage.peak / MIB:,.0f}", f"{stage.seconds / scan:.1f}",
        )  # fmt: skip
    table.add_section()
    table.add_row(
        "all", f"{run.seconds:.2f}", "", f"{run.peak / MIB:,.0f}", f"{run.seconds / scan:.1f}"
    )
    table.add_row("  processor time", f"{run.processor:.2f}", "", "", "")
    table.add_row("DuckDB reads every column", f"{scan:.2f}", "", "", "1.0")
    return table


def print_found(console: Console, result: Judged) -> None:
    """Found against planted."""
    table = Table(title="Found against planted", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("campaign")
    for name in (
        "accounts", "named rightly", "recall", "strangers", "exchanges", "counted", "error", "interval"
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for one in result.planted:
        table.add_row(
            escape(one.name), f"{one.accounts:,}", f"{one.right:,}", f"{one.recall:.4f}",
            f"{one.strangers:,}", f"{one.exchanges:,}", f"{one.counted:,}", f"{one.count_error:+.2%}",
            f"{one.low:,} to {one.high:,}" if one.matched else "-",
        )  # fmt: skip
    console.print(table)
    by = ", ".join(f"{name} {n:,}" for name, n in sorted(result.lawful_by.items()))
    console.print(
        f"{result.campaigns:,} campaigns named, {result.unmatched:,} of them nobody's. Account recall "
        f"{result.recall:.4f}; false discovery {result.false_discovery:.4f}: {result.lawful:,} lawful of "
        f"{result.named:,} named (of {result.lawful_accounts:,} lawful accounts)"
        f"{': ' + by if by else ''}.",
        highlight=False,
        soft_wrap=True,
    )


def compare_table(twin: Rows, made: Rows) -> Table:
    """The measures of simulated traffic and of that made in bulk, persona by persona."""
    table = Table(
        title="Simulated (S) and made in bulk (B)",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, 1),
    )
    table.add_column("", no_wrap=True)
    for name in MEASURES:
        table.add_column(name, justify="right", no_wrap=True)
    both = {str(row[0]): ["S", row] for row in twin}
    for row in made:
        name = str(row[0])
        for letter, of in (
            ((both[name][0], both[name][1]), ("B", row)) if name in both else (("B", row),)
        ):
            table.add_row(f"{letter} {name}", *(_short(value) for value in of[1:]))
    return table


def _short(value: Any) -> str:
    return "-" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _record(
    path: Path,
    asked: argparse.Namespace,
    made: Made | None,
    hunted: Hunt,
    scan: float,
    result: Judged,
) -> None:
    document = {
        "options": {
            k: v if isinstance(v, int | float | str | None) else str(v)
            for k, v in vars(asked).items()
        },
        "cores": os.cpu_count(),
        "made": asdict(made) if made else None,
        "seconds": hunted.run.seconds,
        "processor": hunted.run.processor,
        "peak": hunted.run.peak,
        "scan": scan,
        "stages": [asdict(stage) for stage in hunted.stages],
        "found": asdict(result),
    }
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
