"""Calibration without a shape or a parameter to choose: Venn-Abers predictors."""

from __future__ import annotations

import numpy as np
from scipy.optimize import isotonic_regression


def venn_abers(score: np.ndarray, y: np.ndarray, weight: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Probability of y = 1 at each of some scores (Vovk and Petej 2014, "Venn-Abers predictors").

    The isotonic fit is made twice for each, as if the new case were 0 and as if it were 1; of the two
    probabilities p0 and p1 one is calibrated whatever the truth is. They are merged by minimax log
    loss to p1 / (1 - p0 + p1), which nears 1 or 0 only as fast as cases allow: beyond n cases that are
    all 1 it is (n + 1) / (n + 2) or less.

    Args:
        score: float (n,); y: bool (n,), the class; weight: float (n,), how often a case counts. A new
            one counts once.
        at: float (m,).

    Returns:
        Float (m,), rising with ``at``.
    """
    return np.array([_merged(score, y.astype(float), weight, s) for s in at])


def _merged(score: np.ndarray, y: np.ndarray, weight: np.ndarray, new: float) -> float:
    p0, p1 = (_isotonic(score, y, weight, new, label) for label in (0.0, 1.0))
    return p1 / (1.0 - p0 + p1)


def _isotonic(
    score: np.ndarray, y: np.ndarray, weight: np.ndarray, new: float, label: float
) -> float:
    """Isotonic fit with one case more, at that case; cases of one score are one case."""
    _values, inverse = np.unique(np.append(score, new), return_inverse=True)
    w = np.bincount(inverse, np.append(weight, 1.0))
    mean = np.bincount(inverse, np.append(weight * y, label)) / w
    return float(isotonic_regression(mean, weights=w).x[inverse[-1]])
