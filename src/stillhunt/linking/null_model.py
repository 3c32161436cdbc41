"""The null model: how much co-occurrence to expect of strangers.

Entities pick indicators independently, given how busy each entity and how popular each indicator
is: the bipartite configuration model (Saracco et al. 2017, "Inferring monopartite projections of
bipartite networks"). Entity i carries value v with probability x_i y_v / (1 + x_i y_v), where the
fitnesses x, y are such that every entity's expected number of values, and every value's expected
number of entities, are the observed ones. Entities of one degree have one fitness, so the equations
are few whatever the traffic (Vallarano et al. 2021, "Fast and scalable likelihood maximization for
exponential random graph models"). A count of entities is a sum of independent indicators
(Poisson-binomial), whose upper tail the Poisson bounds beyond the mean + 1 (Hoeffding 1956).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc, gammaincinv, gammaln

from stillhunt.linking.indicators import Totals

_ROUNDS = 2000
_TOLERANCE = 1e-6


class NullModel:
    """Probabilities that entities carry values, by degree and popularity.

    Args:
        totals: of the incidence.
    """

    def __init__(self, totals: Totals) -> None:
        self._totals = totals
        self._tables: dict[str, np.ndarray] = {}
        self._pairs: dict[tuple[str, str], np.ndarray] = {}

    def carrying(self, family: str) -> np.ndarray:
        """float (degree classes, popularity classes): probability that an entity carries a value."""
        if family not in self._tables:
            self._tables[family] = solve_fitness(
                self._totals.degrees[family], self._totals.popularities[family]
            )
        return self._tables[family]

    def pairs(self, x: str, y: str, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """Expected number of entities that carry both of two values.

        Args:
            x, y: a pair of families in PAIRS.
            dx, dy: int (n,), entities that carry each value.

        Returns:
            float (n,): the sum over entities of the product of the two probabilities.
        """
        if len(dx) == 0:
            return np.zeros(0)
        if (x, y) not in self._pairs:
            self._pairs[x, y] = self._expected(x, y)
        expected: np.ndarray = self._pairs[x, y][self.kinds(x, dx), self.kinds(y, dy)]
        return expected

    def kinds(self, family: str, popularity: np.ndarray) -> np.ndarray:
        """int32 (n,): the class of each popularity of a family's values."""
        return np.searchsorted(self._totals.popularities[family][0], popularity).astype(np.int32)

    def least(self, x: str, y: str, level: float) -> np.ndarray:
        """How many entities must carry both values for a p-value of at most the level.

        Returns:
            int32 (popularity classes of x, of y); 2 or more, and rather one too few than one too many.
        """
        if (x, y) not in self._pairs:
            self._pairs[x, y] = self._expected(x, y)
        table = self._pairs[x, y]
        # The tail from n is at most the level up to this mean (see ``tail``); it grows with n.
        n = np.arange(2, 10 + 2 * int(np.ceil(table.max(initial=0.0) + 10 / level**0.5)))
        means = gammaincinv(n, min(level, 1.0)) * (1 + 1e-9)
        return (np.searchsorted(means, table) + 2).astype(np.int32)

    def _expected(self, x: str, y: str) -> np.ndarray:
        """float (popularity classes of x, of y): the expectation for values of these classes."""
        kx, ky, n = self._totals.joint[x, y]
        degrees_x, degrees_y = self._totals.degrees[x][0], self._totals.degrees[y][0]
        busy = np.zeros((len(degrees_x), len(degrees_y)))
        np.add.at(busy, (np.searchsorted(degrees_x, kx), np.searchsorted(degrees_y, ky)), n)
        expected: np.ndarray = self.carrying(x).T @ busy @ self.carrying(y)
        return expected

    def group(
        self, family: str, degrees: np.ndarray, of: np.ndarray, popularity: np.ndarray
    ) -> np.ndarray:
        """Expected number of a group's entities that carry a value.

        Args:
            family: of the values.
            degrees: int (3, m): group, an entity's number of values, how many of the group have it.
            of: int (n,), the group of each question.
            popularity: int (n,), entities that carry the value asked about.
        """
        if len(of) == 0:
            return np.zeros(0)
        classes = self._totals.degrees[family][0]
        members = np.zeros((int(max(of.max(), degrees[0].max(initial=0))) + 1, len(classes)))
        np.add.at(members, (degrees[0], np.searchsorted(classes, degrees[1])), degrees[2])
        expected: np.ndarray = (members @ self.carrying(family))[
            of, np.searchsorted(self._totals.popularities[family][0], popularity)
        ]
        return expected


def solve_fitness(degrees: np.ndarray, popularities: np.ndarray) -> np.ndarray:
    """Probabilities of the bipartite configuration model, by classes.

    Args:
        degrees: int (2, a), degrees and how many entities have each.
        popularities: int (2, b), popularities and how many values have each.

    Returns:
        float (a, b), probability that an entity of a degree carries a value of a popularity. Where a
        value is carried by all entities the equations have no finite solution; it is approached.
    """
    k, entities = degrees.astype(float)
    d, values = popularities.astype(float)
    if len(k) == 0 or len(d) == 0:
        return np.zeros((len(k), len(d)))
    root = np.sqrt(float(np.sum(k * entities)))
    x, y = k / root, d / root
    for _ in range(_ROUNDS):
        x = k / ((y / (1 + np.outer(x, y))) @ values)
        grown = 1 + np.outer(x, y)
        y = d / (entities @ (x[:, None] / grown))
        carried = np.outer(x, y)
        carried /= 1 + carried
        # y fits by construction to first order; what is left to meet are the entities' degrees.
        if np.max(np.abs(carried @ values - k) / k) < _TOLERANCE:
            break
    return carried


def tail(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """P(Poisson(expected) >= count), float (n,); exact zero where it underflows."""
    counts = np.asarray(counts, dtype=float)
    # The tail from k is the regularised lower incomplete gamma function P(k, expected).
    return np.asarray(np.where(counts > 0, gammainc(np.maximum(counts, 1.0), expected), 1.0))


def log_tail(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Natural logarithm of ``tail``, finite where the tail underflows.

    Beyond the reach of floating point the leading term of the tail stands for it, which errs
    towards the larger probability by at most the geometric factor.
    """
    counts = np.asarray(counts, dtype=float)
    expected = np.maximum(np.asarray(expected, dtype=float), 1e-300)
    probability = tail(counts, expected)
    reached = probability > 1e-290
    direct = np.log(probability, where=reached, out=np.zeros_like(probability))
    leading = counts * np.log(expected) - expected - gammaln(counts + 1)
    ratio = np.minimum(expected / (counts + 1), 1 - 1e-12)
    bound = np.minimum(leading - np.log1p(-ratio), 0.0)
    return np.asarray(np.where(reached, direct, bound))


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
