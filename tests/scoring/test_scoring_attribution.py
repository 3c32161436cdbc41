from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom

from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.linking.indicators import Totals, count_indicators
from stillhunt.linking.null_model import NullModel
from stillhunt.scoring.attribution import SURE, Attribution, Member, attribute, mark_own_exchanges
from stillhunt.scoring.features import MIN_USE
from sums import observe, sum_up

OPERATOR = np.arange(1, 11)
HARVEST = 10**9
"""Template of the operator."""
NOTHING = np.zeros(0, dtype=np.int64)


@dataclass
class Log:
    """Exchanges, each of an entity and with the templates it holds."""

    entity: list[int] = field(default_factory=list)
    templates: list[tuple[int, ...]] = field(default_factory=list)

    def send(self, entity: int, times: int, *templates: int) -> None:
        self.entity += [entity] * times
        self.templates += [templates] * times


def tables(folder: Path, log: Log, text: bool = True) -> tuple[Engine, Totals]:
    engine = DuckDBEngine(folder, threads=1)
    n = len(log.entity)
    item = pa.array(np.arange(n) if text else [None] * n, pa.int64())
    observe(
        engine,
        pa.table({"key": pa.array(range(n), pa.int64()), "account": log.entity, "item": item}),
    )
    engine.create("account_entity", "SELECT DISTINCT account, account AS entity FROM observations")
    engine.load("set_aside", pa.table({"entity": pa.array([], pa.int64())}))
    uses = [(i, log.entity[i], i, t) for i in range(n) for t in log.templates[i]]
    columns = list(zip(*uses, strict=True)) or [(), (), (), ()]
    names = ("key", "entity", "item", "template")
    engine.load(
        "exchange_template",
        pa.table({k: pa.array(v, pa.int64()) for k, v in zip(names, columns, strict=True)}),
    )
    engine.create(
        "incidence",
        "SELECT DISTINCT entity, 'template' AS family, template AS value FROM exchange_template",
    )
    sum_up(engine)
    return engine, count_indicators(engine)


def attributed(
    folder: Path, log: Log, clusters: list[np.ndarray], best_q: float = 1e-9, text: bool = True
) -> tuple[list[Attribution], dict[int, set[int]]]:
    """Attributions, and per cluster the exchanges that are counted."""
    engine, totals = tables(folder, log, text)
    with engine:
        mark_own_exchanges(
            engine, totals, NullModel(totals), clusters, [NOTHING] * len(clusters), 0.01
        )
        out = attribute(engine, clusters, {int(e): best_q for c in clusters for e in c})
        rows = engine.query("SELECT cluster, key FROM campaign_exchange").to_pylist()
    counted: dict[int, set[int]] = {i: set() for i in range(len(clusters))}
    for row in rows:
        counted[row["cluster"]].add(row["key"])
    return out, counted


def ordinary(log: Log, rng: np.random.Generator, entities: int = 400) -> None:
    """Customers who use public templates (1 to 40), some of them, and free-form text."""
    for entity in range(100, 100 + entities):
        for template in rng.choice(40, 2, replace=False):
            log.send(entity, int(rng.integers(1, 8)), int(template) + 1)
        log.send(entity, int(rng.integers(5, 25)))


def test_mixed_accounts_are_counted_only_for_the_harvest(tmp_path: Path) -> None:
    """Seven honest exchanges to three of the harvest: a reseller whose accounts serve both."""
    rng = np.random.default_rng(1)
    log = Log()
    ordinary(log, rng)
    harvested = set()
    for entity in OPERATOR.tolist():
        before = len(log.entity)
        log.send(entity, 30, HARVEST)
        harvested |= set(range(before, len(log.entity)))
        log.send(entity, 50)
        log.send(entity, 20, int(rng.integers(1, 41)))
    (result,), counted = attributed(tmp_path, log, [OPERATOR])
    assert counted[0] == harvested
    assert result.exchanges == 300
    assert result.low <= 300 <= result.high
    assert result.high - result.low < 30
    assert all(m.named and m.attributed == 30 and m.exchanges == 100 for m in result.members)


