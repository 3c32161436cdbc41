"""From comparisons to one score a window, and from scores to p-values by rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillhunt.scoring.window.histogram import Bins
from stillhunt.scoring.window.mixture import (
    Comparisons,
    log_mean_exp,
    log_ratios,
    ranges_of,
)
from stillhunt.scoring.window.rows import Floats

TOLD = 1.0
"""Nats that a change must add to the likelihood to be told."""


@dataclass(frozen=True)
class Change:
    """What changed in one feature.

    Attributes:
        feature: place among the bins' features; low, high: the range of its bins, from 0.
        now, before: share of exchanges in the range; weight: the feature's part in the score.
    """

    feature: int
    low: int
    high: int
    now: float
    before: float
    weight: float


class Baseline:
    """How much windows of a past that is taken to be ordinary differ from what came before them.

    A past window is judged by the other past windows, a new one by all of them; so neither has a
    part in its own yardstick (but for what a past window does to the yardsticks of the others).

    Args:
        past: comparisons of m past windows; none at all means that nothing but chance varies.
        bins: what was counted.
    """

    def __init__(self, past: Comparisons, bins: Bins) -> None:
        self._bins = bins
        m = len(past)
        features = len(bins.features)
        self._dispersion: list[Floats] = []
        parts = np.empty((m, features))
        for i in range(features):
            ranges = ranges_of(past, bins, i)
            total = ranges.error.sum(axis=0)
            self._dispersion.append(np.maximum(1.0, total / max(m, 1)))
            others = np.maximum(1.0, (total - ranges.error) / max(m - 1, 1))
            if m:
                parts[:, i] = log_mean_exp(log_ratios(ranges, others))
        n = max(m, 1)
        self._mean = parts.sum(axis=0) / n
        self._spread = _spread((parts**2).sum(axis=0) / n, self._mean)
        n = max(m - 1, 1)
        mean = (parts.sum(axis=0) - parts) / n
        spread = _spread(((parts**2).sum(axis=0) - parts**2) / n, mean)
        self.past_scores: Floats = log_mean_exp((parts - mean) / spread) if m else np.zeros(0)
        """Scores of the past windows, float64 (m,)."""

    def score(self, windows: Comparisons) -> tuple[Floats, Floats]:
        """Score new windows; large means changed.

        Each feature's average likelihood ratio is put on the scale of its own past: less its mean,
        over its standard deviation (at least 1, a log-ratio's natural unit). The score is the
        log-mean-exp over features: one changed feature suffices.

        Returns:
            (score (W,), by feature (W, F)).
        """
        parts = np.empty((len(windows), len(self._bins.features)))
        for i, dispersion in enumerate(self._dispersion):
            ranges = ranges_of(windows, self._bins, i)
            parts[:, i] = log_mean_exp(log_ratios(ranges, dispersion[None, :]))
        scaled = (parts - self._mean) / self._spread
        return log_mean_exp(scaled), scaled

    def changes(self, window: Comparisons, most: int = 3) -> list[Change]:
        """What changed most in one window, at most so many features, the weightiest first."""
        _, scaled = self.score(window)
        told: list[Change] = []
        for feature in np.argsort(-scaled[0], kind="stable").tolist():
            if scaled[0, feature] <= 0 or len(told) == most:
                break
            ranges = ranges_of(window, self._bins, feature)
            ratios = log_ratios(ranges, self._dispersion[feature][None, :]).max(axis=2)[0]
            best = int(np.argmax(ratios))
            if ratios[best] < TOLD:
                continue
            low, high = self._bins.features[feature].ranges[best].tolist()
            first = self._bins.features[feature].first
            told.append(
                Change(
                    feature,
                    low - first,
                    high - first,
                    float(ranges.now[0, best] / max(ranges.n[0, 0], 1.0)),
                    float(ranges.share[0, best]),
                    float(scaled[0, feature]),
                )
            )
        return told


def _spread(square: Floats, mean: Floats) -> Floats:
    result: Floats = np.maximum(np.sqrt(np.maximum(square - mean**2, 0.0)), 1.0)
    return result


@dataclass(frozen=True)
class Verdict:
    """A score beside past scores.

    Attributes:
        score: of the window; p: of the score; extrapolated: whether p is below what ranks can say.
    """

    score: float
    p: float
    extrapolated: bool


def verdict(score: float, past: Floats, level: float) -> Verdict:
    """The p-value of a score.

    By rank, (1 + past scores that reach it) / (1 + past scores): valid where windows are
    exchangeable (Vovk, Gammerman and Shafer 2005). Only where so few past windows cannot reach
    the level at all, and the score is above them, is the tail extrapolated.
    """
    m = len(past)
    p = float(1 + np.sum(past >= score)) / (1 + m)
    if 1 / (1 + m) <= level or p > 1 / (1 + m):
        return Verdict(score, p, extrapolated=False)
    return Verdict(score, min(p, tail_p(score, past)), extrapolated=True)


def tail_p(score: float, past: Floats) -> float:
    """A p-value for a score above all past scores: an extrapolation.

    Beyond the largest past score the chance of exceeding is taken to fall as one over the distance
    from the median, a Pareto tail of index one. Scores of ordinary windows are bursty; a lighter
    tail, fitted to the past, promised too much. At the largest past score this is the rank's p.
    """
    middle, largest = float(np.median(past)), float(np.max(past))
    return (largest - middle) / max(score - middle, 1e-9) / (1 + len(past))
