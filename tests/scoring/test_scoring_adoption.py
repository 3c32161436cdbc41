from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import binom, false_discovery_control, poisson

import stillhunt.campaigns.investigate as the_investigation
from stillhunt import HuntRequest, hunt
from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.fingerprints.hashing import hash64
from stillhunt.linking.indicators import Totals, count_indicators
from stillhunt.linking.null_model import NullModel
from stillhunt.scoring import adoption
from stillhunt.scoring.adoption import adopt
from stillhunt.scoring.attribution import (
    SURE,
    log_ratio,
    mark_own_exchanges,
    template_shares,
    users_beside,
)
from sums import observe, sum_up

HARVEST, PUBLIC = 10**9, 7
"""Templates: the operator's, and one that everybody may use."""

OPERATOR = list(range(1, 13))
SMALL = list(range(51, 55))
"""The operator's accounts with too few addresses for a link of their own."""

NOTHING = np.zeros(0, dtype=np.int64)
LEVEL = 0.01


@dataclass
class Log:
    """Who sent what, from which addresses, and who pays."""

    sent: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    addresses: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    payers: dict[int, int] = field(default_factory=dict)

    def send(self, entity: int, times: int, *templates: int) -> None:
        self.sent += [(entity, templates)] * times

    def renamed(self, names: dict[int, int]) -> Log:
        addresses = {names[e]: a for e, a in self.addresses.items()}
        payers = {names[e]: p for e, p in self.payers.items()}
        return Log([(names[e], t) for e, t in self.sent], addresses, payers)

    @property
    def entities(self) -> list[int]:
        return sorted({e for e, _ in self.sent})


def tables(folder: Path, log: Log, licensed: Iterable[int] = ()) -> tuple[Engine, Totals]:
    folder.mkdir(exist_ok=True)
    engine = DuckDBEngine(folder, threads=1)
    n = len(log.sent)
    observe(
        engine,
        pa.table(
            {
                "key": pa.array(range(n), pa.int64()),
                "account": pa.array([e for e, _ in log.sent], pa.int64()),
                "item": pa.array(range(n), pa.int64()),
            }
        ),
    )
    engine.create("account_entity", "SELECT DISTINCT account, account AS entity FROM observations")
    engine.load("set_aside", pa.table({"entity": pa.array(list(licensed), pa.int64())}))
    uses = [(i, e, i, t) for i, (e, templates) in enumerate(log.sent) for t in templates]
    names = ("key", "entity", "item", "template")
    engine.load(
        "exchange_template",
        pa.table(
            {
                k: pa.array(v, pa.int64())
                for k, v in zip(names, zip(*uses, strict=True), strict=True)
            }
        ),
    )
    carried = [(e, "address", a) for e, all_ in log.addresses.items() for a in all_]
    carried += [(e, "payment", p) for e, p in log.payers.items()]
    carried += sorted({(e, "template", t) for _, e, _, t in uses})
    engine.load(
        "incidence",
        pa.table(
            {
                "entity": pa.array([c[0] for c in carried], pa.int64()),
                "family": pa.array([c[1] for c in carried], pa.string()),
                "value": pa.array([c[2] for c in carried], pa.int64()),
            }
        ),
    )
    sum_up(engine)
    return engine, count_indicators(engine)


def adopted(
    folder: Path,
    log: Log,
    clusters: list[list[int]],
    *,
    licensed: Iterable[int] = (),
    set_aside: Iterable[int] = (),
    level: float = LEVEL,
) -> dict[int, tuple[int, float]]:
    engine, totals = tables(folder, log, licensed)
    members = [np.array(c, dtype=np.int64) for c in clusters]
    with engine:
        null = NullModel(totals)
        mark_own_exchanges(engine, totals, null, members, [NOTHING] * len(members), LEVEL)
        aside = np.array(list(set_aside), dtype=np.int64)
        return adopt(engine, totals, null, members, aside, level)


def does_the_same(log: Log, entity: int) -> None:
    """Two exchanges in three hold the operator's template."""
    log.send(entity, 24, HARVEST)
    log.send(entity, 12)


def ordinary(log: Log, rng: np.random.Generator, entities: int = 500, alike: int = 0) -> None:
    """Customers with shared addresses, popular as 1 / rank, and public templates.

    The first so many do what the operator does instead.
    """
    popularity = 1.0 / np.arange(8, 1008)
    popularity /= popularity.sum()
    for entity in range(1000, 1000 + entities):
        busy = max(1, int(rng.lognormal(np.log(4), 0.6)))
        log.addresses[entity] = set(rng.choice(1000, busy, p=popularity).tolist())
        log.payers[entity] = entity
        if entity < 1000 + alike:
            does_the_same(log, entity)
        else:
            log.send(entity, int(rng.integers(10, 30)), PUBLIC + int(rng.integers(30)))


