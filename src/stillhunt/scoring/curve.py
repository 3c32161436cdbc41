"""What evidence turned out to be worth: a curve fitted to simulated clusters.

Evidence from ranks is modest by construction: an e-value's expectation is bounded, whatever lawful
customers are like (``scoring.calibration``). What it is worth in fact can only be learnt where the
truth is known. ``benchmarks/fit_probability.py`` simulates providers, planted campaigns and lawful
togetherness alike, and writes ``curve.json`` beside this file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Curve:
    """Log Bayes factors, harvest against lawful togetherness, by weighted evidence: linear between
    knots and level beyond the outermost.

    Attributes:
        weights: signal to how much its log evidence counts, 1 for the one that counts most; none is
            negative.
        evidence: weighted sums of log evidence at the knots, rising.
        log_bayes_factors: at the knots, never falling.
        needed: signals without which it says nothing: no simulated cluster lacked them.
        providers: simulated providers it was fitted to; lawful, planted: clusters of theirs, over two
            hunts in each, with and without its accounts table.
        scenarios: what was simulated.
    """

    weights: Mapping[str, float]
    evidence: tuple[float, ...]
    log_bayes_factors: tuple[float, ...]
    needed: tuple[str, ...]
    providers: int
    lawful: int
    planted: int
    scenarios: tuple[str, ...]

    @property
    def bound(self) -> float:
        """Largest log Bayes factor, either way: ln n after n providers, so that even prior odds never
        become more than 1 - 1 / (n + 1). Clusters of one provider share luck and count once here.
        """
        return math.log(self.providers)

    def log_bayes_factor(self, evidence: Mapping[str, float | None]) -> float | None:
        """What the evidence is worth, of a cluster whose members act as one.

        Args:
            evidence: signal to its log evidence; None where it is not covered.

        Returns:
            Natural logarithm, within ``bound``; None where a needed signal is not covered.
        """
        if any(evidence.get(name) is None for name in self.needed):
            return None
        total = math.fsum(w * (evidence.get(name) or 0.0) for name, w in self.weights.items())
        worth = float(np.interp(total, self.evidence, self.log_bayes_factors))
        return min(max(worth, -self.bound), self.bound)

    def record(self) -> dict[str, Any]:
        """What ``hunt.json`` says of it."""
        return {
            "source": "simulated traffic, not any provider's, each hunted in with and without its "
            "accounts table (benchmarks/fit_probability.py)",
            "providers": self.providers,
            "lawful": self.lawful,
            "planted": self.planted,
            "scenarios": list(self.scenarios),
            "weights": dict(self.weights),
            "largest_bayes_factor": self.providers,
        }


def parse_curve(document: Mapping[str, Any]) -> Curve:
    """A curve from its JSON document.

    Raises:
        ValueError: there are no providers, or more evidence would count for less.
    """
    curve = Curve(
        weights={str(name): float(w) for name, w in document["weights"].items()},
        evidence=tuple(float(e) for e in document["evidence"]),
        log_bayes_factors=tuple(float(b) for b in document["log_bayes_factors"]),
        needed=tuple(document["needed"]),
        providers=int(document["providers"]),
        lawful=int(document["lawful"]),
        planted=int(document["planted"]),
        scenarios=tuple(document["scenarios"]),
    )
    if len(curve.evidence) != len(curve.log_bayes_factors) or not curve.evidence:
        raise ValueError("A curve needs as many Bayes factors as knots, and one at least.")
    if any(a >= b for a, b in pairwise(curve.evidence)):
        raise ValueError("The knots of a curve must rise.")
    if any(a > b for a, b in pairwise(curve.log_bayes_factors)) or min(curve.weights.values()) < 0:
        raise ValueError("More evidence must not count for less on a curve.")
    if curve.providers < 1:
        raise ValueError("A curve needs a provider that it was fitted to.")
    return curve


@cache
def shipped_curve() -> Curve:
    """The curve of this version."""
    text = files(__package__).joinpath("curve.json").read_text("utf-8")
    return parse_curve(json.loads(text))
