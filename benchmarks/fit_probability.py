"""Fits what evidence is worth: the curve behind a finding's probability.

``python benchmarks/fit_probability.py --resume DIR`` simulates providers, one seed and one scenario
each, hunts in each with and without its accounts table, and takes every cluster that passed the link
test, named or not: those that act as one, planted or lawful. A logistic regression says how much each
signal's evidence counts, and Venn-Abers predictors what the sum is worth. Planted and lawful ones weigh
the same together, so that the curve stands at even prior odds. The numbers go to
``src/stillhunt/scoring/curve.json`` (``--write``).

Beside it is printed how probabilities of each scenario come true under a curve fitted to the *other*
scenarios. ``--judge DIR`` sets the fitted curve beside the records of other seeds.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from _cells import TESTED, TESTED_WITHOUT, Cell, Record
from _estimates import EDGES, bin_of, reliability
from _grid import run_grid
from _logistic import fit_logistic
from _venn_abers import venn_abers
from stillhunt.scoring.calibration import log_odds, probability, strangers_odds
from stillhunt.scoring.curve import Curve, parse_curve

UNDECLARED = "benchmarks/scenarios/undeclared.toml"
SCENARIOS = (
    "e6", UNDECLARED, "e7", "e5", "e3", UNDECLARED, "e0", "e4", "e3-dozen", "e2", UNDECLARED, "e1",
    "clean",
)  # fmt: skip
"""One for each seed, in turn."""

SIGNALS = ("fresh_output", "intent")
STEP = 0.05
"""Of weighted evidence, from knot to knot."""

NEEDED = ("fresh_output", "intent")
FDR = 0.01
"""The shipped ``--fdr``: clusters above it are none whose members act as one."""

CURVE = Path(__file__).parents[1] / "src" / "stillhunt" / "scoring" / "curve.json"

Case = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit the curve and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--resume", type=Path, required=True, metavar="DIR", help="keeps records")
    parser.add_argument("--seeds", type=int, default=65, help="simulated providers")
    parser.add_argument("--first-seed", type=int, default=1001)
    parser.add_argument("--exchanges", type=int, default=100_000, help="of each")
    parser.add_argument("--jobs", type=int, default=2, help="processes, one core each")
    parser.add_argument("--judge", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--write", action="store_true", help=f"write {CURVE.name}")
    asked = parser.parse_args(arguments)
    told = Console(stderr=True)
    cells = [
        Cell(
            SCENARIOS[i % len(SCENARIOS)],
            asked.first_seed + i,
            asked.exchanges,
            (TESTED, TESTED_WITHOUT),
        )
        for i in range(asked.seeds)
    ]
    try:
        records = run_grid(
            cells,
            asked.resume,
            asked.jobs,
            lambda done, of, what: told.print(f"{done} of {of}: {escape(what)}", highlight=False),
        )
        cases = cases_of(records)
        document = fit_curve(cases)
    except ValueError as error:
        sys.exit(str(error))
    print(printed(document))
    print("\nEach scenario under the curve of the others, clusters that passed the link test:")
    print(reliability_of(leave_scenarios_out(cases), "all that act as one"))
    print(reliability_of(leave_scenarios_out(cases), "named", named=True))
    for folder in asked.judge:
        lines = (folder / "cells.jsonl").read_text("utf-8").splitlines()
        judged = stated(cases_of(map(json.loads, lines)), parse_curve(document))
        print(f"{folder.name}:")
        print(reliability_of(judged, "all that act as one"))
        print(reliability_of(judged, "named", named=True))
    if asked.write:
        CURVE.write_text(printed(document) + "\n", "utf-8")
    return 0


def printed(document: dict[str, Any]) -> str:
    """JSON with a line for each key."""
    lines = (f" {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def cases_of(records: Iterable[Record]) -> list[Case]:
    """Clusters that passed the link test and whose needed signals are covered.

    Args:
        records: of the tasks TESTED and TESTED_WITHOUT; others are passed over.

    Returns:
        For each: provider (level and seed), level, right, named, link_p, evidence (signal to log
        evidence).
    """
    return [
        {
            "provider": (Path(record["level"]).stem, record["seed"]),
            "level": Path(record["level"]).stem,
            **{key: cluster[key] for key in ("right", "named", "link_p")},
            "evidence": {name: cluster["terms"].get(name) for name in SIGNALS},
        }
        for record in records
        if record["task"] in (TESTED, TESTED_WITHOUT)
        for cluster in record["result"]["clusters"]
        if cluster["q_value"] <= FDR and all(name in cluster["terms"] for name in NEEDED)
    ]


def fit_curve(cases: Sequence[Case]) -> dict[str, Any]:
    """The document of a curve.

    Raises:
        ValueError: only planted clusters, or only lawful ones.
    """
    y = np.array([case["right"] for case in cases])
    if not len(y) or y.all() or not y.any():
        raise ValueError("A curve needs planted and lawful clusters: take more seeds.")
    x = np.array([[case["evidence"][name] or 0.0 for name in SIGNALS] for case in cases])
    weight = balanced(y, 1 / len((TESTED, TESTED_WITHOUT)))
    counts = fit_logistic(x, y, weight)[1:]
    if not counts.any():
        raise ValueError("No signal tells planted clusters from lawful ones here: take more seeds.")
    counts = np.round(counts / counts.max(), 3)
    score = x @ counts
    grid = STEP * np.arange(math.floor(score.min() / STEP), math.ceil(score.max() / STEP) + 1)
    return {
        "needed": list(NEEDED),
        "providers": len({c["provider"] for c in cases if not c["right"]}),
        "lawful": int((~y).sum()),
        "planted": int(y.sum()),
        "scenarios": sorted({c["level"] for c in cases}),
        "weights": dict(zip(SIGNALS, counts.tolist(), strict=True)),
        **_knots(grid, venn_abers(score, y, weight, grid)),
    }


def _knots(grid: np.ndarray, chance: np.ndarray) -> dict[str, list[float]]:
    """Knots where the curve bends; of a level stretch the ends are kept."""
    worth = np.round(np.log(chance) - np.log1p(-chance), 2)
    inner = (worth[1:-1] != worth[:-2]) | (worth[1:-1] != worth[2:])
    kept = np.flatnonzero(np.concatenate([[True], inner, [True]]))
    return {
        "evidence": np.round(grid[kept], 2).tolist(),
        "log_bayes_factors": worth[kept].tolist(),
    }


def balanced(y: np.ndarray, each: float) -> np.ndarray:
    """Weights, float (n,): ``each`` for the rarer class, and the other weighs as much together.

    Args:
        y: bool (n,), the class.
        each: a cluster that was hunted for twice counts half each time.
    """
    rarer = min(int(y.sum()), int((~y).sum()))
    return np.where(y, rarer / y.sum(), rarer / (~y).sum()) * each


def stated(cases: Sequence[Case], curve: Curve, prior: float = 0.5) -> list[Case]:
    """Cases with the probability that a hunt with this curve would state."""
    out = []
    for case in cases:
        worth = curve.log_bayes_factor(case["evidence"])
        if worth is not None:
            chance = probability(log_odds(prior) + worth)
            chance *= probability(strangers_odds(case["link_p"]))
            out.append(case | {"stated": chance})
    return out


def leave_scenarios_out(cases: Sequence[Case]) -> list[Case]:
    """Each case with the probability that it gets from other scenarios' clusters."""
    out = []
    for level in sorted({case["level"] for case in cases}):
        curve = parse_curve(fit_curve([case for case in cases if case["level"] != level]))
        out += stated([case for case in cases if case["level"] == level], curve)
    return out


def reliability_of(cases: Sequence[Case], title: str, *, named: bool = False) -> str:
    """Table of stated probabilities beside what came true; errors between providers."""
    cells: dict[Any, list[list[float]]] = {}
    for case in cases:
        if named and not case["named"]:
            continue
        bins = cells.setdefault(case["provider"], [[0, 0.0, 0] for _ in EDGES[1:]])
        cell = bins[bin_of(case["stated"])]
        cell[0] += 1
        cell[1] += case["stated"]
        cell[2] += case["right"]
    rows = [
        [
            f"{b.low:g} to {b.high:g}", f"{b.count:,}", f"{b.stated:.3f}",
            f"{b.true.value:.3f} ± {b.true.error:.3f}", f"{abs(b.stated - b.true.value):.3f}",
        ]
        for b in reliability(list(cells.values()))
    ]  # fmt: skip
    lines = [
        "| stated | how many | mean stated | came true ± SE | apart |",
        "|---|---:|---:|---:|---:|",
    ]
    return "\n".join([f"\n**{title}**\n", *lines, *(f"| {' | '.join(row)} |" for row in rows)])


if __name__ == "__main__":
    sys.exit(main())
