"""Are the entities of a sweep one? Tests on how much each does, and how long what it asks is.

Strangers who use one tool, or the same public template, have work of their own: they do as much of
it as they have, on texts as long as theirs are, and differ in both. One operator who divides a pool
among accounts gives each a part of it, and no part differs from another. Neither the number of
items nor their lengths had a part in forming the sweep, so they may test it.

The null hypothesis of each test is that the members spread at least EVEN times as much as customers
at large do: in the logarithm of their number of items ("pace"), or in their mean logarithm of words,
in units of the spread of single exchanges ("length"), so that a long common skeleton makes nobody
alike. Members who share an address count once, for they may be in one room. Under it, and a normal
distribution, (n - 1) times the ratio of variances is at least a chi-square variable of n - 1 degrees of
freedom, whose lower tail is the p-value. Location is free: a tool may serve large customers, or long
texts, only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.special import gammainc
from scipy.stats import norm

from stillhunt.engines.base import Engine
from stillhunt.linking.held_out import HeldOutTest
from stillhunt.linking.indicators import load_groups
from stillhunt.linking.sweeps import Sweep
from stillhunt.linking.usage import LOG_UNITS, log_of

PACE, LENGTH = ASPECTS = ("pace", "length")

EVEN = 0.5
"""Independent customers of one thing are taken to vary at least this much as customers at large do
(standard deviations). What is named on evenness alone rests on this assumption."""

MIN_SWEEP = 20
"""Own items from which on an entity's share of the work is measured: the logarithm of fewer has a
standard deviation of 1 / sqrt(20) = 0.22 and more by chance alone."""

MOST = 0.8
"""Share of a sweep's entities that must have so many. Of a group whose amounts differ, those above
a limit would be alike because of the limit."""

MIN_ENTITIES = 3
"""Two alike say nothing that a coincidence of two customers does not."""

MIN_OTHERS = 30
"""Customers needed to know how much customers vary; with fewer no sweep is tested."""

_ALIKE = 1.5  # a factor: what a reader would call about as much
_DECILES = 2 * norm.ppf(0.9)  # from the first to the last decile, in standard deviations


@dataclass(frozen=True)
class Customers:
    """Customers at large: entities with MIN_SWEEP exchanges or more in no sweep that is tested.

    Attributes:
        pace: float (c,), logarithm of the number of exchanges.
        length: float (k,), mean logarithm of words; noise: float (k,), its standard error; of those
            whose text is logged. within: standard deviation of single exchanges.
    """

    pace: np.ndarray
    length: np.ndarray
    noise: np.ndarray
    within: float

    @property
    def pace_spread(self) -> float:
        """Robust standard deviation of ``pace``."""
        return _spread(self.pace)

    @property
    def length_spread(self) -> float:
        """Robust standard deviation of true mean lengths, in units of ``within``."""
        if len(self.length) < MIN_OTHERS or self.within == 0.0:
            return 0.0
        between = _spread(self.length) ** 2 - float(np.mean(self.noise**2))
        return float(np.sqrt(max(between, 0.0))) / self.within


def evenness_tests(
    engine: Engine, sweeps: Sequence[Sweep], explained: Sequence[bool]
) -> list[list[HeldOutTest]]:
    """Tests of each sweep; none where a tool or a place explains it.

    Args:
        engine: with ``volume``, ``set_aside`` and what ``find_sweeps`` makes.
        sweeps: from ``find_sweeps``.
        explained: whether something innocent makes its entities alike.
    """
    cores = [core(sweep) for sweep in sweeps]
    tested = [
        not innocent and len(part.entities) >= max(MIN_ENTITIES, MOST * len(sweep.entities))
        for sweep, part, innocent in zip(sweeps, cores, explained, strict=True)
    ]
    # Those who may be operators' accounts must not say how customers vary.
    members = [s.entities for s, t in zip(sweeps, tested, strict=True) if t]
    customers = _customers(engine, np.concatenate([np.zeros(0, dtype=np.int64), *members]))
    if len(customers.pace) < MIN_OTHERS:
        return [[] for _ in sweeps]
    lengths = _lengths(engine, cores, tested)
    return [
        _tests(sweep, cores[i], lengths[i], customers) if tested[i] else []
        for i, sweep in enumerate(sweeps)
    ]


def core(sweep: Sweep) -> Sweep:
    """The sweep's members whose part is measured: MIN_SWEEP own items, and no more of one template
    than twice as much as the middle member's use is. Who copied one of several prompts has no part."""
    return sweep.only((sweep.items >= MIN_SWEEP) & ~_copied(sweep))


def _copied(sweep: Sweep) -> np.ndarray:
    """Who uses one of several templates only, bool (entities,)."""
    narrow = sweep.concentration
    copied: np.ndarray = narrow > 2 * np.median(narrow)
    return copied


def evenness_p(values: np.ndarray, spread: float) -> float:
    """Chance that independent customers' values are so alike.

    Args:
        values: float (n,), n >= 2.
        spread: standard deviation under the null hypothesis, positive. Sampling noise comes on top
            of it and is not reckoned with, which errs towards a larger p.
    """
    freedom = len(values) - 1
    total = float(np.var(values, ddof=1)) * freedom / spread**2
    return float(gammainc(freedom / 2, total / 2))


