"""How the costs of a hunt grow: with the size of a log, and from hour to hour of a day.

``python benchmarks/growth.py --sizes 1 4`` makes a store of as many million exchanges for each size
(see ``benchmarks/headline.py``), hunts in it, and prints wall time, memory and bytes an exchange, with
the exponent of a power law fitted to them (least squares of logarithms, with its standard error). An
exponent of 1 is a cost in proportion. Beside the table it draws a picture.

``python benchmarks/growth.py --hours 240000`` hunts a day of as many exchanges hour by hour: each hour
is taken in, then the store is hunted. It prints what each hour cost, the ratio of the 24th to the
2nd, and whether the last findings are those of a hunt from scratch. With ``--logs`` the hours are logs
with their texts, taken in by ``stillhunt ingest``; without, they are made in bulk.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from _bulk.fits import fitted
from _bulk.generate import LIBRARY, generate
from _bulk.hours import HOURS, Day, from_bulk, from_logs
from _bulk.hunted import MIB, HuntError, hunt, scan_seconds
from _bulk.judged import judge
from _bulk.plots import write_growth, write_hours
from _bulk.sizes import FULL_SIZE, size_at

SIZES = (1.0, 4.0, 16.0, 64.0, 116.55)
NARROWEST = 132
"""Columns to print with where the output is no terminal."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a hunt of one size cost.

    Attributes:
        exchanges, accounts: in the store.
        hunt, working, processor, scan: seconds of the command, of its stages, of its processors, and
            of DuckDB's mere reading.
        peak: resident memory, bytes.
        observations, names: bytes an exchange, on disk.
        recall, false_discovery: of accounts.
    """

    exchanges: int
    accounts: int
    hunt: float
    working: float
    processor: float
    scan: float
    peak: int
    observations: float
    names: float
    recall: float
    false_discovery: float


FITTED = {
    "working": "seconds (stages)",
    "hunt": "seconds (all)",
    "processor": "seconds of processors",
    "peak": "bytes of memory",
    "observations": "bytes an exchange on disk",
}
"""Costs that a power law is fitted to."""

_DRAWN = ("working", "peak", "observations")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    asked = _asked(arguments)
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, NARROWEST))
    told = Console(stderr=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    try:
        if asked.hours is not None:
            print_day(console, day_of(asked, told), asked.out)
        else:
            print_growth(console, [cost_of(size, asked, told) for size in asked.sizes], asked.out)
    except HuntError as error:
        told.print(escape(str(error)))
        return 1
    told.print(f"Kept in {asked.out}: growth.json or hours.json, and a picture", highlight=False)
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--sizes", type=float, nargs="+", default=list(SIZES), metavar="MILLIONS",
        help="of exchanges (default 1 4 16 64 116.55)",
    )  # fmt: skip
    parser.add_argument("--hours", type=int, metavar="EXCHANGES", help="of a day, hour by hour")
    parser.add_argument("--logs", action="store_true", help="with --hours: from logs with texts")
    parser.add_argument(
        "--out", type=Path, default=Path("out/growth"), help="folder of the results"
    )
    parser.add_argument("--work", type=Path, help="folder for the stores while they are needed")
    parser.add_argument("--memory", default="8GB", help="limit of the engine (default 8GB)")
    parser.add_argument("--threads", type=int, help="cores of the hunts (default: all)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=2, help="processes that generate (default 2)")
    parser.add_argument("--library", type=int, default=LIBRARY, help="exchanges simulated first")
    asked = parser.parse_args(arguments)
    if min(asked.sizes) <= 0:
        parser.error("--sizes: give numbers above 0.")
    return asked


def cost_of(millions: float, asked: argparse.Namespace, told: Console) -> Cost:
    """Make a store, hunt in it, and leave nothing of it."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="growth-", dir=asked.work))
        )
        status = stack.enter_context(told.status(f"{millions:g} million: generating"))
        made = generate(
            folder / "store", size_at(millions * 1e6 / FULL_SIZE), seed=asked.seed, jobs=asked.jobs,
            library=asked.library,
        )  # fmt: skip
        status.update(f"{millions:g} million: hunting")
        scan = scan_seconds(folder / "store", asked.threads)
        run = hunt(folder / "store", folder / "findings", asked.memory, threads=asked.threads)
        result = judge(folder / "store" / "truth.parquet", folder / "findings")
    cost = Cost(
        exchanges=made.exchanges,
        accounts=made.accounts,
        hunt=run.run.seconds,
        working=sum(run.record["timings"].values()),
        processor=run.run.processor,
        scan=scan,
        peak=run.run.peak,
        observations=made.bytes / made.exchanges,
        names=made.names_bytes / made.exchanges,
        recall=result.recall,
        false_discovery=result.false_discovery,
    )
    told.print(
        f"{millions:g} million: {cost.hunt:.1f} s, {cost.peak / MIB:,.0f} MiB", highlight=False
    )
    return cost


