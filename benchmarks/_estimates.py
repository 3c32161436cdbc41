"""Estimates pooled over seeds, with errors that know that accounts of one seed are not independent.

A seed is one simulated provider: its accounts share templates, campaigns and luck. So a standard
error is taken between seeds (cluster-robust, by linearisation), and an interval that resamples
resamples whole seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, binomtest

DRAWS = 10_000
"""Bootstrap resamples."""

LEVEL = 0.95


def clopper_pearson(part: int, whole: int, level: float = LEVEL) -> tuple[float, float]:
    """Exact two-sided binomial interval (Clopper and Pearson 1934); (0, 1) where nothing was drawn."""
    rest = (1 - level) / 2
    low = float(beta.ppf(rest, part, whole - part + 1)) if part else 0.0
    high = float(beta.ppf(1 - rest, part + 1, whole - part)) if part < whole else 1.0
    return low, high


def upper_limit(part: int, whole: int, level: float = LEVEL) -> float:
    """Exact one-sided upper limit of a binomial rate; 1 where nothing was drawn."""
    return float(beta.ppf(level, part + 1, whole - part)) if part < whole else 1.0


@dataclass(frozen=True, slots=True)
class Ratio:
    """A rate pooled over seeds: sum of parts / sum of wholes.

    Attributes:
        part, whole: the sums.
        seeds: how many seeds they are over.
        error: cluster-robust standard error; nan with fewer than two seeds.
    """

    part: float
    whole: float
    seeds: int
    error: float

    @property
    def value(self) -> float:
        """The rate; nan where the whole is nothing."""
        return self.part / self.whole if self.whole else math.nan


def pooled(parts: Sequence[float], wholes: Sequence[float]) -> Ratio:
    """Pool a rate over seeds.

    Args:
        parts, wholes: one pair for each seed.

    Returns:
        The ratio of sums. Its error is that of a ratio estimator over clusters (Cochran 1977,
        Sampling Techniques, 6.4): sqrt(S / (S - 1) * sum (part - rate * whole)^2) / sum of wholes.
    """
    part, whole = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)
    total, seeds = float(whole.sum()), len(part)
    if seeds < 2 or not total:
        return Ratio(float(part.sum()), total, seeds, math.nan)
    residual = part - part.sum() / total * whole
    spread = seeds / (seeds - 1) * float(residual @ residual)
    return Ratio(float(part.sum()), total, seeds, math.sqrt(spread) / total)


def bootstrap_upper(
    parts: Sequence[float], wholes: Sequence[float], *, level: float = LEVEL, draws: int = DRAWS
) -> float:
    """Upper limit of a pooled rate by resampling whole seeds (percentile bootstrap, fixed seed).

    It is 0 where no seed has a part: the resamples then know of nothing else. The exact limit must
    be read beside it. nan with fewer than two seeds, or where nothing was drawn at all.
    """
    part, whole = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)
    if len(part) < 2 or not whole.sum():
        return math.nan
    picked = np.random.default_rng(20260101).integers(len(part), size=(draws, len(part)))
    totals = whole[picked].sum(axis=1)
    # A resample of seeds that named nobody has no rate; it cannot be a high one.
    rates = np.divide(part[picked].sum(axis=1), totals, out=np.zeros(draws), where=totals > 0)
    return float(np.quantile(rates, level))


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean over seeds and its standard error; nan where there are too few."""
    numbers = np.asarray(values, dtype=float)
    if len(numbers) == 0:
        return math.nan, math.nan
    if len(numbers) == 1:
        return float(numbers[0]), math.nan
    return float(numbers.mean()), float(numbers.std(ddof=1) / math.sqrt(len(numbers)))


def exceeds(part: int, whole: int, nominal: float) -> float:
    """P(at least so many) if each of ``whole`` had probability ``nominal``; 1 where none was drawn."""
    if not whole:
        return 1.0
    return float(binomtest(part, whole, nominal, alternative="greater").pvalue)


EDGES: tuple[float, ...] = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
"""Bins in which stated probabilities are set beside what came true. A limit belongs to the bin above
it, 1 to the last."""


def bin_of(probability: float) -> int:
    """Number of the bin that a probability falls into."""
    return min(int(np.searchsorted(EDGES, probability, side="right")) - 1, len(EDGES) - 2)


@dataclass(frozen=True, slots=True)
class Bin:
    """Probabilities of one bin beside what came true.

    Attributes:
        low, high: its limits; count: probabilities in it; stated: their mean; true: the share that
            came true, over seeds.
    """

    low: float
    high: float
    count: int
    stated: float
    true: Ratio


def reliability(cells: Sequence[Sequence[tuple[int, float, int]]]) -> list[Bin]:
    """Pool binned probabilities over seeds.

    Args:
        cells: for each seed and each bin: how many, sum of the probabilities, how many came true.

    Returns:
        The bins that hold anything.
    """
    found = []
    for i in range(len(EDGES) - 1):
        counts = [cell[i][0] for cell in cells]
        if sum(counts):
            stated = sum(cell[i][1] for cell in cells) / sum(counts)
            true = pooled([cell[i][2] for cell in cells], counts)
            found.append(Bin(EDGES[i], EDGES[i + 1], sum(counts), stated, true))
    return found
