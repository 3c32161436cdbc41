"""From ranks to evidence to probabilities, and from probabilities to words."""

from __future__ import annotations

import math

import numpy as np

from stillhunt.records.chances import ICD_203, estimative_word

__all__ = [
    "ICD_203",
    "conformal_p",
    "estimative_word",
    "log_evidence",
    "log_odds",
    "probability",
    "ranks",
    "strangers_odds",
]

_DIGITS = 12  # weights are summed up in any order


def conformal_p(value: float, controls: np.ndarray, stands_for: np.ndarray | None = None) -> float:
    """Rank of a value among exchangeable controls, ties counted against it.

    Valid as a p-value whatever the distribution (Vovk, Gammerman and Shafer 2005): never below
    1 / (n + 1).

    Args:
        value: of the unit in question; large means suspicious.
        controls: float (n,), NaN where a control has no value.
        stands_for: float (n,), how many controls each is a sample of; by default itself. The rank is
            then an estimate of the one among all.
    """
    known = ~np.isnan(controls)
    weight = np.ones(len(controls)) if stands_for is None else stands_for
    weight = weight[known]
    own = float(np.mean(weight)) if len(weight) else 1.0
    reach = own + float(np.sum(weight[controls[known] >= value]))
    return round(reach / (own + float(np.sum(weight))), _DIGITS)


def ranks(values: np.ndarray, stands_for: np.ndarray) -> np.ndarray:
    """Of each of a pool the share, weighted, that reaches its value, itself among them; float (n,).

    Args:
        values: float (n,), NaN where there is none, and then NaN.
        stands_for: float (n,), weight of each.
    """
    out = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    ordered, place = np.unique(values[known], return_inverse=True)
    weight = np.bincount(place.ravel(), stands_for[known], len(ordered))
    reach = np.cumsum(weight[::-1])[::-1]
    out[known] = (reach / reach[0]).round(_DIGITS)[place.ravel()] if len(known) else 1.0
    return out


def log_evidence(p: np.ndarray | float) -> np.ndarray:
    """Natural logarithm of the e-value a p-value is worth, without a parameter to choose.

    The calibrator (1 - p + p ln p) / (p (ln p)^2) mixes the admissible k p^(k-1) evenly over k
    (Vovk and Wang 2021, "E-values: calibration, combination and applications"): its expectation
    under the null is at most one, so as a Bayes factor it does not flatter. p = 1 gives ln 1/2.
    """
    p = np.clip(np.asarray(p, dtype=float), 1e-300, 1.0)
    log = np.log(p)
    near_one = log > -1e-4  # where numerator and denominator cancel: series about p = 1
    safe = np.where(near_one, -1.0, log)
    value = np.log1p(-p + p * safe, where=~near_one, out=np.zeros_like(p)) - (
        log + 2 * np.log(-safe)
    )
    return np.asarray(np.where(near_one, math.log(0.5) - log / 3.0, value))


def strangers_odds(p_value: float, prior: float = 0.5) -> float:
    """Log-odds that a cluster's members do act as one, from the p-value of their link test.

    Args:
        p_value: of the held-out test.
        prior: share of tested clusters that do, before the test.

    Returns:
        Natural logarithm of odds, with the Bayes factor bounded by -e p ln p (Sellke, Bayarri and
        Berger 2001), which is the largest any prior on the alternative can give.
    """
    p = max(p_value, 1e-300)
    if p >= 1 / math.e:
        return math.log(prior / (1 - prior))
    return math.log(prior / (1 - prior)) - (1 + math.log(p) + math.log(-math.log(p)))


def log_odds(probability: float) -> float:
    """Natural logarithm of the odds of a probability strictly between 0 and 1."""
    return math.log(probability) - math.log1p(-probability)


def probability(odds: float) -> float:
    """Inverse of ``log_odds``, without overflow."""
    if odds >= 0:
        return 1.0 / (1.0 + math.exp(-odds))
    grown = math.exp(odds)
    return grown / (1.0 + grown)
