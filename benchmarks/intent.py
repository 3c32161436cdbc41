"""How well cues tell what a prompt asks for, leaving whole sources out; and how weights are made.

``python benchmarks/intent.py CORPORA`` prints, for every source file, what weights fitted without
that file say of it, row by row and in pools of 200 rows; ``--fit`` writes the shipped weights.

CORPORA holds ``extraction/*.jsonl.gz`` and ``benign/*.jsonl.gz``: one object a line with ``kind``,
``system`` and ``prompt``, one file a source. Files ``mea_*`` (random and task-related queries to
small classifiers: attack traffic of another sort) are never fitted, only reported.

The cue groups and the three constants below were settled while looking at these very tables, so
sources that nobody has looked at will fare somewhat worse.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.metrics import roc_auc_score

from stillhunt.fingerprints.cues import CUE_GROUPS, reference_cues
from stillhunt.fingerprints.intent import (
    ORDINARY,
    OUTCOMES,
    IntentWeights,
    harvest_log_odds,
    kind_log_odds,
)
from stillhunt.fingerprints.tokens import reference_tokens
from stillhunt.records.findings import KINDS

ROWS_PER_FILE = 800
POOL = 200
POOLS_PER_FILE = 20
RIDGE = 0.005
"""Penalty on squared moves away from the definition, where the weights of all rows sum to one."""

STRENGTH = 1.5
"""Weight that a group starts with for the kinds that it defines."""

ORDINARY_STRENGTH = 0.5
"""Factor for ordinary use: its cues also stand in the items that harvests are filled with."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Tables = list[IntentWeights]


class Rows(NamedTuple):
    """Rows of all files: masks (n,), kinds (n,) as class indices, file (n,) as index of names."""

    cues: Ints
    words: Ints
    classes: Ints
    file: Ints
    names: list[str]
    class_names: list[str]

    @property
    def harvest(self) -> npt.NDArray[np.bool_]:
        return self.classes < len(KINDS)

    @property
    def published_attack(self) -> npt.NDArray[np.bool_]:
        return np.array([name.startswith("mea_") for name in self.names])[self.file]


def read_rows(corpora: Path, per_file: int) -> Rows:
    """Read up to ``per_file`` rows of each file, drawn without replacement by a fixed seed."""
    paths = sorted(corpora.glob("benign/*.jsonl.gz")) + sorted(
        corpora.glob("extraction/*.jsonl.gz")
    )
    if not paths:
        raise SystemExit(
            f"No rows under {corpora}: give the folder that holds benign/, extraction/."
        )
    ordinary: dict[str, int] = {}
    columns: list[tuple[int, int, int, int]] = []
    for number, path in enumerate(paths):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        rows = random.Random(number).sample(rows, min(per_file, len(rows)))  # noqa: S311
        for row in rows:
            mask = words = 0
            for text in (row.get("system") or "", row.get("prompt") or ""):
                tokens = reference_tokens(text.encode("utf-8", "surrogatepass"))
                mask |= reference_cues(tokens)
                words += len(tokens)
            if path.parent.name == "extraction":
                number_of_class = KINDS.index(row["kind"])
            else:
                number_of_class = len(KINDS) + ordinary.setdefault(row["kind"], len(ordinary))
            columns.append((mask, words, number_of_class, number))
    table = np.array(columns, dtype=np.int64)
    return Rows(
        table[:, 0],
        table[:, 1],
        table[:, 2],
        table[:, 3],
        [path.name.removesuffix(".jsonl.gz") for path in paths],
        [*KINDS, *ordinary],
    )


def _bits(cues: Ints) -> Floats:
    return (cues[:, None] >> np.arange(len(CUE_GROUPS)) & 1).astype(np.float64)


def row_weights(rows: Rows, chosen: npt.NDArray[np.bool_]) -> Floats:
    """Weights (n,), one half for harvest and one for ordinary use, kinds and files within equal.

    A file that holds several kinds is shared out among them by its rows; a kind of which there is
    less than one file's worth weighs that much less.
    """
    weights = np.zeros(len(rows.cues))
    for side in (rows.harvest, ~rows.harvest):
        for kind in np.unique(rows.classes[chosen & side]):
            of_kind = chosen & (rows.classes == kind)
            sizes = {
                file: (chosen & (rows.file == file)).sum() for file in np.unique(rows.file[of_kind])
            }
            shares = {f: of_kind[rows.file == f].sum() / size for f, size in sizes.items()}
            for file, size in sizes.items():
                here = of_kind & (rows.file == file)
                weights[here] = 1.0 / size / max(1.0, sum(shares.values()))
        weights[chosen & side] /= 2 * weights[chosen & side].sum()
    return weights


