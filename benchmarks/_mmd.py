"""Maximum mean discrepancy between windows, as arXiv 2606.05725 uses it; written from the paper.

A window's score is the mean of the squared discrepancies (Gretton et al. 2012, "A kernel two-sample
test") to REPEATS windows drawn from the benign reference. The paper's threshold comes from single
draws of two benign windows, which vary more than a mean of twenty does; at a threshold taken from
scores of benign windows its test is the better for it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REPEATS = 20
"""Reference draws that a score averages."""

NULL_DRAWS = 100
QUANTILE = 0.99
"""Single benign-against-benign draws, and the quantile of them, that make the paper's threshold.
The quantile is ours: at this one its printed rate of benign false alarms comes out about right."""


def gaussian_kernel(vectors: Floats, benign: Ints, rng: np.random.Generator) -> Floats:
    """Kernel matrix, float64 (n, n); the bandwidth is the median distance between benign rows."""
    square = (vectors**2).sum(axis=1)
    distance = np.maximum(square[:, None] + square[None, :] - 2 * vectors @ vectors.T, 0.0)
    some = rng.choice(benign, size=min(len(benign), 500), replace=False)
    pairs = distance[np.ix_(some, some)][np.triu_indices(len(some), k=1)]
    kernel: Floats = np.exp(-distance / (2 * np.median(pairs)))
    return kernel


class Discrepancy:
    """Squared discrepancies between drawn windows, and the paper's score.

    Args:
        kernel: float64 (n, n) over all rows of one pair; reference: rows of the benign pool;
            size: exchanges in a window; rng: what draws.
    """

    def __init__(self, kernel: Floats, reference: Ints, size: int, rng: np.random.Generator):
        self._kernel = kernel
        self._draws = self._weights([_drawn(reference, size, rng) for _ in range(REPEATS)])
        self._means = self._draws @ kernel
        self._own = np.einsum("ij,ij->i", self._means, self._draws)
        # Of disjoint halves, as a tested window shares no row with the reference either.
        halves = [np.array_split(rng.permutation(reference), 2) for _ in range(NULL_DRAWS)]
        one, other = (
            self._weights([_drawn(half[i], size, rng) for half in halves]) for i in (0, 1)
        )
        difference = one - other
        null = np.einsum("ij,ij->i", difference @ kernel, difference)
        self.paper_threshold = float(np.quantile(null, QUANTILE))
        """QUANTILE of the discrepancies of single benign draws."""

    def _weights(self, windows: list[Ints]) -> Floats:
        rows = len(self._kernel)
        return np.array([np.bincount(w, minlength=rows) / len(w) for w in windows])

    def score(self, window: Ints) -> float:
        """Mean squared discrepancy to REPEATS reference draws."""
        w = self._weights([window])[0]
        own = float(w @ self._kernel @ w)
        cross = self._means[:REPEATS] @ w
        return float(np.mean(own + self._own[:REPEATS] - 2 * cross))


def _drawn(pool: Ints, size: int, rng: np.random.Generator) -> Ints:
    return rng.choice(pool, size, replace=size > len(pool))