def print_growth(console: Console, costs: Sequence[Cost], out: Path) -> None:
    """Table, exponents, picture and JSON."""
    table = Table(title="A hunt by size", title_justify="left", box=SIMPLE_HEAD)
    for name in (
        "exchanges", "accounts", "s", "s of stages", "s of processors", "µs an exchange", "x scan",
        "peak MiB", "bytes: observation", "name", "recall", "false discovery",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for c in costs:
        table.add_row(
            f"{c.exchanges:,}", f"{c.accounts:,}", f"{c.hunt:.1f}", f"{c.working:.1f}", f"{c.processor:.1f}",
            f"{c.working / c.exchanges * 1e6:.2f}", f"{c.working / c.scan:.1f}", f"{c.peak / MIB:,.0f}",
            f"{c.observations:.1f}", f"{c.names:.1f}", f"{c.recall:.4f}", f"{c.false_discovery:.4f}",
        )  # fmt: skip
    console.print(table)
    sizes = [float(c.exchanges) for c in costs]
    laws = {}
    if len(set(sizes)) > 1:
        laws = {name: fitted(sizes, [float(getattr(c, name)) for c in costs]) for name in FITTED}
        for name, law in laws.items():
            console.print(
                f"{FITTED[name]}: exponent {law.exponent:.3f} ± {law.error:.3f}", highlight=False
            )
        points = [
            {"cost": FITTED[name], "exchanges": c.exchanges, "value": getattr(c, name)}
            for name in _DRAWN
            for c in costs
        ]
        lines = [
            {
                "cost": FITTED[name],
                "exchanges": size,
                "value": laws[name].factor * size ** laws[name].exponent,
            }
            for name in _DRAWN
            for size in (min(sizes), max(sizes))
        ]
        write_growth(points, lines, out / "growth.png")
    document = {
        "costs": [asdict(c) for c in costs],
        "laws": {n: asdict(law) for n, law in laws.items()},
    }
    (out / "growth.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def day_of(asked: argparse.Namespace, told: Console) -> Day:
    """Hunt a day, hour by hour."""
    with ExitStack() as stack:
        work = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="hours-", dir=asked.work))
        )
        status = stack.enter_context(told.status("Generating"))
        run = from_logs if asked.logs else from_bulk
        size = size_at(asked.hours / FULL_SIZE)
        return run(work, size, asked.memory, asked.threads, asked.seed, status.update)


def print_day(console: Console, day: Day, out: Path) -> None:
    """Each hour's cost, the ratio of the last to the second, and whether the findings agree."""
    table = Table(title="A day, hour by hour", title_justify="left", box=SIMPLE_HEAD)
    for name in ("hour", "exchanges", "so far", "ingest s", "hunt s", "s of stages", "peak MiB"):
        table.add_column(name, justify="right")
    for hour in day.hours:
        table.add_row(
            str(hour.hour), f"{hour.exchanges:,}", f"{hour.total:,}", f"{hour.ingest:.2f}",
            f"{hour.hunt:.2f}", f"{hour.working:.2f}", f"{hour.peak / MIB:,.0f}",
        )  # fmt: skip
    console.print(table)
    second, last = day.hours[1], day.hours[HOURS - 1]
    total = (last.ingest + last.hunt) / (second.ingest + second.hunt)
    alike = sum(day.differences.values()) == 0
    told = ", ".join(f"{name} {n:,}" for name, n in day.differences.items())
    for line in (
        f"Hour 24 beside hour 2: {total:.2f} times the whole, {last.working / second.working:.2f} times the "
        f"stages of the hunt, with {last.total / second.total:.1f} times the exchanges.",
        f"From scratch: {day.scratch:.2f} s. Its findings ({day.campaigns} campaigns) are "
        f"{'the same' if alike else 'NOT the same'} "
        f"(rows that differ: {told}).",
    ):
        console.print(line, highlight=False, soft_wrap=True)
    rows = [
        {"hour": hour.hour, "step": step, "seconds": getattr(hour, step)}
        for hour in day.hours
        for step in ("ingest", "hunt")
    ]
    write_hours(rows, out / "hours.png")
    (out / "hours.json").write_text(json.dumps(asdict(day), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