def _tests(
    sweep: Sweep, part: Sweep, lengths: tuple[np.ndarray, float], customers: Customers
) -> list[HeldOutTest]:
    tests: list[HeldOutTest] = []
    if customers.pace_spread > 0.0:
        # Of all but those who copied one prompt: a limit on the number itself would make them alike.
        whole = sweep.only(~_copied(sweep))
        amounts = of_places(np.log(whole.items), whole.place)
        tests += _one(PACE, amounts, EVEN * customers.pace_spread)
    length, within = lengths
    if within > 0.0 and customers.length_spread > 0.0:
        apart = of_places(length, part.place)
        tests += _one(LENGTH, apart, EVEN * customers.length_spread * within)
    return tests


def of_places(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """One value of each place, the one that is furthest from the middle of all.

    Who sits in one room does as much as the others there for a reason that is no operator: only places
    are independent of one another. The furthest value makes none more alike than they are.
    """
    distance = np.abs(values - np.median(values))
    order = np.lexsort((values, -distance, place))
    _, first = np.unique(place[order], return_index=True)
    chosen: np.ndarray = values[order][first]
    return chosen


def _one(family: str, values: np.ndarray, spread: float) -> list[HeldOutTest]:
    if len(values) < MIN_ENTITIES:
        return []
    alike = np.abs(values - np.median(values)) <= np.log(_ALIKE)
    expected = len(values) * float(2 * norm.cdf(np.log(_ALIKE) / spread) - 1)
    p_value = evenness_p(values, spread)
    return [HeldOutTest(family, len(values), int(alike.sum()), expected, p_value)]


def _spread(values: np.ndarray) -> float:
    low, high = np.quantile(values, (0.1, 0.9))
    return float((high - low) / _DECILES)


def _customers(engine: Engine, suspected: np.ndarray) -> Customers:
    rows = engine.query(
        f"""
        SELECT v.entity, v.exchanges, v.measured, v.log_words, v.log_words_squared
        FROM volume AS v LEFT JOIN set_aside AS a ON a.entity = v.entity
        WHERE a.entity IS NULL AND v.exchanges >= {MIN_SWEEP} ORDER BY v.entity
        """  # noqa: S608
    )
    entity, n, k = (np.asarray(rows.column(c)) for c in ("entity", "exchanges", "measured"))
    mean, variance = _moments(rows)
    other = ~np.isin(entity, suspected)
    written = other & (k >= MIN_SWEEP)
    within = _pooled(variance[written], k[written])
    noise = within / np.sqrt(np.maximum(k[written], 1))
    return Customers(np.log(n[other]), mean[written], noise, within)


def _moments(rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Mean of ln(1 + words) and its sample variance, from sums; NaN where too few were measured."""
    k, total, squared = (
        np.asarray(rows.column(c).cast(pa.float64()).to_numpy(), dtype=float)
        for c in ("measured", "log_words", "log_words_squared")
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / k / LOG_UNITS
        variance = np.maximum(squared - total**2 / k, 0.0) / (k - 1) / LOG_UNITS**2
    return mean, np.where(k > 1, variance, np.nan)


def _lengths(
    engine: Engine, parts: Sequence[Sweep], tested: Sequence[bool]
) -> list[tuple[np.ndarray, float]]:
    """Members' mean logarithm of words of what they sweep, and the spread of single exchanges.

    Args:
        engine: as of ``evenness_tests``.
        parts: of each sweep; tested: of which it is asked, nothing is said of the others.
    """
    nobody = np.zeros(0, np.int64)
    asked = list(zip(parts, tested, strict=True))
    load_groups(engine, "even_member", [p.entities if t else nobody for p, t in asked])
    load_groups(
        engine, "even_template", [p.templates if t else nobody for p, t in asked], "template"
    )
    rows = engine.query(
        f"""
        SELECT y.cluster, y.entity, COUNT(y.log_words) AS measured,
            CAST(SUM(y.log_words) AS BIGINT) AS log_words,
            CAST(SUM(y.log_words * y.log_words) AS BIGINT) AS log_words_squared
        FROM (
            SELECT MIN(m.cluster) AS cluster, MIN(t.entity) AS entity,
                {log_of("MIN(t.words)")} AS log_words
            FROM exchange_template AS t
            JOIN even_member AS m ON m.entity = t.entity
            JOIN even_template AS w ON w.template = t.template AND w.cluster = m.cluster
            GROUP BY t.key
        ) AS y
        GROUP BY y.cluster, y.entity ORDER BY y.cluster, y.entity
        """  # noqa: S608
    )
    cluster = np.asarray(rows.column("cluster"))
    out = []
    for i in range(len(parts)):
        own = rows.filter(pa.array(cluster == i))
        mean, variance = _moments(own)
        out.append((mean, _pooled(variance, np.asarray(own.column("measured")))))
    return out


def _pooled(variance: np.ndarray, k: np.ndarray) -> float:
    """Standard deviation of single exchanges of the middle entity; 0 where there is none.

    The middle one's, for one customer with very many exchanges must not speak for all.
    """
    known = variance[(k >= MIN_SWEEP) & ~np.isnan(variance)]
    return float(np.sqrt(np.median(known))) if len(known) else 0.0
