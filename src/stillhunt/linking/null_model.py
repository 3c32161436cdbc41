"""The null model: how much co-occurrence to expect of strangers.

Entities pick indicators independently, given how busy each entity and how popular each indicator
is: the bipartite configuration model (Saracco et al. 2017, "Inferring monopartite projections of
bipartite networks"), in its sparse (Chung-Lu) form, in which entity i carries value x of family X
with probability k_i d_x / m_X. A count of entities is then a sum of independent indicators
(Poisson-binomial), whose upper tail the Poisson bounds for counts above the mean + 1 (Hoeffding 1956).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import poisson

from stillhunt.linking.indicators import Totals


def expected_pairs(totals: Totals, x: str, y: str, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Expected number of entities that carry both of two values.

    Args:
        totals: of the whole incidence.
        x, y: families.
        dx, dy: float (n,), entities that carry each value.

    Returns:
        float (n,): sum over entities i of (k_i^X d_x / m_X) (k_i^Y d_y / m_Y).
    """
    scale = totals.cross.get((x, y), 0.0) / (float(totals.edges[x]) * float(totals.edges[y]))
    return dx.astype(float) * dy.astype(float) * scale


def tail(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """P(Poisson(expected) >= count), float (n,); exact zero where it underflows."""
    return np.asarray(poisson.sf(np.asarray(counts) - 1, expected), dtype=float)


def log_tail(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Natural logarithm of ``tail``, finite where the tail underflows.

    Beyond the reach of floating point the leading term of the tail stands for it, which errs
    towards the larger probability by at most the geometric factor.
    """
    counts = np.asarray(counts, dtype=float)
    expected = np.maximum(np.asarray(expected, dtype=float), 1e-300)
    direct = np.asarray(poisson.logsf(counts - 1, expected), dtype=float)
    leading = np.asarray(poisson.logpmf(counts, expected), dtype=float)
    ratio = np.minimum(expected / (counts + 1), 1 - 1e-12)
    bound = np.minimum(leading - np.log1p(-ratio), 0.0)
    return np.where(np.isfinite(direct), direct, bound)


def adjust(p_values: np.ndarray, tests: float) -> np.ndarray:
    """Benjamini-Hochberg q-values when only some of all tests are at hand.

    Args:
        p_values: float (n,), the tests that were carried out; the others count as p = 1.
        tests: how many tests could have been made (>= n).

    Returns:
        float (n,), in the order given.
    """
    p = np.asarray(p_values, dtype=float)
    if len(p) == 0:
        return p
    order = np.argsort(p, kind="stable")
    raw = p[order] * float(tests) / np.arange(1, len(p) + 1)
    q = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    out = np.empty_like(q)
    out[order] = q
    return out
