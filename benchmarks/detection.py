"""How well hunts find what was planted, and whom they name wrongly.

``python benchmarks/detection.py TRAFFIC`` hunts in every folder of TRAFFIC that holds
``exchanges.parquet``, ``accounts.parquet`` and ``truth/``, with the settings that are shipped, and
prints found against planted. ``--level NAME`` takes some folders only; ``--without WHAT`` withholds
the accounts table, or columns of the exchanges.

``python benchmarks/detection.py --simulate`` does so over many seeds of the simulator's scenarios and
prints rates with errors between seeds; ``--null`` checks links' p-values where strangers are strangers;
``--peers`` runs other methods on the same traffic. It always ends with 0: it measures, it does not
judge.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from scipy.stats import beta

import _null
import _simulated
from _hunts import ACCOUNTS, LOSSES, Hunted, hunt_level, levels_of
from _matching import Outcome

POOLED = ("dev-E0", "dev-E2", "dev-E3")
"""Levels over which the aims (recall 0.95, precision 0.99) are stated."""

WITHHELD_ON = "dev-E3"
"""Level on which the default run also withholds the accounts table, then the text."""

NONE = "-"
NARROWEST = 132
"""Columns to print with where the output is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "traffic", type=Path, nargs="?", help="folder of folders of traffic with truth"
    )
    parser.add_argument("--level", action="append", default=[], nargs="+", metavar="NAME")
    parser.add_argument("--without", action="append", default=[], choices=sorted(LOSSES))
    _simulated.add_options(parser)
    _null.add_options(parser)
    asked = parser.parse_args(arguments)
    if sum((asked.traffic is not None, asked.simulate, asked.null)) != 1:
        parser.error("give one of: a folder of traffic, --simulate, --null")
    if asked.null:
        return _null.main(asked)
    if asked.simulate:
        return _simulated.main(asked)
    levels = _chosen(asked.traffic, [name for names in asked.level for name in names])
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, NARROWEST))
    told = Console(stderr=True)

    def hunted(level: str, lost: Sequence[str]) -> Hunted:
        with told.status(escape(_title(level, lost))):
            return hunt_level(asked.traffic / level, lost)

    runs = [hunted(level, asked.without) for level in levels]
    console.print(_level_table(runs, asked.without))
    console.print(_campaign_table(runs))
    console.print(_persona_table(runs))
    _print_refusals(console, runs)
    _print_pooled(console, runs)
    if asked.peers:
        for level in levels:
            with told.status(escape(f"{level}: peers")):
                print(_simulated.peers_on(asked.traffic / level, asked.peers_python))
    if asked.without:
        _print_losses(console, runs[-1], asked.without)
    elif WITHHELD_ON in levels:
        for lost in ((ACCOUNTS,), ("text",)):
            run = hunted(WITHHELD_ON, lost)
            console.print(_withheld_line(run, lost))
            _print_losses(console, run, lost)
    return 0


def _chosen(root: Path, asked: list[str]) -> list[str]:
    levels = levels_of(root) if root.is_dir() else []
    unknown = sorted(set(asked) - set(levels))
    if unknown or not levels:
        sys.exit(
            f"{root} holds no traffic with truth called {', '.join(unknown)}." if unknown
            else f"{root} holds no folder with exchanges.parquet, accounts.parquet and truth/."
        )  # fmt: skip
    return [level for level in levels if not asked or level in asked]


def _title(level: str, lost: Sequence[str]) -> str:
    return level + (f" without {' and '.join(lost)}" if lost else "")


def _level_table(runs: list[Hunted], lost: Sequence[str]) -> Table:
    title = "Found against planted" + (f", without {' and '.join(lost)}" if lost else "")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("")
    for run in runs:
        table.add_column(escape(run.level), justify="right")
    rows: list[tuple[str, Callable[[Hunted], str]]] = [
        ("campaigns planted", lambda r: str(len(r.outcome.planted))),
        ("  found", lambda r: str(sum(p.found for p in r.outcome.planted))),
        ("  merged", lambda r: str(r.outcome.merged)),
        ("  split", lambda r: str(r.outcome.split)),
        ("campaigns named in all", lambda r: str(r.outcome.campaigns)),
        ("  matching nothing planted", lambda r: str(r.outcome.unmatched)),
        ("accounts planted", lambda r: f"{r.outcome.accounts:,}"),
        ("  recall", lambda r: _rate(r.outcome.right, r.outcome.accounts)),
        ("  precision", lambda r: _rate(r.outcome.right, r.outcome.named)),
        ("  recall, in whatever campaign", lambda r: _rate(r.outcome.planted_named, r.outcome.accounts)),
        ("  precision, likewise", lambda r: _rate(r.outcome.planted_named, _everybody(r.outcome))),
        ("  linked, named or not", lambda r: _rate(r.outcome.linked, r.outcome.accounts)),
        ("  of their clusters' accounts", lambda r: _rate(r.outcome.linked, r.outcome.linked_with)),
        ("exchange count, worst campaign", lambda r: _percent(_worst_error(r.outcome))),
        ("  pooled", lambda r: _percent(_pooled_error(r.outcome))),
        ("  interval covers", lambda r: _covered(r.outcome)),
        ("lawful accounts named", lambda r: f"{r.outcome.lawful_named:,}"),
        ("exit code", lambda r: str(r.exit_code)),
        ("wall seconds", lambda r: f"{r.seconds:.1f}"),
    ]  # fmt: skip
    if ACCOUNTS in lost:
        rows.insert(-2, ("licensed accounts named (apart)", lambda r: str(r.outcome.apart)))
        rows.insert(-2, ("  campaigns of them alone", lambda r: str(r.outcome.campaigns_apart)))
    for name, cell in rows:
        table.add_row(name, *(cell(run) for run in runs))
    return table