def test_membership_is_a_likelihood_ratio_of_two_binomials(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    log = Log()
    ordinary(log, rng)
    sent = {}
    for entity in OPERATOR.tolist():
        k, rest = int(rng.integers(3, 9)), int(rng.integers(20, 60))
        if entity <= 3:  # members in name only
            k = entity - 1
        sent[entity] = (k, k + rest)
        log.send(entity, k, HARVEST)
        log.send(entity, rest)
    for entity in (100, 101):  # the background is not zero
        log.send(entity, 1, HARVEST)
    (result,), _ = attributed(tmp_path, log, [OPERATOR], best_q=0.2)
    total = len(log.entity) - sum(n for _, n in sent.values())
    background = 2.5 / (total + 1)
    count, all_sent = (sum(v[i] for v in sent.values()) for i in (0, 1))
    share = (count + 0.5) / (all_sent + 1)
    assert result.background == pytest.approx(background)
    for member in result.members:
        k, n = sent[member.entity]
        brute = binom.logpmf(k, n, share) - binom.logpmf(k, n, background)
        assert member.content == pytest.approx(np.clip(brute, -12, 12), abs=1e-9)
        assert member.link == pytest.approx(np.log(0.8 / 0.2))
        odds = (member.content or 0) + member.link
        assert member.probability == pytest.approx(1 / (1 + np.exp(-odds)))
        assert member.named == (odds > 0 and k >= MIN_USE)
    nobody = next(m for m in result.members if m.entity == 1)
    assert not nobody.named  # no exchange to show for it
    assert any(m.named for m in result.members)


def test_a_weak_link_and_other_content_name_nobody(tmp_path: Path) -> None:
    log = Log()
    ordinary(log, np.random.default_rng(3))
    for entity in OPERATOR[:-1].tolist():
        log.send(entity, 40, HARVEST)
    log.send(10, 400)
    log.send(10, 1, HARVEST)
    (result,), counted = attributed(tmp_path, log, [OPERATOR], best_q=0.5)
    assert {m.entity for m in result.members if m.named} == set(range(1, 10))
    assert result.exchanges == 9 * 40 == len(counted[0])


def test_one_harvest_prompt_among_much_else_names_nobody_however_sure_the_link() -> None:
    """A stolen key, used once from the campaign's own machines: both signals are at their caps."""
    victim = Member(entity=1, exchanges=900, attributed=1, content=-SURE, link=SURE)
    assert victim.probability == 0.5
    assert not victim.named
    assert not replace(victim, attributed=MIN_USE - 1, content=SURE).named
    assert replace(victim, attributed=MIN_USE, content=-SURE + 0.1).named


def test_the_interval_brackets_the_count_and_allows_for_ordinary_use(tmp_path: Path) -> None:
    """Where others use the template too, some of the members' use may be ordinary."""
    low = {}
    for others in (0, 60):
        log = Log()
        ordinary(log, np.random.default_rng(4))
        for entity in range(100, 100 + others):
            log.send(entity, 3, HARVEST)
        for entity in OPERATOR.tolist():
            log.send(entity, 30, HARVEST)
            log.send(entity, 70)
        (result,), _ = attributed(tmp_path, log, [OPERATOR])
        assert 0 <= result.low <= result.exchanges <= result.high
        assert result.exchanges == 300
        low[others] = result.low
    assert low[60] < low[0]


def test_high_adds_what_accounts_that_mostly_harvest_sent_beside(tmp_path: Path) -> None:
    log = Log()
    ordinary(log, np.random.default_rng(5))
    for entity in OPERATOR.tolist():
        log.send(entity, 60 if entity <= 5 else 20, HARVEST)
        log.send(entity, 40 if entity <= 5 else 80)
    (result,), _ = attributed(tmp_path, log, [OPERATOR])
    assert result.exchanges == 5 * 60 + 5 * 20
    assert result.high == result.exchanges + 5 * 40


def test_high_adds_what_accounts_alike_sent_that_were_not_linked(tmp_path: Path) -> None:
    """All of who sends mostly this, as of named members; of who sends other things too, only this."""
    log = Log()
    ordinary(log, np.random.default_rng(8))
    for entity in OPERATOR.tolist():
        log.send(entity, 20 if entity == OPERATOR[0] else 50, HARVEST)
    log.send(int(OPERATOR[0]), 60)  # too mixed to be named, so that mixed accounts are alike
    alone, other = 900, 901
    log.send(alone, 40, HARVEST)
    log.send(alone, 7)
    log.send(other, 30, HARVEST)
    log.send(other, 45)
    (result,), _ = attributed(tmp_path, log, [OPERATOR])
    assert result.exchanges == 9 * 50
    assert result.high == 450 + (40 + 7) + 30


def test_a_public_template_is_nobodys_own(tmp_path: Path) -> None:
    """Members use what a hundred strangers use: it is no more theirs than anyone's."""
    log = Log()
    ordinary(log, np.random.default_rng(6))
    for entity in range(100, 400):
        log.send(entity, 4, 77)
    for entity in OPERATOR.tolist():
        log.send(entity, 30, HARVEST, 77)
        log.send(entity, 30, 77)
    _, counted = attributed(tmp_path, log, [OPERATOR])
    assert len(counted[0]) == 300


def test_clusters_keep_their_exchanges_apart(tmp_path: Path) -> None:
    log = Log()
    ordinary(log, np.random.default_rng(7))
    other = np.arange(21, 29)
    for entity in OPERATOR.tolist():
        log.send(entity, 30, HARVEST)
    for entity in other.tolist():
        log.send(entity, 25, HARVEST + 1)
    results, counted = attributed(tmp_path, log, [OPERATOR, other])
    assert [r.exchanges for r in results] == [300, 200]
    assert not counted[0] & counted[1]


def test_without_text_every_exchange_of_a_member_counts(tmp_path: Path) -> None:
    log = Log()
    for entity in [*OPERATOR.tolist(), *range(100, 150)]:
        log.send(entity, 12)
    (result,), counted = attributed(tmp_path, log, [OPERATOR], text=False)
    assert not result.has_templates
    assert result.exchanges == len(counted[0]) == 120
    assert all(m.content is None for m in result.members)
