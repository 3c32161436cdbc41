"""Figures fitted to measured traffic, and their sources.

Printed by ``benchmarks/fit_traces.py``. Lengths are mixtures of log-normals.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True)
class Lengths:
    """A mixture of log-normals, over tokens.

    Attributes:
        shares: weight of each component, summing to one.
        mus: mean of the logarithm.
        sigmas: standard deviation of the logarithm.
    """

    shares: tuple[float, ...]
    mus: tuple[float, ...]
    sigmas: tuple[float, ...]


def log_normal(median: float, sigma: float) -> Lengths:
    """One log-normal, by its median."""
    return Lengths((1.0,), (log(median),), (sigma,))


CHAT = Lengths((0.6, 0.4), (4.5, 5.9), (0.6, 0.3))
CODE = Lengths((0.7, 0.3), (2.4, 3.6), (0.4, 0.9))
PROMPT_SPREAD = 0.85
GAPS = {"sessions": 3.0, "service": 2.5}