def definition(class_names: list[str], strength: float) -> Floats:
    """Weights (groups, classes) before any data: what each group was written down for."""
    table = np.zeros((len(CUE_GROUPS), len(class_names)))
    for number, group in enumerate(CUE_GROUPS):
        for column, name in enumerate(class_names):
            if column < len(KINDS):
                table[number, column] = strength * (name in group.speaks_for)
            else:
                table[number, column] = (
                    ORDINARY_STRENGTH * strength * (ORDINARY in group.speaks_for)
                )
    return table


def fit(rows: Rows, chosen: npt.NDArray[np.bool_], ridge: float, strength: float) -> IntentWeights:
    """Fit the multinomial model on the chosen rows, without intercepts.

    What share a class has of the row weights is fixed beforehand, not fitted: so the weights of
    cues say what cues add, and a prompt without cues says nothing.
    """
    weights = row_weights(rows, chosen)
    # Equal masks of one class are one row: the fit then costs what the distinct masks cost.
    keys, where = np.unique(
        np.stack([rows.cues[chosen], rows.classes[chosen]]), axis=1, return_inverse=True
    )
    mass = np.bincount(where.ravel(), weights[chosen])
    features = _bits(keys[0])
    classes = len(rows.class_names)
    shares = np.bincount(rows.classes[chosen], weights[chosen], minlength=classes)
    prior = np.log(np.maximum(shares, 1e-12))
    target = np.zeros((len(mass), classes))
    target[np.arange(len(mass)), keys[1]] = 1.0

    start = definition(rows.class_names, strength)

    def loss(flat: Floats) -> tuple[float, Floats]:
        table = flat.reshape(features.shape[1], classes)
        scores = features @ table + prior
        log_p = scores - logsumexp(scores, axis=1, keepdims=True)
        value = -(mass[:, None] * log_p * target).sum()
        slope = features.T @ (mass[:, None] * (np.exp(log_p) - target))
        moved = table - start
        return value + ridge * float((moved**2).sum()), (slope + 2 * ridge * moved).ravel()

    found = minimize(
        loss,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 300},
    )
    table = found.x.reshape(features.shape[1], classes)
    table[:, shares == 0] = -30.0  # A class without a source here is no candidate.
    return IntentWeights(tuple(rows.class_names), table)


def leave_one_out(rows: Rows, ridge: float, strength: float) -> Tables:
    """Return, for every file, the weights fitted without it."""
    usual = ~rows.published_attack
    return [fit(rows, usual & (rows.file != f), ridge, strength) for f in range(len(rows.names))]


def held_out(rows: Rows, tables: Tables, shrink: float) -> tuple[Floats, Floats]:
    """Return log-odds (n,) and log-probabilities (n, 10), each row by weights without its file."""
    odds = np.zeros(len(rows.cues))
    log_p = np.zeros((len(rows.cues), len(OUTCOMES)))
    for file, weights in enumerate(tables):
        here = rows.file == file
        shrunk = IntentWeights(weights.classes, weights.table * shrink)
        odds[here] = harvest_log_odds(rows.cues[here], shrunk)
        log_p[here] = kind_log_odds(rows.cues[here], shrunk)
    return odds, log_p


def best_shrink(rows: Rows, tables: Tables) -> tuple[float, float]:
    """Return the factor by which held-out probabilities hold best, and the log loss it gives."""
    usual = ~rows.published_attack
    weights = row_weights(rows, usual)
    sign = np.where(rows.harvest, -1.0, 1.0)
    losses = {
        factor: float((weights * np.logaddexp(0.0, sign * held_out(rows, tables, factor)[0])).sum())
        for factor in np.round(np.arange(0.3, 1.01, 0.1), 2)
    }
    best = min(losses, key=losses.__getitem__)
    return float(best), losses[best]


def print_quality(rows: Rows, tables: Tables, shrink: float) -> None:
    """Print what left-out files got, row by row and in pools."""
    odds, log_p = held_out(rows, tables, shrink)
    usual = ~rows.published_attack
    per_row = 1.0 / np.bincount(rows.file)[rows.file]
    top = log_p.argmax(axis=1)
    kinds_only = log_p[:, : len(KINDS)].argmax(axis=1)
    print("Each file by weights fitted without it (mea_*: never fitted)\n")
    print(f"{'file':30} {'truth':9} {'n':>5} {'harvest':>8} {'log-odds':>8} {'no cue':>7}  top")
    for file, name in enumerate(rows.names):
        here = rows.file == file
        truth = "harvest" if rows.harvest[here][0] else "ordinary"
        outcome, count = Counter(top[here].tolist()).most_common(1)[0]
        print(
            f"{name[:30]:30} {truth:9} {here.sum():5d} {(odds[here] > 0).mean():8.2f} "
            f"{odds[here].mean():+8.2f} {(rows.cues[here] == 0).mean():7.2f}  "
            f"{OUTCOMES[outcome]} {count / here.sum():.2f}"
        )
    area = roc_auc_score(rows.harvest[usual], odds[usual], sample_weight=per_row[usual])
    recalls = [
        np.average((odds > 0)[usual & side] == flag, weights=per_row[usual & side])
        for side, flag in ((rows.harvest, True), (~rows.harvest, False))
    ]
    print("\nRows, left-out files, every file the same weight (mea_* not counted):")
    print(f"  AUC {area:.3f}; balanced accuracy {np.mean(recalls):.3f}", end="")
    print(f" (harvest {recalls[0]:.3f}, ordinary {recalls[1]:.3f})")
    print(f"  no cue: {np.average(rows.cues[usual] == 0, weights=per_row[usual]):.3f} of rows")
    print("  recall of kinds, as top outcome and as top kind given that it is a harvest:")
    for number, kind in enumerate(KINDS):
        here = usual & (rows.classes == number)
        if here.any():
            among = [
                np.average(guess[here] == number, weights=per_row[here])
                for guess in (top, kinds_only)
            ]
            print(f"    {kind:20} n {here.sum():5d}  {among[0]:.2f}  {among[1]:.2f}")
    print_pools(rows, odds, log_p)


