"""Are the entities of a sweep one? A test on how much each of them does.

Strangers who use one tool, or the same public template, have work of their own and do as much of it
as they have: their volumes differ by factors. One operator who divides a pool among accounts gives
each its quota. How much an entity does had no part in forming the sweep, so it may test it.

The null hypothesis is that the logarithms of the members' own items spread at least EVEN times as
much as customers' volumes do at large, as a normal distribution. Under it (n - 1) times the ratio
of variances is at least a chi-square variable of n - 1 degrees of freedom, whose lower tail is the
p-value. Location is free: a tool may serve large customers only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import gammainc
from scipy.stats import norm

from stillhunt.engines.base import Engine
from stillhunt.linking.held_out import HeldOutTest, LinkTest
from stillhunt.linking.sweeps import MIN_SWEEP, Sweep

EVEN = 0.5
"""Independent customers of one tool are taken to vary at least this much as customers at large do
(standard deviations of logarithms). What is named on volumes alone rests on this assumption."""

MIN_ENTITIES = 3
"""Two counts alike say nothing that a coincidence of two customers does not."""

MIN_OTHERS = 30
"""Customers needed to know how much customers vary; with fewer no sweep is tested."""

_FAMILY = "pace"
_ALIKE = 1.5  # a factor: what a reader would call about as much
_DECILES = 2 * norm.ppf(0.9)  # from the first to the last decile, in standard deviations


def pace_tests(engine: Engine, sweeps: Sequence[Sweep], linked: Sequence[bool]) -> list[LinkTest]:
    """Test each sweep; p = 1 where its items are common, or a tool explains it.

    Args:
        engine: with ``observations``, ``account_entity`` and ``set_aside``.
        sweeps: from ``find_sweeps``.
        linked: whether most of a sweep is one by its links already: then no tool explains it.
    """
    rows = engine.query(
        f"""
        SELECT m.entity, COUNT(*) AS n
        FROM observations AS o
        JOIN account_entity AS m ON m.account = o.account
        LEFT JOIN set_aside AS a ON a.entity = m.entity
        WHERE a.entity IS NULL
        GROUP BY m.entity HAVING COUNT(*) >= {MIN_SWEEP} ORDER BY m.entity
        """  # noqa: S608
    )
    entity, volume = (np.asarray(c) for c in rows.columns)
    tested = [
        sweep.divided and (known or not sweep.is_tool)
        for sweep, known in zip(sweeps, linked, strict=True)
    ]
    # Those who may be operators' accounts must not say how customers vary.
    members = [s.entities for s, t in zip(sweeps, tested, strict=True) if t]
    suspected = np.concatenate([np.zeros(0, dtype=np.int64), *members])
    others = np.log(volume[~np.isin(entity, suspected)])
    return [
        _test(sweep, others) if t else LinkTest(1.0, ())
        for sweep, t in zip(sweeps, tested, strict=True)
    ]


def _test(sweep: Sweep, others: np.ndarray) -> LinkTest:
    n = len(sweep.entities)
    if n < MIN_ENTITIES or len(others) < MIN_OTHERS:
        return LinkTest(1.0, ())
    low, high = np.quantile(others, (0.1, 0.9))
    spread = EVEN * float(high - low) / _DECILES
    if spread == 0.0:  # customers at large all do as much: nothing is even beside them
        return LinkTest(1.0, ())
    p_value = evenness_p(sweep.items, spread)
    alike = np.abs(np.log(sweep.items / np.median(sweep.items))) <= np.log(_ALIKE)
    expected = n * float(2 * norm.cdf(np.log(_ALIKE) / spread) - 1)
    return LinkTest(p_value, (HeldOutTest(_FAMILY, n, int(alike.sum()), expected, p_value),))


def evenness_p(counts: np.ndarray, spread: float) -> float:
    """Chance that independent customers' counts are so alike.

    Args:
        counts: int (n,), positive; n >= 2.
        spread: standard deviation of the logarithms under the null hypothesis. The Poisson noise of
            counts comes on top of it and is not reckoned with, which errs towards a larger p.
    """
    freedom = len(counts) - 1
    total = float(np.var(np.log(counts), ddof=1)) * freedom / spread**2
    return float(gammainc(freedom / 2, total / 2))
