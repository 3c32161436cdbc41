"""The statistic: a mixture alternative, scanned over every range of every feature.

A campaign that enters a window adds a share of exchanges that are alike in something, and leaves
the rest as it was. So the alternative is: a share e of the window comes from range I of some
feature, the rest as before. With r the range's share before, k of n exchanges in it now, its
likelihood ratio against "all as before" is

    ((1 - e) + e / r)^k (1 - e)^(n - k)

whose expectation is one where nothing changed. The ratios are averaged over ranges and shares
(Chan 2009, "Detection of spatial clustering with average likelihood ratio test statistics"), which
loses little to the best of them when few exchanges changed, where tests of the whole distribution
drown. A ratio is raised to the power 1 / phi, phi >= 1 being how much more than chance the range's
count has varied from window to window: customers send in bursts, and days differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillhunt.scoring.window.histogram import Bins
from stillhunt.scoring.window.rows import Floats

SHARES: tuple[float, ...] = (0.02, 0.1, 0.5)
"""Shares of the window that may be new."""

FEW = 2.0
"""Exchanges added to what a range held before, so that a handful where there was none is nothing:
ordinary customers do things by the handful, and how much a rare range varies cannot be measured."""


@dataclass(frozen=True)
class Comparisons:
    """W windows, each beside its own reference.

    Attributes:
        counts, before: float64 (W, bins), exchanges in each bin in the window and in its reference.
        known, known_before: float64 (W, features), exchanges that have the feature.
    """

    counts: Floats
    before: Floats
    known: Floats
    known_before: Floats

    def __len__(self) -> int:
        return len(self.counts)

    def take(self, index: npt.NDArray[np.int64]) -> Comparisons:
        """The comparisons of an index."""
        return Comparisons(
            self.counts[index], self.before[index], self.known[index], self.known_before[index]
        )

    @staticmethod
    def join(parts: list[Comparisons]) -> Comparisons:
        """Comparisons one after another; at least one part."""
        return Comparisons(
            *(
                np.concatenate([getattr(p, name) for p in parts])
                for name in ("counts", "before", "known", "known_before")
            )
        )


@dataclass(frozen=True)
class Ranges:
    """Every tested range of one feature, in W windows.

    Attributes:
        now: float64 (W, R) exchanges in it; n: (W, 1) exchanges that have the feature; share:
            (W, R) its share before, strictly between 0 and 1; error: (W, R) squared difference of
            ``now`` from what was expected, in units of the variance that chance gives it.
    """

    now: Floats
    n: Floats
    share: Floats
    error: Floats


def ranges_of(comparisons: Comparisons, bins: Bins, feature: int) -> Ranges:
    """Sum bins to the ranges of one feature."""
    spec = bins.features[feature]
    low, high = (spec.ranges - spec.first).T
    here = slice(spec.first, spec.first + spec.bins)
    now, before = (
        np.concatenate([np.zeros((len(comparisons), 1)), np.cumsum(c[:, here], axis=1)], axis=1)
        for c in (comparisons.counts, comparisons.before)
    )
    k = now[:, high] - now[:, low]
    n = comparisons.known[:, [feature]]
    n_before = comparisons.known_before[:, [feature]]
    share = (before[:, high] - before[:, low] + FEW) / (n_before + 2 * FEW)
    # The expectation is an estimate too, from n_before exchanges.
    variance = n * share * (1 - share) * (1 + n / np.maximum(n_before, 1.0))
    error = (k - n * share) ** 2 / np.maximum(variance, 1e-9)
    return Ranges(k, n, share, np.where(n > 0, error, 0.0))


def log_ratios(ranges: Ranges, dispersion: Floats) -> Floats:
    """Logarithms of likelihood ratios to the power 1 / dispersion, float64 (W, R, shares).

    Args:
        ranges: of W windows.
        dispersion: float64 (W, R) or (1, R), at least 1.
    """
    e = np.array(SHARES)
    r = ranges.share[:, :, None]
    k = ranges.now[:, :, None]
    n = ranges.n[:, :, None]
    inside = np.log1p(e * (1 / r - 1))
    phi = dispersion[:, :, None]
    result: Floats = (k * inside + (n - k) * np.log1p(-e)) / phi
    return result


def log_mean_exp(values: Floats) -> Floats:
    """Logarithm of the mean of exponentials over all axes but the first."""
    flat = values.reshape(len(values), -1)
    top = flat.max(axis=1)
    result: Floats = top + np.log(np.exp(flat - top[:, None]).mean(axis=1))
    return result