def print_pools(rows: Rows, odds: Floats, log_p: Floats) -> None:
    """Print how pools of rows of one kind of one file come out, by their mean log-odds."""
    draw = np.random.default_rng(0)
    truth: list[bool] = []
    score: list[float] = []
    weight: list[float] = []
    table: dict[str, Counter[str]] = {}
    for file, name in enumerate(rows.names):
        kinds = [
            k for k in np.unique(rows.classes) if ((rows.file == file) & (rows.classes == k)).any()
        ]
        for kind in [] if name.startswith("mea_") else kinds:
            members = np.flatnonzero((rows.file == file) & (rows.classes == kind))
            for _ in range(POOLS_PER_FILE):
                pool = draw.choice(members, POOL)
                mean = float(odds[pool].mean())
                is_harvest = bool(rows.harvest[pool[0]])
                truth.append(is_harvest)
                score.append(mean)
                weight.append(1.0 / len(kinds))
                said = KINDS[int(np.exp(log_p[pool, : len(KINDS)]).mean(axis=0).argmax())]
                own = rows.class_names[kind] if is_harvest else f"({rows.class_names[kind]})"
                table.setdefault(own, Counter())[said if mean > 0 else ORDINARY] += 1
    flags, means, weights = np.array(truth), np.array(score), np.array(weight)
    recalls = [
        np.average(means[flags == f] > 0, weights=weights[flags == f]) for f in (True, False)
    ]
    print(f"\nPools of {POOL} rows of one kind of one left-out file (drawn with replacement):")
    print(f"  AUC {roc_auc_score(flags, means, sample_weight=weights):.3f}", end="")
    print(f"; called harvest: {recalls[0]:.3f} of harvest, {recalls[1]:.3f} of ordinary pools")
    print("  truth (ordinary kinds in brackets): called, share of pools")
    for own, said in table.items():
        parts = ", ".join(f"{k} {n / said.total():.2f}" for k, n in said.most_common(4))
        print(f"    {own:20} {parts}")


def write_weights(path: Path, weights: IntentWeights) -> None:
    """Write the shipped weights: numbers only, two decimals, one line a group."""
    lines = [
        f"    {json.dumps(group.name)}: {json.dumps([round(v, 2) + 0.0 for v in row.tolist()])}"
        for group, row in zip(CUE_GROUPS, weights.table, strict=True)
    ]
    made = (
        "Log-odds that a cue group adds to a class. Made by: python benchmarks/intent.py CORPORA "
        "--fit, on prompt templates and prompts published in public repositories, sources and "
        "kinds weighing the same; ridge towards the groups' definitions."
    )
    body = ",\n".join(lines)
    path.write_text(
        f'{{\n  "made": {json.dumps(made)},\n  "classes": {json.dumps(weights.classes)},\n'
        f'  "weights": {{\n{body}\n  }}\n}}\n',
        "utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("corpora", type=Path, help="folder that holds extraction/ and benign/")
    parser.add_argument("--fit", action="store_true", help="write the shipped weights")
    parser.add_argument("--rows", type=int, default=ROWS_PER_FILE, help="most rows of a file")
    given = parser.parse_args()
    rows = read_rows(given.corpora, given.rows)
    tables = leave_one_out(rows, RIDGE, STRENGTH)
    shrink, loss = best_shrink(rows, tables)
    print_quality(rows, tables, shrink)
    print(f"\nShrunk by {shrink} (chosen on left-out files; log loss {loss:.3f}, chance 0.693)")
    if given.fit:
        weights = fit(rows, ~rows.published_attack, RIDGE, STRENGTH)
        path = Path(str(files("stillhunt.fingerprints").joinpath("intent_weights.json")))
        write_weights(path, IntentWeights(weights.classes, weights.table * shrink))
        print(f"Wrote {path.name}")


if __name__ == "__main__":
    main()
