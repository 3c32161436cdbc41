"""Which exchange happens when, by whom and in which form: compact arrays, in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stillhunt_simulator.clock import Ints, Presence, rank, times
from stillhunt_simulator.draws import Keys, mixed, uniform
from stillhunt_simulator.population import Account, Population
from stillhunt_simulator.scenario import Persona, Scenario
from stillhunt_simulator.texts.vocabulary import LANGUAGE_SHARES

# Most of what a person writes is in one language; a program sends what it is given.
_FAITHFUL = 0.85
_STEADY = 0.6
# A data set is about many things; so is a person's week.
_SUBJECTS = 12
# Honest customers behind one reseller's account.
_CUSTOMERS = 40
_LANGUAGE, _CUSTOMER = np.uint64(0x1A9), np.uint64(0xC05)


@dataclass(frozen=True, slots=True)
class Plan:
    """One row per exchange, sorted by time.

    Attributes:
        time: microseconds from the start of the scenario.
        account: index into the population's accounts.
        form: index into the population's forms.
        item: key of an item from a pool; 0: a new one.
        topic: key of what it is about; 0: anything.
        writer: key of whose texts it is one of: these are alike in length; 0: nobody's.
        language: index into ``LANGUAGES``.
        resold: whether a reseller's honest customer sent it through a campaign's account.
    """

    time: NDArray[np.int64]
    account: NDArray[np.int32]
    form: NDArray[np.int32]
    item: Keys
    topic: Keys
    writer: Keys
    language: NDArray[np.int8]
    resold: NDArray[np.bool_]

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
        _persona(rng, persona, population, np.array(accounts), volume, scenario.days)
        for persona, accounts, volume in zip(
            scenario.personas, members, volumes(scenario, exchanges), strict=True
        )
    ]
    time, who, item, resold = (np.concatenate(column) for column in zip(*parts, strict=True))
    del parts
    order = np.argsort(time, kind="stable")
    time, who, item, resold = time[order], who[order], item[order], resold[order]
    form = _forms(rng, population, who, resold)
    item[~np.array([any(s.item for s in f.slots) for f in population.forms])[form]] = 0
    language, topic, writer = _about(rng, scenario, population, who, item, resold)
    return Plan(
        time=time,
        account=who.astype(np.int32),
        form=form.astype(np.int32),
        item=item,
        topic=topic,
        writer=writer,
        language=language,
        resold=resold,
    )


def volumes(scenario: Scenario, exchanges: int) -> list[int]:
    """Exchanges per persona: whole numbers in proportion to the shares, summing to the total.

    A campaign's share counts its harvest; what is resold beside it comes on top.
    """
    shares = np.array([persona.share / (1.0 - persona.resold) for persona in scenario.personas])
    edges = np.round(np.concatenate(([0.0], np.cumsum(shares))) / shares.sum() * exchanges)
    return [int(n) for n in np.diff(edges)]


def _persona(
    rng: np.random.Generator,
    persona: Persona,
    population: Population,
    accounts: Ints,
    volume: int,
    days: int,
) -> tuple[Ints, Ints, Keys, NDArray[np.bool_]]:
    """Times, accounts, items of one persona's exchanges, and which of them are resold."""
    people = [population.accounts[i] for i in accounts]
    resold = np.zeros(volume, dtype=bool)
    who = np.repeat(np.arange(len(people)), _split(rng, volume, people, persona.spread))
    resold = rng.random(volume) < persona.resold
    seconds = np.empty(volume)
    presence = _presence(rng, persona, people, days)
    writing = persona.writing
    seconds[~resold] = times(rng, persona.beat, who[~resold], presence, writing.pool)
    if persona.resold:
        # A reseller's customers are all over the world, and follow nobody's waves.
        zones = rng.integers(-11, 13, len(people)).astype(np.float64) * 3_600.0
        calm = np.ones_like(presence.waves)
        world = Presence(presence.opened, presence.closed, zones, presence.groups * 0, calm)
        seconds[resold] = times(rng, "sessions", who[resold], world)
    item = np.zeros(volume, dtype=np.uint64)
    if writing.items != "new":
        pools = np.array([population.pools[a.group] for a in people], dtype=np.uint64)
        index = _index(rng, persona, np.array([a.group for a in people]), who, resold)
        item = mixed(pools[who] + index.astype(np.uint64) * np.uint64(2) + np.uint64(1))
        item[resold] = 0
    return (seconds * 1e6).astype(np.int64), accounts[who], item, resold


def _presence(
    rng: np.random.Generator, persona: Persona, people: list[Account], days: int
) -> Presence:
    """When a persona's accounts are there; where groups have waves, each draws its own."""
    groups = np.array([a.group for a in people])
    groups -= groups.min()
    if not persona.waves:
        groups[:] = 0
    waves = np.exp(rng.normal(0.0, persona.waves, (int(groups.max()) + 1, days + 1)))
    return Presence(
        np.array([a.opened for a in people]),
        np.array([a.closed for a in people]),
        np.array([a.zone for a in people]),
        groups,
        waves,
    )


