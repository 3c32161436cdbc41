"""How fast a hunt is and how much memory it takes, stage by stage.

``python benchmarks/speed.py TRAFFIC`` takes one folder with ``exchanges.parquet`` and
``accounts.parquet``. It prints the text kernel's table (``benchmarks/kernel.py``), then runs
``stillhunt hunt`` as a user types it, twice, and sets each stage beside the time that DuckDB needs
merely to scan the file on as many threads in the same minutes.

What is not counted: compiling the kernel, which happens once after an installation. A hunt of a few
rows before the first run sees to that; ``--compile`` measures it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from _watch import EVERY, Watched, peak_between, watch

RUNS = 2
SCANS = 5
WARM_UP_ROWS = 2000
MIB = 1 << 20
AIM = "Aim of record: 200,000 exchanges with text within 20 s and 2 GiB on 2 cores."
NARROWEST = 132
"""Columns to print with where the output is no terminal."""

_STARTING = "Start of Python, imports"
_ENDING = "Report, exit"
_SCAN = "SELECT COUNT(*), SUM(LENGTH(prompt)) FROM read_parquet(?)"
_TEXT = "SELECT SUM(COALESCE(STRLEN(system), 0) + COALESCE(STRLEN(prompt), 0)) FROM read_parquet(?)"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a hunt: wall seconds, and its peak resident memory in bytes where sampled."""

    name: str
    seconds: float
    peak: int | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "traffic", type=Path, help="folder with exchanges.parquet, accounts.parquet"
    )
    parser.add_argument("--no-kernel", action="store_true", help="leave out the kernel's table")
    parser.add_argument(
        "--kernel-seconds", type=float, default=3.0, help="per measured thing there"
    )
    parser.add_argument("--compile", action="store_true", help="also measure a first hunt ever")
    asked = parser.parse_args(arguments)
    exchanges, accounts = asked.traffic / "exchanges.parquet", asked.traffic / "accounts.parquet"
    for path in (exchanges, accounts):
        if not path.is_file():
            sys.exit(f"{path} is missing: give a folder of traffic.")
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, NARROWEST))
    if not asked.no_kernel:
        _print_kernel(console, exchanges, asked.kernel_seconds)
    with tempfile.TemporaryDirectory(prefix="stillhunt-benchmark-") as temporary:
        folder = Path(temporary)
        few = folder / "few.parquet"
        _copy_head(exchanges, few)
        warm_up = _hunt(few, accounts, folder / "warm-up")
        first = None
        if asked.compile:
            first = _hunt(few, accounts, folder / "first", cache=folder / "numba")
            warm_up = _hunt(few, accounts, folder / "warm-up")
        scans = [_scan_seconds(exchanges)]
        runs: list[tuple[Watched, list[Stage]]] = []
        for number in range(RUNS):
            out = folder / f"run-{number}"
            run = _hunt(exchanges, accounts, out)
            runs.append((run, stages(run, json.loads((out / "hunt.json").read_bytes()))))
            scans.append(_scan_seconds(exchanges))
        # The two runs and the scans alternate: what else the machine does weighs on both.
        scan = statistics.median(scans)
        console.print(_stage_table(runs, scan))
        _print_summary(console, runs, scan, exchanges)
        if first is not None:
            console.print(
                f"Compiling, once after an installation: {first.seconds - warm_up.seconds:.1f} s."
            )
    return 0


def _print_kernel(console: Console, exchanges: Path, seconds: float) -> None:
    """The kernel's own benchmark, in a process of its own so that no memory of it is held here."""
    script = Path(__file__).with_name("kernel.py")
    subprocess.run(
        [sys.executable, str(script), str(exchanges), "--seconds", str(seconds)],
        env=dict(os.environ) | {"COLUMNS": str(console.width)},
        check=False,
    )


def _copy_head(exchanges: Path, copy: Path) -> None:
    with pq.ParquetFile(exchanges) as file:
        batch = next(file.iter_batches(batch_size=WARM_UP_ROWS))
    pq.write_table(pa.Table.from_batches([batch]), copy)


