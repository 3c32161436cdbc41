"""Logistic regression that stays finite where classes are apart, with weights that are not negative."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit


def penalised_loss(
    parameters: np.ndarray, x: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> float:
    """Minus the log-likelihood, minus half the log determinant of the information.

    Jeffreys' prior as a penalty: it removes the leading bias and keeps estimates finite under
    separation, without a parameter to choose (Firth 1993; Heinze and Schemper 2002).

    Args:
        parameters: float (k + 1,), intercept first.
        x: float (n, k); y: bool (n,); weight: float (n,), how often each case counts.
    """
    odds = parameters[0] + x @ parameters[1:]
    likelihood = float(weight @ np.where(y, log_expit(odds), log_expit(-odds)))
    chance = expit(odds)
    design = np.column_stack([np.ones(len(x)), x])
    information = design.T @ (design * (weight * chance * (1 - chance))[:, None])
    sign, log_determinant = np.linalg.slogdet(information)
    return float(-likelihood - 0.5 * log_determinant) if sign > 0 else np.inf


def fit_logistic(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Parameters, float (k + 1,), intercept first; the others are not negative.

    Args:
        x, y, weight: see ``penalised_loss``; both classes must occur, and no column of x may be
            constant.

    Raises:
        ValueError: no convergence.
    """
    start = np.concatenate([[0.0], np.ones(x.shape[1])])
    bounds = [(None, None), *[(0.0, None)] * x.shape[1]]
    fitted = minimize(penalised_loss, start, args=(x, y, weight), method="L-BFGS-B", bounds=bounds)
    if not fitted.success:
        raise ValueError(f"The curve could not be fitted: {fitted.message}.")
    return np.asarray(fitted.x)