def _index(
    rng: np.random.Generator,
    persona: Persona,
    groups: Ints,
    who: Ints,
    resold: NDArray[np.bool_],
) -> Ints:
    """Which item of its group's pool each exchange takes."""
    size = persona.writing.pool
    if persona.writing.items == "drawn":
        drawn: Ints = (size * rng.random(len(who)) ** 1.5).astype(np.int64)
        return drawn
    if persona.writing.items == "repeated":
        return rank(who) % size
    index = np.zeros(len(who), dtype=np.int64)
    edges = np.flatnonzero(np.diff(groups[who], prepend=-1, append=-1))
    for low, high in pairwise(edges.tolist()):
        harvest = low + np.flatnonzero(~resold[low:high])
        index[harvest] = rng.permutation(len(harvest))
    return index


def _forms(
    rng: np.random.Generator, population: Population, who: Ints, resold: NDArray[np.bool_]
) -> Ints:
    """The form of each exchange, by its account's mix."""
    mixes = population.mixes
    forms = np.concatenate([np.array(mix.forms) for mix in mixes])
    ends = np.concatenate([_cumulative(mix.shares) + i for i, mix in enumerate(mixes)])
    mine = np.array([a.mix for a in population.accounts])[who]
    mine = np.where(resold, population.resold, mine)
    out: Ints = forms[np.searchsorted(ends, mine + rng.random(len(who)) * (1 - 1e-9), "right")]
    return out


def _cumulative(shares: list[float]) -> NDArray[np.float64]:
    sums = np.cumsum(shares)
    out: NDArray[np.float64] = sums / sums[-1]
    return out


def _about(
    rng: np.random.Generator,
    scenario: Scenario,
    population: Population,
    who: Ints,
    item: Keys,
    resold: NDArray[np.bool_],
) -> tuple[NDArray[np.int8], Keys, Keys]:
    """Language, topic and writer of each exchange."""
    accounts = population.accounts
    ends = np.cumsum(LANGUAGE_SHARES)[:-1]
    main = np.array([a.language for a in accounts])[who]
    personas = [scenario.personas[a.persona] for a in accounts]
    # Some campaign accounts keep to one language as people do, some to none as programs do: language
    # is to tell nothing, whomever their volume resembles.
    steady = rng.random(len(personas)) < _STEADY
    alone = np.array([p.beat == "sessions" for p in personas])
    planted = np.array([p.campaign is not None for p in personas])
    faithful = np.where(planted, steady, alone)[who]
    shared = np.array([p.writing.items in ("drawn", "repeated") for p in personas])[who]
    # An item that is asked again is asked in the same language.
    again = (item != 0) & shared
    luck = np.where(again, uniform(mixed(item ^ _LANGUAGE)), rng.random(len(who)))
    drawn = np.searchsorted(ends, luck, "right")
    own = ~again & faithful & (rng.random(len(who)) < _FAITHFUL)
    language = np.where(own, main, drawn).astype(np.int8)
    pools = np.array([population.pools[a.group] for a in accounts], dtype=np.uint64)[who]
    own_topic = np.array([a.topic for a in accounts], dtype=np.uint64)[who]
    subject = (rng.random(len(who)) * _SUBJECTS).astype(np.uint64)
    subject = np.where(item != 0, item % np.uint64(_SUBJECTS), subject)
    customer = (rng.random(len(who)) * _CUSTOMERS).astype(np.uint64) + np.uint64(1)
    base = np.where(item != 0, pools, own_topic)
    topic = np.where(base != 0, mixed(base + subject), 0).astype(np.uint64)
    names = np.array([a.group for a in accounts], dtype=np.uint64)[who]
    theirs = mixed(mixed(names ^ _CUSTOMER) + customer)
    topic = np.where(resold, theirs, topic)
    # An item is as long whoever asks it; the parts of a pool that is divided are of one kind.
    writer = np.where(again, mixed(item), np.where(resold, theirs, base))
    return language, topic.astype(np.uint64), writer.astype(np.uint64)


def _split(rng: np.random.Generator, volume: int, people: list[Account], spread: float) -> Ints:
    """Exchanges per account, at least one each where there are enough.

    An account sends in proportion to the time that it is there, and to its own liveliness.
    """
    accounts = len(people)
    least = 1 if volume >= accounts else 0
    rest = volume - least * accounts
    there = np.array([max(a.closed - a.opened, 60.0) for a in people])
    weights = there * np.exp(rng.normal(0.0, spread, accounts) if spread else 0.0)
    counts: Ints = least + _whole(weights / weights.sum() * rest)
    return counts


def _whole(shares: NDArray[np.float64]) -> Ints:
    """Whole numbers near to shares, with the same sum."""
    edges = np.round(np.concatenate(([0.0], np.cumsum(shares))))
    out: Ints = np.diff(edges).astype(np.int64)
    return out
