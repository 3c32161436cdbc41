"""From comparisons to one score a window, and from scores to p-values by rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillhunt.scoring.window.histogram import Bins
from stillhunt.scoring.window.mixture import (
    Comparisons,
    dispersions,
    log_mean_exp,
    log_ratios,
    ranges_of,
)
from stillhunt.scoring.window.rows import Floats

TAIL = 0.2
"""Share of past scores on which the tail is fitted."""

MAX_PAST = 400
"""Past windows that are ranked against, the latest."""


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


def scores(
    comparisons: Comparisons, past: npt.NDArray[np.bool_], bins: Bins
) -> tuple[Floats, Floats]:
    """Score windows; large means changed.

    Each feature's average likelihood ratio is put on the scale of its own past: less the mean over
    the other past windows, over their standard deviation (at least 1, a log-ratio's natural unit).
    The score is the log-mean-exp over features: one changed feature suffices.

    Args:
        comparisons: of W windows; past: bool (W,), which are known to be ordinary.

    Returns:
        (score (W,), by feature (W, F)).
    """
    parts = np.empty((len(comparisons), len(bins.features)))
    for i in range(len(bins.features)):
        ranges = ranges_of(comparisons, bins, i)
        parts[:, i] = log_mean_exp(log_ratios(ranges, dispersions(ranges.error, past)))
    scaled = _by_the_others(parts, past)
    return log_mean_exp(scaled), scaled


def _by_the_others(values: Floats, past: npt.NDArray[np.bool_]) -> Floats:
    own = past[:, None].astype(np.float64)
    m = np.maximum(past.sum() - own, 1.0)
    known = values * own
    mean = (values[past].sum(axis=0) - known) / m
    square = ((values[past] ** 2).sum(axis=0) - known**2) / m
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    result: Floats = (values - mean) / np.maximum(spread, 1.0)
    return result


def rank_p(score: float, past: Floats) -> float:
    """(1 + past scores that reach it) / (1 + past scores): valid where windows are exchangeable."""
    return float(1 + np.sum(past >= score)) / (1 + len(past))


def tail_p(score: float, past: Floats) -> float:
    """A p-value beyond the ranks, from an exponential tail; an extrapolation.

    The largest TAIL of past scores, k of m, exceed a threshold u by b on average. For exponential
    exceedances the predictive chance of exceeding it by x is (1 + x / (k b))^-k, which allows for
    b being an estimate. Never below what that form gives, never used where the rank can speak.
    """
    ordered = np.sort(past)
    k = max(1, int(np.ceil(TAIL * len(ordered))))
    threshold = ordered[-k - 1] if k < len(ordered) else ordered[0]
    if score <= threshold:
        return rank_p(score, past)
    mean = float(np.mean(ordered[-k:] - threshold))
    reach = (k + 1) / (len(ordered) + 1)
    return float(reach * (1 + (score - threshold) / (k * max(mean, 1e-9))) ** -k)


def changes(
    comparison: Comparisons, bins: Bins, dispersion: list[Floats], parts: Floats, most: int
) -> list[Change]:
    """What changed most in one window.

    Args:
        comparison: of that window alone; dispersion: by feature, float64 (R,); parts: float64 (F,),
            the features' scores; most: changes to tell, one a feature.
    """
    told = []
    for feature in np.argsort(-parts)[:most]:
        if parts[feature] <= 0:
            break
        ranges = ranges_of(comparison, bins, int(feature))
        ratios = log_ratios(ranges, dispersion[feature][None, :]).max(axis=2)[0]
        best = int(np.argmax(ratios))
        low, high = bins.features[feature].ranges[best] - bins.features[feature].first
        told.append(
            Change(
                int(feature),
                int(low),
                int(high),
                float(ranges.now[0, best] / max(ranges.n[0, 0], 1.0)),
                float(ranges.share[0, best]),
                float(parts[feature]),
            )
        )
    return told
