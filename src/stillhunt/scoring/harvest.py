"""Is it a harvest? A cluster against the provider's own ordinary customers.

Each signal is ranked among controls of similar volume, each rank is turned into evidence, and the
evidence adds up as log-odds. No labelled attack enters; the direction of a signal is what
harvesting means: answers to ever new items put through the same templates, worth training on. A
signal that is not covered adds nothing and is said to be missing.

A cluster is named only where this evidence at its face value, and the probability, both are in favour.
The probability adds what such evidence was worth in simulated traffic (``scoring.curve``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stillhunt.scoring.calibration import (
    conformal_p,
    log_evidence,
    log_odds,
    probability,
    ranks,
    strangers_odds,
)
from stillhunt.scoring.controls import alike_controls
from stillhunt.scoring.curve import Curve, shipped_curve
from stillhunt.scoring.features import Units

VETO = 0.15
"""A cluster that ranks less extreme than this among ordinary customers is not called a harvest. It only
vetoes: a cluster must also be more likely a harvest than not, and pass the link test."""

MOST_ORDINARY_TAKING = 0.25
"""To harvest is to take: whatever prompts seem to ask for, a cluster whose taking of new answers is not
in the upper quarter of its controls is none."""

PRIOR = 0.5
"""Chance, before looking at what was asked, that entities which act as one undeclared are a harvest
rather than lawful together. Indifference, until a provider's own verdicts say otherwise."""


@dataclass(frozen=True)
class Term:
    """One entry of the waterfall.

    Attributes:
        signal: short name; label: for people; evidence: what was seen, in plain words.
        log_odds: natural logarithm; None where the signal is not covered.
    """

    signal: str
    label: str
    evidence: str
    log_odds: float | None


@dataclass(frozen=True)
class HarvestScore:
    """What the comparison says of one cluster.

    Attributes:
        terms: entries that add up to ``score``; the first is the prior.
        score: log-odds that the cluster is one operator and a harvest, as calibrated.
        face_value: the same before calibration; whether the cluster is named rests on it.
        harvest_p: conformal rank of the behaviour among controls; None without controls.
        taking_p: conformal rank of new templated output alone; None where it is not covered.
        floor: the least rank so many controls allow; None without controls.
        controls: how many were compared with.
        payers: payment instruments that pay for it; None where unknown.
    """

    terms: tuple[Term, ...]
    score: float
    face_value: float
    harvest_p: float | None
    taking_p: float | None
    floor: float | None
    controls: int
    payers: int | None

    @property
    def probability(self) -> float:
        """1 - local false-discovery rate, as calibrated."""
        return probability(self.score)

    @property
    def face_probability(self) -> float:
        """The same before calibration."""
        return probability(self.face_value)


def score_clusters(
    units: Units, link_p: np.ndarray, prior: float = PRIOR, curve: Curve | None = None
) -> list[HarvestScore]:
    """Score each cluster.

    Args:
        units: from ``measure_units``.
        link_p: float (c,), p-value of each cluster's link test.
        prior: see PRIOR.
        curve: what evidence is worth; None: the shipped one.
    """
    curve = curve or shipped_curve()
    return [_score(units, i, float(link_p[i]), prior, curve) for i in range(units.clusters)]


def _score(units: Units, i: int, link_p: float, prior: float, curve: Curve) -> HarvestScore:
    near = alike_controls(units.exchanges, units.clusters, i)
    pool = np.concatenate([[i], near])
    signals = {
        "fresh_output": units.fresh_output[pool],
        "intent": units.intent[pool],
    }
    others = units.stands_for[near]
    # In the pool a cluster stands for as many as a control does on average.
    weight = np.concatenate([[np.mean(others) if len(near) else 1.0], others])
    evidence = {name: log_evidence(ranks(values, weight)) for name, values in signals.items()}
    damping = _damping(np.array(list(evidence.values()))[:, 1:], others)
    # What speaks for a harvest only: rewording silences intent, which must not excuse the taking.
    spoken = np.maximum(np.array(list(evidence.values())), 0.0)
    behaviour = damping * np.nansum(spoken, axis=0)
    covered = [name for name, values in evidence.items() if not np.isnan(values[0])]
    terms = [Term("prior", "Before looking", f"prior probability {prior:g}", log_odds(prior))]
    for name in signals:
        worth = float(damping * evidence[name][0]) if name in covered else None
        terms.append(Term(name, _LABELS[name], _describe(name, units, i, near), worth))
    terms.append(_payer_term(units, i))
    face = sum(t.log_odds for t in terms if t.log_odds is not None)
    terms.append(_calibration_term(terms, curve))
    score = face + (terms[-1].log_odds or 0.0)
    terms.append(
        Term(
            "link",
            "Might they be strangers?",
            f"held-out link test, p = {link_p:.2g}",
            _link_doubt(score, link_p),
        )
    )
    usable = bool(covered) and len(near) > 0
    return HarvestScore(
        terms=tuple(terms),
        score=score + (terms[-1].log_odds or 0.0),
        face_value=face + _link_doubt(face, link_p),
        harvest_p=conformal_p(float(behaviour[0]), behaviour[1:], others) if usable else None,
        taking_p=_taking_p(units.fresh_output[pool], others) if usable else None,
        floor=1.0 / (len(near) + 1) if usable else None,
        controls=len(near),
        payers=None if np.isnan(units.payers[i]) else int(units.payers[i]),
    )