def harvest(log: Log, rng: np.random.Generator, small: Iterable[int] = SMALL) -> None:
    """An operator with a pool of its own, and accounts that have come to three addresses of it."""
    pool = np.arange(5000, 5015)
    for entity in OPERATOR:
        log.addresses[entity] = set(rng.choice(pool, 6, replace=False).tolist())
        log.payers[entity] = 6000 + entity
        does_the_same(log, entity)
    for entity in small:
        log.addresses[entity] = set(rng.choice(pool, 3, replace=False).tolist())
        log.payers[entity] = 6000 + entity
        does_the_same(log, entity)


def traffic(alike: int = 0) -> Log:
    """Ordinary customers, some of whom do what the operator does, and the operator."""
    rng = np.random.default_rng(1)
    log = Log()
    ordinary(log, rng, alike=alike)
    harvest(log, rng)
    return log


@pytest.fixture
def planted() -> Log:
    return traffic()


# Who is adopted, and who is not


def test_accounts_with_few_addresses_that_do_the_same_are_adopted(
    tmp_path: Path, planted: Log
) -> None:
    found = adopted(tmp_path, planted, [OPERATOR])
    assert set(found) == set(SMALL)
    assert all(cluster == 0 and 0 < q <= LEVEL for cluster, q in found.values())


def test_strangers_with_the_same_template_from_elsewhere_are_not(tmp_path: Path) -> None:
    """They are candidates, as their content is the cluster's; their addresses acquit them."""
    log = traffic(alike=20)
    everyone = adopted(tmp_path / "all", log, [OPERATOR], level=1.0)
    assert set(everyone) == {*SMALL, *range(1000, 1020)}
    assert set(adopted(tmp_path / "some", log, [OPERATOR])) == set(SMALL)


def test_strangers_with_the_same_addresses_and_other_content_are_not(
    tmp_path: Path, planted: Log
) -> None:
    near = list(range(61, 69))
    for i, entity in enumerate(near):
        planted.addresses[entity] = {5000 + i, 5001 + i, 5002 + i, 5003 + i}
        planted.send(entity, 40, PUBLIC)
    # One tried the template, among much else: that is no member's share.
    planted.send(near[0], 4, HARVEST)
    planted.send(near[1], 5, HARVEST)
    planted.send(near[1], 600)
    everyone = adopted(tmp_path / "all", planted, [OPERATOR], level=1.0)
    assert not set(near) & set(everyone)
    assert set(adopted(tmp_path / "some", planted, [OPERATOR])) == set(SMALL)


def test_a_payer_in_common_is_enough_where_few_share_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    log = Log()
    ordinary(log, rng, 1500)
    harvest(log, rng, small=())
    for entity in OPERATOR:
        log.payers[entity] = 6001
    for entity in SMALL[:2]:
        log.addresses[entity] = {8000 + entity}
        log.payers[entity] = 6001
        log.send(entity, 12, HARVEST)
    log.payers |= {e: 6002 + e % 2 for e in range(1000, 1020)}  # others share payers too
    level = 0.05
    assert set(adopted(tmp_path / "with", log, [OPERATOR], level=level)) == set(SMALL[:2])
    log.payers |= {e: 7000 + e for e in SMALL[:2]}
    assert adopted(tmp_path / "without", log, [OPERATOR], level=level) == {}


def test_licensed_and_set_aside_are_never_adopted(tmp_path: Path, planted: Log) -> None:
    found = adopted(
        tmp_path, planted, [OPERATOR], licensed=SMALL[:1], set_aside=SMALL[1:2], level=1.0
    )
    assert set(found) == set(SMALL[2:])


def test_nobody_is_adopted_where_there_is_no_cluster(tmp_path: Path, planted: Log) -> None:
    assert adopted(tmp_path, planted, []) == {}


def test_an_account_goes_to_the_cluster_it_shares_most_with(tmp_path: Path) -> None:
    """Two operators with one template: three of its addresses are one's, one is the other's."""
    rng = np.random.default_rng(3)
    log = Log()
    ordinary(log, rng)
    harvest(log, rng, small=())
    second = list(range(21, 33))
    for entity in second:
        log.addresses[entity] = {5100 + int(a) for a in rng.choice(15, 6, replace=False)}
        log.send(entity, 30, HARVEST)
    log.addresses[51] = {5000, 5101, 5102, 5103}
    log.addresses[52] = {5001, 5002, 5003, 5104}
    for entity in (51, 52):
        log.send(entity, 12, HARVEST)
    found = adopted(tmp_path, log, [OPERATOR, second])
    assert {e: c for e, (c, _) in found.items()} == {51: 1, 52: 0}


