"""The smallest campaign a run could have found, by injecting campaigns and looking for them.

So that "nothing found" means something. What is injected is a campaign as this run's null model
sees one: accounts that share addresses and payers by threes and use one template, as far as the
log covers these. Whether its behaviour would also have been told from ordinary use is not tried.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from stillhunt.engines.base import Engine
from stillhunt.linking.clusters import find_clusters
from stillhunt.linking.families import ADDRESS, CLIENT, NETWORK, PAYMENT, TEMPLATE
from stillhunt.linking.held_out import held_out_tests
from stillhunt.linking.indicators import Totals, count_indicators
from stillhunt.linking.links import Links, find_links, mark_telling
from stillhunt.linking.null_model import NullModel, adjust

SIZES: tuple[int, ...] = (2, 3, 5, 8, 16, 32)
REPEATS = 2
ADDRESSES = 3
SHARED_BY = 3
_FOUND = 0.8
_SEED = 7


def smallest_detectable(
    engine: Engine, totals: Totals, links: Links, fdr: float, clusters: int = 0
) -> dict[str, object]:
    """Inject campaigns, one size at a time, and see which are found.

    What is injected shares no entity and no value with what is there, so that only sums need to be put
    together, and the log's own incidence is not looked at again. Replaces the linking tables; call it
    when they are no longer needed.

    Args:
        engine: where tables are made.
        totals: of the incidence as it is; links: found in it.
        fdr: level of links and clusters.
        clusters: how many the hunt itself tested, for they count among the tests.

    Returns:
        For ``hunt.json``: ``accounts``, the least size of which all were found whole (None: none),
        what was assumed, and per size how many of REPEATS were.
    """
    rng = np.random.default_rng(_SEED)
    found = {}
    families: set[str] = set()
    for size in SIZES:
        rows, campaigns = _inject(totals, size, rng)
        families |= set(rows.column("family").to_pylist())
        engine.load("incidence", rows)
        together = totals.beside(count_indicators(engine))
        found[size] = _count_found(engine, together, links, campaigns, fdr, clusters)
    sizes = [size for size in SIZES if found[size] == REPEATS]
    missed = [size for size in SIZES if found[size] < REPEATS]
    return {
        "sentence": _sentence(sizes, missed, sorted(families)),
        "accounts": min(sizes, default=None),
        "missed_sizes": missed,
        "assumed": (
            f"each account uses {ADDRESSES} addresses, each address and payer serves about {SHARED_BY} "
            f"accounts, all use one template; injected families: {', '.join(sorted(families))}"
        ),
        "found_of": REPEATS,
        "found_by_size": {str(size): n for size, n in found.items()},
    }


def _count_found(
    engine: Engine,
    totals: Totals,
    there: Links,
    campaigns: list[np.ndarray],
    fdr: float,
    clusters: int,
) -> int:
    """How many of the injected campaigns are found whole; ``totals`` are of them and the log."""
    null = NullModel(totals)
    tests = mark_telling(engine, totals)
    links = find_links(engine, null, tests, fdr, there.surprising)
    formed = find_clusters(links)
    held_out = held_out_tests(engine, totals, null, links, formed)
    q_values = adjust(np.array([t.p_value for t in held_out]), max(len(held_out) + clusters, 1))
    return sum(
        any(
            q <= fdr
            and len(np.intersect1d(planted, cluster)) >= _FOUND * max(len(planted), len(cluster))
            for cluster, q in zip(formed, q_values, strict=True)
        )
        for planted in campaigns
    )


_SHARED = {ADDRESS: "addresses", PAYMENT: "payers", TEMPLATE: "a template"}


def _sentence(found: list[int], missed: list[int], families: list[str]) -> str:
    shared = " and ".join(name for family, name in _SHARED.items() if family in families)
    what = f"accounts that share {shared or 'nothing this log carries'}"
    if not found:
        return f"Planted campaigns of {min(missed)} to {max(missed)} {what} were not found whole in this log."
    sentence = f"Planted campaigns of {min(found)} {what} were found whole in this log"
    if missed:
        return f"{sentence}; of these sizes not every one was: {', '.join(map(str, missed))}."
    return f"{sentence}, and so were larger ones up to {max(found)}."


def _inject(
    totals: Totals, size: int, rng: np.random.Generator
) -> tuple[pa.Table, list[np.ndarray]]:
    """REPEATS campaigns of one size: rows of the incidence, and the entities of each."""
    entities: list[np.ndarray] = []
    families: list[str] = []
    values: list[np.ndarray] = []
    campaigns = []

    def fresh(n: int) -> np.ndarray:
        return rng.integers(-(2**62), 2**62, n)

    def add(family: str, entity: np.ndarray, value: np.ndarray) -> None:
        if totals.edges[family]:
            pairs = np.unique(np.column_stack([entity, value]), axis=0)
            entities.append(pairs[:, 0])
            values.append(pairs[:, 1])
            families.extend([family] * len(pairs))

    for _ in range(REPEATS):
        members = fresh(size)
        campaigns.append(members)
        pool = fresh(max(1, round(size * ADDRESSES / SHARED_BY)))
        payers = fresh(max(1, round(size / SHARED_BY)))
        used = np.repeat(members, min(ADDRESSES, len(pool)))
        picks = np.concatenate(
            [rng.choice(pool, min(ADDRESSES, len(pool)), replace=False) for _ in members]
        )
        add(ADDRESS, used, picks)
        add(NETWORK, used, picks ^ 1)
        add(PAYMENT, members, payers[np.arange(size) % len(payers)])
        add(TEMPLATE, members, np.repeat(fresh(1), size))
        add(CLIENT, members, fresh(size))
    table = pa.table(
        {
            "entity": pa.array(np.concatenate(entities) if entities else [], pa.int64()),
            "family": pa.array(families, pa.string()),
            "value": pa.array(np.concatenate(values) if values else [], pa.int64()),
        }
    )
    return table, campaigns