def _link_doubt(score: float, link_p: float) -> float:
    """What the chance that the members are strangers after all takes off the whole, as log-odds."""
    both = probability(score) * probability(strangers_odds(link_p))
    return log_odds(min(max(both, 1e-12), 1 - 1e-12)) - score


def _calibration_term(terms: Sequence[Term], curve: Curve) -> Term:
    """What such evidence was worth in simulated traffic, beyond its face value."""
    evidence = {t.signal: t.log_odds for t in terms[1:]}  # the prior is no evidence
    worth = curve.log_bayes_factor(evidence)
    told = "not covered: no simulated cluster lacked what this log does not carry"
    if worth is not None:
        odds = f"{math.exp(worth):.0f} to 1" if worth >= 0 else f"1 to {math.exp(-worth):.0f}"
        told = (
            f"harvest to lawful as {odds} where evidence was like this, among {curve.planted:,} planted "
            f"and {curve.lawful:,} lawful clusters of {curve.providers} simulated providers, each hunted "
            "in twice"
        )
        worth -= math.fsum(e for e in evidence.values() if e is not None)
    return Term("calibration", _LABELS["calibration"], told, worth)


def _taking_p(fresh_output: np.ndarray, others: np.ndarray) -> float | None:
    if np.isnan(fresh_output[0]):
        return None
    return conformal_p(float(fresh_output[0]), fresh_output[1:], others)


def _damping(evidence: np.ndarray, stands_for: np.ndarray) -> float:
    """Factor that undoes double counting: signals that go together among controls count less.

    Evidence of independent signals has a variance that adds up; where the controls' sum varies
    more, the terms repeat one another and all are scaled by the ratio's square root.
    """
    covered = ~np.isnan(evidence).any(axis=0)
    if covered.sum() < 3:
        return 1.0
    weight, known = stands_for[covered], evidence[:, covered]
    apart = sum(_variance(values, weight) for values in known)
    together = _variance(np.sum(known, axis=0), weight)
    return float(np.sqrt(apart / together)) if together > apart > 0 else 1.0


def _variance(values: np.ndarray, weight: np.ndarray) -> float:
    mean = np.average(values, weights=weight)
    return float(np.average((values - mean) ** 2, weights=weight))


_LABELS = {
    "fresh_output": "New answers through the same templates",
    "intent": "What the prompts ask for",
    "payers": "Payers behind what acts as one",
    "calibration": "Calibration on simulated traffic",
}


def _describe(name: str, units: Units, i: int, near: np.ndarray) -> str:
    values = {"fresh_output": units.fresh_output, "intent": units.intent}[name]
    if np.isnan(values[i]):
        return "not covered: the log carries no text"
    known = near[~np.isnan(values[near])]
    others = values[known]
    typical = _middle(others, units.stands_for[known])
    if name == "fresh_output":
        return (
            f"{units.sweep[i]:.0%} of templated exchanges put a new item through, typical answer "
            f"{units.length[i]:,.0f} tokens: {values[i]:,.0f} tokens of new answer each, against "
            f"{typical:,.0f} in the middle of {len(others)} customers of like volume"
        )
    return (
        f"mean log-odds that a prompt asks for training material {values[i]:+.2f}, against "
        f"{typical:+.2f} in the middle of {len(others)} customers of like volume"
    )


def _middle(values: np.ndarray, weight: np.ndarray) -> float:
    """Weighted median, the mean of the two in the middle where no one is; NaN of nothing."""
    if len(values) == 0:
        return float("nan")
    order = np.argsort(values)
    below = np.cumsum(weight[order]) / weight.sum()
    low, high = np.searchsorted(below, [0.5 - 1e-9, 0.5 + 1e-9])
    return float(values[order][[low, high]].mean())


def _payer_term(units: Units, i: int) -> Term:
    """Told, and worth nothing: neighbours who have nothing to do with one another pay each for himself,
    a company once, and a harvest either way. Payers that members share count where they prove something,
    in the test of whether they are one.
    """
    label, payers = _LABELS["payers"], units.payers[i]
    if np.isnan(payers):
        return Term("payers", label, "not covered: payments unknown", None)
    told = f"{payers:.0f} payment instrument{'' if payers == 1 else 's'}"
    return Term(
        "payers",
        label,
        f"{told} for {units.paying[i]:,.0f} paying accounts; not weighed: neighbours pay each for himself",
        0.0,
    )
