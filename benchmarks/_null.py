"""Are the p-values of links valid? P(p <= t) <= t where the null hypothesis is true.

Traffic without campaigns gives real degrees: how many addresses, templates, payers an account has and
how popular each is. Then either everything is randomised (whatever conjunctions there are then are
chance), or only the family that a held-out test uses (real clusters, formed by real links, tested on
values that know nothing of them).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from _cells import one_core
from _estimates import bootstrap_upper, clopper_pearson, pooled, upper_limit
from _markdown import table
from _plots import write_null
from _randomised import configuration, swapped
from stillhunt.campaigns.ingest import ingest
from stillhunt.campaigns.request import HuntRequest, Progress
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.linking.clusters import find_clusters
from stillhunt.linking.entities import build_entities
from stillhunt.linking.families import ADDRESS, FAMILIES, HELD_OUT, NETWORK, PAIRS
from stillhunt.linking.held_out import held_out_tests
from stillhunt.linking.indicators import build_indicators, count_indicators
from stillhunt.linking.links import Carried, conjunctions, find_links, mark_telling
from stillhunt.linking.null_model import NullModel, tail
from stillhunt.linking.templates import build_templates
from stillhunt.readers import Quarantine
from stillhunt_simulator import scenarios, simulate

LEVEL = 0.01
CONJUNCTION_T: tuple[float, ...] = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
CLUSTER_T: tuple[float, ...] = (1e-3, 1e-2, 5e-2, 1e-1, 2e-1, 5e-1)

Shuffle = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
SHUFFLES: dict[str, Shuffle] = {"configuration model": configuration, "degrees kept": swapped}
Rows = dict[str, tuple[np.ndarray, np.ndarray]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of a run on nulls; ``--jobs``, ``--first-seed`` and ``--resume`` are shared."""
    group = parser.add_argument_group("p-values where strangers are strangers")
    group.add_argument("--null", action="store_true", help="check links' p-values under the null")
    group.add_argument("--null-seeds", type=int, default=20)
    group.add_argument("--null-exchanges", type=int, default=40_000, help="of each seed")
    group.add_argument("--null-draws", type=int, default=3, help="randomisations of each seed")


