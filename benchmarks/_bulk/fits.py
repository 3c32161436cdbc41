"""How a cost grows with size: the exponent of a power law, by least squares of logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import linregress


@dataclass(frozen=True, slots=True)
class Growth:
    """A fitted power law, ``cost = factor * size ** exponent``.

    Attributes:
        exponent, factor: of the law; error: standard error of the exponent, nan below three sizes.
    """

    exponent: float
    factor: float
    error: float


def fitted(sizes: Sequence[float], costs: Sequence[float]) -> Growth:
    """Fit a power law.

    Args:
        sizes, costs: positive, at least two different sizes.

    Raises:
        ValueError: fewer than two different sizes, or something that is not positive.
    """
    if len(set(sizes)) < 2 or min(*sizes, *costs) <= 0:
        raise ValueError("a power law needs two different sizes, and positive numbers")
    line = linregress(np.log(sizes), np.log(costs))
    error = float(line.stderr) if len(sizes) > 2 else float("nan")
    return Growth(float(line.slope), float(np.exp(line.intercept)), error)
