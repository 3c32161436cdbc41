"""Which exchange happens when, by whom and in which form: compact arrays, in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stillhunt_simulator.clock import Ints, Presence, rank, times
from stillhunt_simulator.population import Population
from stillhunt_simulator.scenario import Persona, Scenario
from stillhunt_simulator.texts.vocabulary import LANGUAGE_SHARES

# Most of what a person writes is in one language; a program sends what it is given.
_FAITHFUL = 0.85


@dataclass(frozen=True, slots=True)
class Plan:
    """One row per exchange, sorted by time.

    Attributes:
        time: microseconds from the start of the scenario.
        account: index into the population's accounts.
        form: index into the population's forms.
        item: index into the group's pool, or -1 for a new item.
        language: index into ``LANGUAGES``.
    """

    time: NDArray[np.int64]
    account: NDArray[np.int32]
    form: NDArray[np.int32]
    item: NDArray[np.int32]
    language: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.time)


def plan(
    rng: np.random.Generator, scenario: Scenario, population: Population, exchanges: int
) -> Plan:
    """Lay out a simulation of exactly ``exchanges`` exchanges."""
    members: list[list[int]] = [[] for _ in scenario.personas]
    for index, account in enumerate(population.accounts):
        members[account.persona].append(index)
    parts = [
        _persona(rng, persona, population, np.array(accounts), volume)
        for persona, accounts, volume in zip(
            scenario.personas, members, _volumes(scenario, exchanges), strict=True
        )
    ]
    time, who, form, item = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(time, kind="stable")
    main = np.array([account.language for account in population.accounts])[who]
    person = np.array(
        [scenario.personas[a.persona].beat == "sessions" for a in population.accounts]
    )
    other = rng.choice(len(LANGUAGE_SHARES), size=len(who), p=LANGUAGE_SHARES)
    language = np.where(person[who] & (rng.random(len(who)) < _FAITHFUL), main, other)
    return Plan(
        time=time[order],
        account=who[order].astype(np.int32),
        form=form[order].astype(np.int32),
        item=item[order].astype(np.int32),
        language=language[order].astype(np.int8),
    )


def _volumes(scenario: Scenario, exchanges: int) -> list[int]:
    """Exchanges per persona: whole numbers in proportion to the shares, summing to the total."""
    shares = np.array([persona.share for persona in scenario.personas])
    edges = np.round(np.concatenate(([0.0], np.cumsum(shares))) / shares.sum() * exchanges)
    return [int(n) for n in np.diff(edges)]


def _persona(
    rng: np.random.Generator,
    persona: Persona,
    population: Population,
    accounts: Ints,
    volume: int,
) -> tuple[Ints, Ints, Ints, Ints]:
    """Times, accounts, forms and items of one persona's exchanges."""
    people = [population.accounts[i] for i in accounts]
    who = np.repeat(np.arange(len(people)), _split(rng, volume, len(people), persona.spread))
    seconds = times(
        rng,
        persona.beat,
        who,
        Presence(
            np.array([a.opened for a in people]),
            np.array([a.closed for a in people]),
            np.array([a.zone for a in people]),
        ),
        persona.writing.pool,
    )
    form = np.empty(volume, dtype=np.int64)
    item = np.full(volume, -1, dtype=np.int64)
    place = rank(who)
    group_of = np.array([a.group for a in people])[who]
    swept = persona.beat in ("nightly", "runs")
    edges = np.flatnonzero(np.diff(group_of, prepend=-1, append=-1))
    for low, high in pairwise(edges.tolist()):
        group = population.groups[int(group_of[low])]
        form[low:high] = rng.choice(group.forms, size=high - low, p=group.weights)
        if group.items:
            size = len(group.items)
            drawn = (size * rng.random(high - low) ** 1.5).astype(np.int64)
            item[low:high] = place[low:high] % size if swept else drawn
    return (seconds * 1e6).astype(np.int64), accounts[who], form, item


def _split(rng: np.random.Generator, volume: int, accounts: int, spread: float) -> Ints:
    """Exchanges per account, at least one each where there are enough."""
    least = 1 if volume >= accounts else 0
    rest = volume - least * accounts
    if spread:
        weights = np.exp(rng.normal(0.0, spread, accounts))
        more = rng.multinomial(rest, weights / weights.sum())
    else:
        more = np.full(accounts, rest // accounts)
        more[: rest % accounts] += 1
    counts: Ints = least + more
    return counts