def main(asked: argparse.Namespace) -> int:
    """Run, print tables, write null.json and null.png."""
    folder = asked.resume or Path(f"null-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(asked.first_seed, asked.first_seed + asked.null_seeds)
    jobs = [(seed, asked.null_exchanges, asked.null_draws) for seed in seeds]
    with ProcessPoolExecutor(
        asked.jobs, mp_context=multiprocessing.get_context("spawn"), initializer=one_core
    ) as pool:
        found = list(pool.map(one_seed, *zip(*jobs, strict=True)))
    summary = summed(found)
    drawn = [c for c in summary["curves"] if c["tests"] and ":" not in c["what"]]
    (folder / "null.json").write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
    write_null(drawn, folder / "null.png")
    text = "\n".join(tables(summary))
    (folder / "null.md").write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0


def one_seed(seed: int, exchanges: int, draws: int) -> dict[str, Any]:
    """Counts of p-values of one clean traffic, randomised ``draws`` times in each way.

    Returns:
        ``counts``: by what is tested, the tests made and for each t how many p-values reach it;
        ``any_link``: by shuffle, draws in which anything was linked at LEVEL; ``draws``.
    """
    counts: dict[str, dict[str, Any]] = {}
    any_link = dict.fromkeys(SHUFFLES, 0)
    chance = np.random.default_rng([seed, 20260101])
    with tempfile.TemporaryDirectory(prefix="stillhunt-null-") as made:
        folder = Path(made)
        simulate(folder, seed=seed, exchanges=exchanges, scenario=scenarios.load("clean"))
        with DuckDBEngine(folder, threads=1) as engine:
            rows, network_of = _incidence(engine, folder)
            for name, shuffle in SHUFFLES.items():
                for _ in range(draws):
                    new = {f: shuffle(*rows[f], chance) for f in FAMILIES if f != NETWORK}
                    new[NETWORK] = _networks(*new[ADDRESS], network_of)
                    any_link[name] += _conjunctions(engine, new, counts, f"conjunctions, {name}")
                    for held in HELD_OUT:
                        part = {f: new[f] for f in held}
                        _held_out(engine, rows | part, held[0], counts, name)
    return {"counts": counts, "any_link": any_link, "draws": draws}


def _incidence(engine: DuckDBEngine, folder: Path) -> tuple[Rows, dict[int, int]]:
    """The traffic's incidence by family, and each address's network."""
    request = HuntRequest(
        logs=(folder / "exchanges.parquet",), out=folder / "none",
        accounts=folder / "accounts.parquet", threads=1,
    )  # fmt: skip
    with Quarantine(folder / "quarantine.jsonl") as quarantine:
        ingest(request, engine, folder, quarantine, Progress())
    build_entities(engine)
    build_templates(engine)
    build_indicators(engine)
    rows = {}
    for family in FAMILIES:
        found = engine.query(
            f"SELECT entity, value FROM incidence WHERE family = '{family}' ORDER BY entity, value"  # noqa: S608
        )
        rows[family] = (np.asarray(found.column("entity")), np.asarray(found.column("value")))
    pairs = engine.query(
        "SELECT DISTINCT address, network FROM observations WHERE address IS NOT NULL"
    )
    columns = (pairs.column(c).to_pylist() for c in ("address", "network"))
    return rows, dict(zip(*columns, strict=True))


def _networks(
    entity: np.ndarray, address: np.ndarray, network_of: dict[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """An address lies in its network, whoever uses it."""
    network = np.array([network_of[a] for a in address.tolist()], dtype=np.int64)
    pairs = np.unique(np.column_stack([entity, network]), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _load(engine: DuckDBEngine, rows: Rows) -> None:
    engine.load(
        "incidence",
        pa.table(
            {
                "entity": np.concatenate([e for e, _ in rows.values()]),
                "family": pa.array([f for f, (e, _) in rows.items() for _ in range(len(e))]),
                "value": np.concatenate([v for _, v in rows.values()]),
            }
        ),
    )


def _conjunctions(
    engine: DuckDBEngine, rows: Rows, counts: dict[str, dict[str, Any]], what: str
) -> bool:
    """Count the p-values of all conjunctions; tells whether any became a link."""
    _load(engine, rows)
    totals = count_indicators(engine)
    null = NullModel(totals)
    tests = mark_telling(engine, totals)
    for x, y in PAIRS:
        two = np.full_like(null.least(x, y, 1.0), 2)
        carried = ((family, Carried.read(engine, family)) for family in (x, y))
        _, _, dx, dy, n = conjunctions(null, *carried, two)
        p = tail(n, null.pairs(x, y, dx, dy))
        same = x == y
        possible = totals.shareable[x] * (totals.shareable[y] - same) / (2 if same else 1)
        _count(counts, f"{what}: {x} and {y}", p, possible, CONJUNCTION_T)
        _count(counts, what, p, possible, CONJUNCTION_T)
    return len(find_links(engine, null, tests, LEVEL)) > 0


def _held_out(
    engine: DuckDBEngine, rows: Rows, family: str, counts: dict[str, dict[str, Any]], shuffle: str
) -> None:
    """Count the p-values of tests on a randomised family, of clusters that the others form."""
    _load(engine, rows)
    totals = count_indicators(engine)
    null = NullModel(totals)
    links = find_links(engine, null, mark_telling(engine, totals), LEVEL)
    clusters = find_clusters(links)
    p = np.array(
        [
            test.p_value
            for tested in held_out_tests(engine, totals, null, links, clusters)
            for test in tested.tests
            if test.family == family
        ]
    )
    for what in (f"held out, {shuffle}", f"held out, {shuffle}: {family}"):
        _count(counts, what, p, len(p), CLUSTER_T)


def _count(
    counts: dict[str, dict[str, Any]],
    what: str,
    p: np.ndarray,
    possible: float,
    limits: tuple[float, ...],
) -> None:
    """Add to what there is; tests that could have been made and were not count as p = 1."""
    cell = counts.setdefault(what, {"tests": 0.0, "t": list(limits), "hits": [0] * len(limits)})
    cell["tests"] += possible
    cell["hits"] = [h + int((p <= t).sum()) for h, t in zip(cell["hits"], limits, strict=True)]


def summed(seeds: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Shares of p-values at most t, pooled over seeds, with limits that resample seeds."""
    found = list(seeds)
    curves = []
    for what in found[0]["counts"]:
        cells = [f["counts"][what] for f in found]
        tests = [c["tests"] for c in cells]
        for i, t in enumerate(cells[0]["t"]):
            hits = [c["hits"][i] for c in cells]
            ratio = pooled(hits, tests)
            curves.append(
                {
                    "what": what, "t": t, "tests": ratio.whole, "hits": int(ratio.part),
                    "share": ratio.value if ratio.whole else 0.0,
                    "upper": _upper(hits, tests),
                }
            )  # fmt: skip
    draws = sum(f["draws"] for f in found)
    return {
        "seeds": len(found),
        "draws": draws,
        "any_link": {name: sum(f["any_link"][name] for f in found) for name in SHUFFLES},
        "curves": curves,
    }


def _upper(hits: list[int], tests: list[float]) -> float:
    """Limit of a share by seeds; without hits or seeds to compare, the exact one for tests one by one."""
    if not sum(tests):
        return 1.0
    if not sum(hits) or len(hits) < 2:
        return upper_limit(sum(hits), round(sum(tests)))
    return bootstrap_upper(hits, tests)


def tables(summary: dict[str, Any]) -> list[str]:
    """P(p <= t) / t where all is randomised and where a held-out family is; then by pair."""
    whole = [c for c in summary["curves"] if ":" not in c["what"] and c["tests"]]
    worst: dict[str, dict[str, Any]] = {}
    for curve in summary["curves"]:
        if ":" in curve["what"] and curve["hits"]:
            known = worst.get(curve["what"])
            if known is None or curve["share"] / curve["t"] > known["share"] / known["t"]:
                worst[curve["what"]] = curve
    head = ("", "t", "tests", "p ≤ t", "P(p ≤ t) / t", "95 % limit, by seeds")
    lines = [
        table("P-values under the null; a ratio above 1 is a violation", head, map(_row, whole)),
        table("Each pair or family at its worst t", head, map(_row, worst.values())),
    ]
    for name, hits in summary["any_link"].items():
        low, high = clopper_pearson(hits, summary["draws"])
        lines.append(
            f"All randomised, {name}: {hits} of {summary['draws']} draws link anybody at q ≤ {LEVEL:g} "
            f"(95 % interval {low:.3f} to {high:.3f}).\n"
        )
    return lines


def _row(curve: dict[str, Any]) -> tuple[str, ...]:
    return (
        curve["what"], f"{curve['t']:g}", f"{curve['tests']:,.0f}", f"{curve['hits']:,}",
        f"{curve['share'] / curve['t']:.3f}", f"{curve['upper'] / curve['t']:.3f}",
    )  # fmt: skip
