"""Makes a store of observations in bulk: everybody first, then stretch by stretch, in processes."""

from __future__ import annotations

import multiprocessing
import pickle
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from _bulk.library import make_library
from _bulk.names import account_table, client_names, hashed
from _bulk.people import People, settle
from _bulk.rows import MOST_SLOTS, Maker
from _bulk.sizes import Size, bulk_scenario, library_scenario
from _bulk.store import TRUTH, Part, begin, finish, write_part
from stillhunt_simulator.scenario import Scenario

LIBRARY = 300_000
"""Simulated exchanges that those in bulk follow."""

STRETCH = 2_000_000
"""Exchanges that one process makes at a time; about two gigabytes while it does."""

_ACCOUNTS = "00000001"

_DAY, _HOUR = 86_400, 3_600


@dataclass(frozen=True, slots=True)
class Made:
    """A store that was made.

    Attributes:
        exchanges, accounts: in it; bytes, names_bytes: of observations and of names.
        preparing, writing: seconds.
    """

    exchanges: int
    accounts: int
    bytes: int
    names_bytes: int
    preparing: float
    writing: float


def generate(
    store: Path,
    size: Size,
    *,
    days: int = 7,
    seed: int = 7,
    jobs: int = 2,
    library: int = LIBRARY,
    stretch: int = STRETCH,
    hourly: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Made:
    """Write a store; the same arguments give the same rows.

    Args:
        store: folder, replaced.
        size: how much of everything.
        days: length of the period, at most ``MOST_SLOTS``.
        seed: source of all chance.
        jobs: processes; 1: this one.
        library: exchanges simulated as a pattern.
        stretch: exchanges made at a time.
        hourly: parts, and transactions, of an hour each rather than of a day and all in one.
        progress: told exchanges done, and of how many.

    Raises:
        ValueError: more days than there may be.
    """
    slot = _HOUR if hourly else _DAY
    if not 1 <= days * _DAY // slot <= MOST_SLOTS:
        raise ValueError(f"{days} days make no store of 1 to {MOST_SLOTS} parts in time")
    began = time.perf_counter()
    scenario = bulk_scenario(days)
    begin(store, scenario.start)
    pattern = make_library(library_scenario(days), seed, library)
    rng = np.random.default_rng(seed)
    people = settle(rng, scenario, size, pattern)
    accounts = account_table(people, scenario, seed)
    agents, tls = client_names(seed)
    pq.write_table(accounts, store / "accounts" / f"{_ACCOUNTS}.parquet", compression="zstd")
    pq.write_table(_truth(people, scenario, accounts), store / "truth.parquet", compression="zstd")
    maker = Maker(scenario, people, pattern, hashed(accounts, agents, tls), seed)
    state = store / ".making"
    state.write_bytes(pickle.dumps(maker, protocol=5))
    prepared = time.perf_counter()
    work = _stretches(rng, people, stretch)
    total, done = int(people.exchanges.sum()), 0
    parts: list[Part] = []
    orders = [(store, state, i, chosen, first, slot) for i, (chosen, first) in enumerate(work)]
    with ExitStack() as stack:
        run: Callable[..., Iterable[list[Part]]] = map
        if jobs > 1:
            # Not forked: Arrow and Numba have threads by now.
            context = multiprocessing.get_context("spawn")
            run = stack.enter_context(ProcessPoolExecutor(jobs, context)).map
        for written in run(_write, orders):
            parts += written
            done += sum(part.rows for part in written)
            progress(done, total)
    state.unlink()
    finish(store, _ACCOUNTS, parts)
    return Made(
        total,
        len(people),
        sum(part.bytes for part in parts),
        sum(part.names_bytes for part in parts),
        prepared - began,
        time.perf_counter() - prepared,
    )


def _stretches(
    rng: np.random.Generator, people: People, stretch: int
) -> list[tuple[np.ndarray, int]]:
    """Accounts of each stretch, by chance, and the row that its first exchange is."""
    order = rng.permutation(len(people))
    ends = np.cumsum(people.exchanges[order])
    count = max(1, round(int(ends[-1]) / stretch))
    cuts = np.searchsorted(ends, np.arange(1, count) * (int(ends[-1]) / count))
    firsts = [0, *(int(ends[c - 1]) if c else 0 for c in cuts)]
    return list(zip(np.split(order, cuts), firsts, strict=True))


@lru_cache(1)
def _maker(state: Path) -> Maker:
    made: Maker = pickle.loads(state.read_bytes())  # noqa: S301 - written by the parent
    return made


def _write(order: tuple[Path, Path, int, np.ndarray, int, int]) -> list[Part]:
    store, state, number, chosen, first, slot = order
    maker = _maker(state)
    known = maker.identities(chosen)
    return [
        write_part(
            store,
            f"{1 + (place if slot == _HOUR else 0):08d}-{number * (MOST_SLOTS + 1) + place:06d}",
            maker.scenario.start + timedelta(seconds=place * slot),
            observed,
            names,
            known,
        )
        for place, observed, names in maker.stretch(number, chosen, first, slot)
    ]


def _truth(people: People, scenario: Scenario, accounts: pa.Table) -> pa.Table:
    who = pa.array(people.persona)
    personas = scenario.personas
    return pa.table(
        [
            accounts.column("account"),
            pa.array([p.name for p in personas]).take(who),
            pa.array([p.campaign for p in personas], pa.string()).take(who),
            pa.array(people.exchanges),
        ],
        schema=TRUTH,
    )