def _hunt(exchanges: Path, accounts: Path, out: Path, cache: Path | None = None) -> Watched:
    """The command that a user types, from the environment that runs this benchmark."""
    command = [
        sys.executable, "-m", "stillhunt", "hunt", str(exchanges),
        "--accounts", str(accounts), "--out", str(out), "--no-exit-code",
    ]  # fmt: skip
    environment = dict(os.environ) | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {})
    run = watch(command, out.with_suffix(".stderr"), environment)
    if run.exit_code != 0:
        sys.exit(f"The hunt ended with {run.exit_code}:\n{run.said}")
    return run


def stages(run: Watched, record: dict[str, object]) -> list[Stage]:
    """The stages of a watched hunt.

    Args:
        run: the command.
        record: its ``hunt.json``: ``started`` is when the first stage began, ``timings`` has each
            stage's seconds, and one begins where another ends.
    """
    started, timings = record["started"], record["timings"]
    if not isinstance(started, str) or not isinstance(timings, dict):
        raise TypeError("hunt.json has no started and timings as text and object.")
    moment = datetime.fromisoformat(started).timestamp()
    found = [Stage(_STARTING, moment - run.began, peak_between(run, run.began, moment))]
    for name, seconds in timings.items():
        found.append(Stage(name, seconds, peak_between(run, moment, moment + seconds)))
        moment += seconds
    found.append(Stage(_ENDING, run.ended - moment, peak_between(run, moment, run.ended)))
    return found


def _scan_seconds(exchanges: Path) -> float:
    """Median time in which DuckDB counts rows and sums the prompts' lengths, all threads."""
    taken = []
    with duckdb.connect(":memory:") as engine:
        for _ in range(SCANS):
            began = time.perf_counter()
            engine.execute(_SCAN, [str(exchanges)]).fetchall()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _stage_table(runs: list[tuple[Watched, list[Stage]]], scan: float) -> Table:
    table = Table(
        title=f"stillhunt hunt, {len(runs)} runs of the command",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("stage")
    for number in range(1, len(runs) + 1):
        table.add_column(f"run {number}: s", justify="right")
        table.add_column("peak MiB", justify="right")
    table.add_column("x scan, faster run", justify="right")
    for same in zip(*(found for _, found in runs), strict=True):
        cells = [c for stage in same for c in (f"{stage.seconds:.2f}", _mebibytes(stage.peak))]
        fastest = min(stage.seconds for stage in same)
        table.add_row(escape(same[0].name), *cells, f"{fastest / scan:.1f}")
    table.add_section()
    cells = [c for run, _ in runs for c in (f"{run.seconds:.2f}", _mebibytes(run.peak))]
    table.add_row("all", *cells, f"{min(run.seconds for run, _ in runs) / scan:.1f}")
    cells = [c for run, _ in runs for c in (f"{run.processor:.2f}", "")]
    table.add_row("  processor time", *cells, "")
    table.add_row("DuckDB's scan", *[f"{scan:.2f}", ""] * len(runs), "1.0")
    return table


def _print_summary(
    console: Console, runs: list[tuple[Watched, list[Stage]]], scan: float, exchanges: Path
) -> None:
    rows = pq.read_metadata(exchanges).num_rows
    with duckdb.connect(":memory:") as engine:
        text = engine.execute(_TEXT, [str(exchanges)]).fetchall()[0][0]
    slowest = max(run.seconds for run, _ in runs)
    for line in (
        f"{rows:,} exchanges, {text / MIB:,.0f} MiB of text in {exchanges.stat().st_size / MIB:.0f} MiB "
        "of Parquet: "
        f"{rows / slowest:,.0f} exchanges/s in the slower run ({slowest:.1f} s), peak "
        f"{max(run.peak for run, _ in runs) / MIB:,.0f} MiB; {os.cpu_count()} cores, load average "
        f"{os.getloadavg()[0]:.1f} at the end.",
        f"Scan: {_SCAN.replace('read_parquet(?)', 'the file')} took {scan:.3f} s.",
        f"A stage's memory is sampled every {EVERY * 1000:.0f} ms; the whole run's is the kernel's count.",
        "Not counted: compiling, once after an installation.",
        AIM,
    ):
        console.print(escape(line), highlight=False, soft_wrap=True)


def _mebibytes(size: int | None) -> str:
    return "-" if size is None else f"{size / MIB:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