# How surely


def test_q_values_are_benjamini_hochberg_over_the_candidates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = p_values(monkeypatch)
    found = adopted(tmp_path, traffic(alike=30), [OPERATOR], level=1.0)
    assert len(found) == len(seen[0]) == len(SMALL) + 30
    q_values = sorted(q for _, q in found.values())
    assert q_values == pytest.approx(sorted(false_discovery_control(seen[0], method="bh")))


def test_p_is_of_all_shared_addresses_together(
    tmp_path: Path, planted: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the Poisson tail of the addresses in common, since payers had their chance too."""
    seen = p_values(monkeypatch)
    adopted(tmp_path / "run", planted, [OPERATOR], level=1.0)
    engine, totals = tables(tmp_path / "again", planted)
    with engine:
        carrying = NullModel(totals).carrying("address")
    degrees, popularities = (
        totals.degrees["address"][0].tolist(),
        totals.popularities["address"][0].tolist(),
    )
    users = Counter(a for all_ in planted.addresses.values() for a in all_)
    of_cluster = set().union(*(planted.addresses[e] for e in OPERATOR))
    for entity, p in zip(SMALL, seen[0], strict=True):
        mine = planted.addresses[entity]
        row = degrees.index(len(mine))
        expected = sum(carrying[row, popularities.index(users[a])] for a in of_cluster)
        brute = poisson.sf(len(mine & of_cluster) - 1, expected)
        assert p == pytest.approx(2 * brute, rel=1e-6)


def test_more_innocent_candidates_ask_for_more(tmp_path: Path) -> None:
    few = adopted(tmp_path / "few", traffic(), [OPERATOR], level=1.0)
    many = adopted(tmp_path / "many", traffic(alike=25), [OPERATOR], level=1.0)
    assert all(many[e][1] > few[e][1] for e in SMALL)


def test_p_values_of_strangers_are_no_smaller_than_uniform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody picks addresses and payers alike, the cluster too; one in twelve use its template."""
    seen = p_values(monkeypatch)
    false_adoptions = 0
    runs = 12
    for run in range(runs):
        rng = np.random.default_rng(100 + run)
        log = Log()
        ordinary(log, rng, alike=42)
        for entity in log.entities:
            log.payers[entity] = int(rng.integers(150))
        cluster = list(range(1000, 1012))
        found = adopted(tmp_path / str(run), log, [cluster], level=0.05)
        false_adoptions += bool(found)
    p = np.concatenate(seen)
    assert len(p) == runs * 30
    for at in (0.01, 0.05, 0.1, 0.2, 0.5):
        error = np.sqrt(at * (1 - at) / len(p))
        assert np.mean(p <= at) <= at + 3 * error, at
    assert np.mean(p < 1) > 0.3, "strangers must share something, or nothing is tested"
    assert false_adoptions <= binom.ppf(0.999, runs, 0.05)


def p_values(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Every array of p-values that is adjusted from now on."""
    seen: list[np.ndarray] = []
    adjust = adoption.adjust

    def spy(p: np.ndarray, tests: float) -> np.ndarray:
        seen.append(p)
        return adjust(p, tests)

    monkeypatch.setattr(adoption, "adjust", spy)
    return seen


# Names


def test_entities_names_change_nothing_and_stay_exact(tmp_path: Path, planted: Log) -> None:
    """Hashes of 63 bits, odd, so that a way through floating point would change every one."""
    rng = np.random.default_rng(4)
    fresh = rng.integers(-(2**62), 2**62, len(planted.entities)) * 2 + 1
    names = dict(zip(planted.entities, fresh.tolist(), strict=True))
    assert all(int(float(name)) != name for name in names.values() if abs(name) > 2**54)
    plain = adopted(tmp_path / "plain", planted, [OPERATOR])
    renamed = adopted(tmp_path / "renamed", planted.renamed(names), [[names[e] for e in OPERATOR]])
    assert all(type(e) is int for e in renamed)
    assert set(renamed) == {names[e] for e in plain}
    for entity, (cluster, q) in plain.items():
        assert renamed[names[entity]] == (cluster, pytest.approx(q, rel=1e-9))


def test_in_a_hunt_clusters_keep_exact_entities(
    tmp_path: Path, small_traffic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account is adopted into one of several clusters, whose others get nobody."""
    out = tmp_path / "out"
    request = HuntRequest(
        logs=(small_traffic / "exchanges.parquet",),
        out=out,
        accounts=small_traffic / "accounts.parquet",
    )
    hunt(request)
    before = {r["account"]: r for r in pq.read_table(out / "profiles.parquet").to_pylist()}
    alone = next(
        a
        for a, r in before.items()
        if r["cluster"] is None and r["entity"] == a and not r["licensed"]
    )
    entity = int(np.asarray(hash64(pa.array([alone]), "account"))[0])
    seen: list[np.ndarray] = []
    attribute = the_investigation.attribute

    def spy(engine: Engine, clusters: list[np.ndarray], best_q: dict[int, float]) -> Any:
        seen.extend(clusters)
        assert best_q[entity] == 1e-6
        return attribute(engine, clusters, best_q)

    monkeypatch.setattr(the_investigation, "adopt", lambda *_: {entity: (0, 1e-6)})
    monkeypatch.setattr(the_investigation, "attribute", spy)
    hunt(request)
    assert len(seen) > 1
    assert {c.dtype for c in seen} == {np.dtype(np.int64)}
    assert entity in seen[0].tolist()
    after = {r["account"]: r for r in pq.read_table(out / "profiles.parquet").to_pylist()}
    clusters = {r["cluster"] for r in before.values()}
    assert after[alone]["cluster"] in clusters - {None}
    # Members by links stay where they were.
    linked = {r["entity"] for r in pq.read_table(out / "link_members.parquet").to_pylist()}
    for account, row in before.items():
        if row["entity"] in linked and account != alone:
            assert after[account]["cluster"] == row["cluster"], account


# What it is chosen by


def test_users_beside_are_counted_by_exchange(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    log = Log()
    ordinary(log, rng, 300)
    for entity in OPERATOR:
        log.send(entity, 20, HARVEST, HARVEST + 1)
    log.send(51, 6, HARVEST, HARVEST + 1)  # two templates, one exchange
    log.send(51, 3, HARVEST)
    log.send(51, 10)
    log.send(52, 4, HARVEST)  # too few to be use
    log.send(53, 9, HARVEST)  # licensed
    engine, totals = tables(tmp_path, log, licensed=[53])
    with engine:
        members = np.array(OPERATOR)
        mark_own_exchanges(engine, totals, NullModel(totals), [members], [NOTHING], LEVEL)
        users = users_beside(engine)
    assert users.entity.dtype == np.int64
    rows = [c.tolist() for c in (users.cluster, users.entity, users.exchanges, users.own)]
    assert rows == [[0], [51], [19], [9]]
    assert len(users.of(0).entity) == 1
    assert len(users.of(1).entity) == 0


def test_background_is_what_everybody_else_sends(tmp_path: Path, planted: Log) -> None:
    planted.send(1000, 25, HARVEST)
    for entity in OPERATOR:
        planted.send(entity, 10)
    engine, totals = tables(tmp_path, planted)
    with engine:
        mark_own_exchanges(
            engine, totals, NullModel(totals), [np.array(OPERATOR)], [NOTHING], LEVEL
        )
        share, background = template_shares(engine, 1)[0]
    others = [t for e, t in planted.sent if e not in OPERATOR]
    assert background == pytest.approx((25 + 4 * 24 + 0.5) / (len(others) + 1))
    assert share == pytest.approx((12 * 24 + 0.5) / (12 * 46 + 1))


def test_a_background_above_the_members_share_still_has_a_ratio(tmp_path: Path) -> None:
    """Without own templates, or where everybody uses them, content says nothing."""
    log = Log()
    ordinary(log, np.random.default_rng(6), 100)
    log.send(1, 10)
    log.send(2, 10)
    engine, totals = tables(tmp_path, log)
    with engine:
        mark_own_exchanges(engine, totals, NullModel(totals), [np.array([1, 2])], [NOTHING], LEVEL)
        share, background = template_shares(engine, 1)[0]
    assert 0 < background < share < 1
    none = log_ratio(np.array([0]), np.array([10]), share, background)
    assert abs(float(none[0])) < 1


def test_log_ratio_is_of_two_binomials() -> None:
    rng = np.random.default_rng(7)
    n = rng.integers(1, 60, 50)
    k = rng.integers(0, n + 1)
    brute = binom.logpmf(k, n, 0.7) - binom.logpmf(k, n, 0.02)
    assert log_ratio(k, n, 0.7, 0.02) == pytest.approx(brute, abs=1e-9)
    # Five exchanges of a template that nobody else uses are as sure as a signal may be.
    assert log_ratio(np.array([5]), np.array([5]), 0.7, 0.02)[0] > SURE