def _campaign_table(runs: list[Hunted]) -> Table:
    table = Table(title="Planted campaigns", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("level")
    table.add_column("campaign")
    for name in (
        "accounts", "in match", "elsewhere", "exchanges", "counted", "right", "error", "interval", "covers",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for run in runs:
        for p in run.outcome.planted:
            counted = (
                (
                    f"{p.attributed:,}",
                    f"{p.attributed_right:,}",
                    _percent(p.count_error),
                    f"{p.low:,} to {p.high:,}",
                    "yes" if p.covered else "no",
                )
                if p.matched is not None
                else (NONE, NONE, "missed", NONE, "no")
            )
            table.add_row(
                escape(run.level), escape(p.name), f"{p.accounts:,}", f"{p.right:,}",
                f"{p.named - p.right:,}", f"{p.exchanges:,}", *counted,
            )  # fmt: skip
    return table


def _persona_table(runs: list[Hunted]) -> Table:
    table = Table(
        title="Lawful personas: accounts named, of how many", title_justify="left", box=SIMPLE_HEAD
    )
    table.add_column("persona")
    for run in runs:
        table.add_column(escape(run.level), justify="right")
    for persona in sorted({name for run in runs for name in run.outcome.lawful}):
        cells = []
        for run in runs:
            lawful = run.outcome.lawful.get(persona)
            cells.append(_of(lawful.named, lawful.accounts) if lawful else NONE)
        table.add_row(escape(persona), *cells)
    return table


def _print_refusals(console: Console, runs: list[Hunted]) -> None:
    for run in runs:
        if run.refusal is not None:
            console.print(f"{escape(run.level)} was refused: {escape(run.refusal)}", soft_wrap=True)


def _print_pooled(console: Console, runs: list[Hunted]) -> None:
    pooled = [run.outcome for run in runs if run.level in POOLED]
    if not pooled:
        return
    right = sum(o.right for o in pooled)
    planted = sum(o.accounts for o in pooled)
    named = sum(o.named for o in pooled)
    whole = sum(p.found for o in pooled for p in o.planted)
    console.print(
        f"Pooled over {', '.join(r.level for r in runs if r.level in POOLED)}: "
        f"{whole} of {sum(len(o.planted) for o in pooled)} campaigns found, "
        f"recall {_interval(right, planted)}, precision {_interval(right, named)}.\n"
        "In brackets the exact 95 % interval if accounts were drawn one by one; those of one campaign "
        "are not, so the true one is wider.",
        highlight=False,
        soft_wrap=True,
    )


def _withheld_line(run: Hunted, lost: Sequence[str]) -> str:
    outcome = run.outcome
    return escape(
        f"{_title(run.level, lost)}: {sum(p.found for p in outcome.planted)} of {len(outcome.planted)} "
        f"campaigns found, recall {_rate(outcome.right, outcome.accounts)}, precision "
        f"{_rate(outcome.right, outcome.named)}, lawful accounts named {outcome.lawful_named}, "
        f"exit code {run.exit_code}; {outcome.linked} of {outcome.accounts} planted accounts linked with "
        f"their own, named or not ({_rate(outcome.linked, outcome.linked_with)} of those clusters)."
    )


def _print_losses(console: Console, run: Hunted, lost: Sequence[str]) -> None:
    """What the hunt itself says that it lost."""
    for signal, consequence in run.not_covered:
        console.print(f"  not covered: {escape(signal)}: {escape(consequence)}", highlight=False)
    if not run.not_covered:
        console.print("  the coverage table names no loss", highlight=False)
    if ACCOUNTS in lost:
        console.print(
            "  Licences stand in the accounts table: without it nobody can know that a licensed customer "
            f"is entitled to its harvest. {run.outcome.apart} accounts with a licence were named on "
            f"{escape(run.level)}, {run.outcome.campaigns_apart} campaigns hold nobody else; they are "
            "counted neither right nor wrong.",
            highlight=False,
        )


def _worst_error(outcome: Outcome) -> float | None:
    errors = [p.count_error for p in outcome.planted]
    return max(errors, key=abs) if errors else None


def _pooled_error(outcome: Outcome) -> float | None:
    planted = sum(p.exchanges for p in outcome.planted)
    return sum(p.attributed for p in outcome.planted) / planted - 1 if planted else None


def _everybody(outcome: Outcome) -> int:
    """Accounts named, each once, those set apart left out."""
    return outcome.planted_named + outcome.lawful_named


def _covered(outcome: Outcome) -> str:
    return _of(sum(p.covered for p in outcome.planted), len(outcome.planted))


def _rate(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else NONE


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole:,}" if whole else NONE


def _percent(error: float | None) -> str:
    return NONE if error is None else f"{error:+.1%}"


def _interval(part: int, whole: int) -> str:
    """A rate with its exact (Clopper-Pearson) 95 % interval."""
    if not whole:
        return NONE
    low = float(beta.ppf(0.025, part, whole - part + 1)) if part else 0.0
    high = float(beta.ppf(0.975, part + 1, whole - part)) if part < whole else 1.0
    return f"{part / whole:.4f} ({part:,} of {whole:,}) [{low:.3f} to {high:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
