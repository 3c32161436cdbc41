"""When accounts are opened, used and closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillhunt_simulator.scenario import Persona, Scenario

_DAY = 86_400.0
_HOUR = 3_600.0
# Strangers, too, join during the period, and leave.
_NEWCOMERS = 0.18
_LEAVERS = 0.12
# Mean age of an account at its first use here, in days.
_AGES = {"long_ago": 240.0, "recently": 45.0, "for_this": 1.5}


@dataclass(frozen=True, slots=True)
class Span:
    """An account's life, in seconds from the start of the period.

    Attributes:
        created: when it was opened; mostly before the period.
        first: its first possible exchange.
        last: its last.
    """

    created: float
    first: float
    last: float


def spans(rng: np.random.Generator, scenario: Scenario, persona: Persona, n: int) -> list[Span]:
    """Draw the lives of a group's accounts."""
    if persona.lifetime_days is not None:
        return _chains(rng, scenario, persona, persona.lifetime_days, n)
    end = scenario.seconds
    stays = persona.ownership.declared or persona.beat in ("nightly", "runs")
    out = []
    for _ in range(n):
        first, last = 0.0, end
        created = -_age(rng, persona)
        if not stays and rng.random() < _NEWCOMERS:
            first = float(rng.uniform(0.0, 0.75)) * end
            created = first - float(rng.exponential(0.2)) * _DAY
        if not stays and rng.random() < _LEAVERS:
            last = first + float(rng.uniform(0.3, 0.9)) * (end - first)
        out.append(Span(created, first, last))
    return out


def _chains(
    rng: np.random.Generator, scenario: Scenario, persona: Persona, lifetime_days: float, n: int
) -> list[Span]:
    """Seats held by one account after another: when one is banned, the next steps in."""
    end = scenario.seconds
    holders = max(1, round(end / _DAY / lifetime_days))
    out: list[Span] = []
    while len(out) < n:
        here = min(holders, n - len(out))
        lasting = rng.uniform(0.6, 1.4, here)
        cuts = np.concatenate(([0.0], np.cumsum(lasting) / lasting.sum())) * end
        for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            first = min(low + (float(rng.uniform(0.5, 8.0)) * _HOUR if low else 0.0), high - 60.0)
            out.append(Span(first - _age(rng, persona), first, high))
    return out


def _age(rng: np.random.Generator, persona: Persona) -> float:
    """Seconds between opening an account and its first possible use."""
    return (float(rng.exponential(_AGES[persona.joined])) + 0.02) * _DAY
