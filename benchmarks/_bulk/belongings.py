"""What accounts own and when they are there, for all of a persona at a time.

What ``stillhunt_simulator.settling`` and ``lifetimes`` draw for one account after another; the
constants are theirs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stillhunt_simulator import lifetimes, settling
from stillhunt_simulator.scenario import Persona, Scenario

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_DAY, _HOUR = 86_400.0, 3_600.0
CLIENTS = 4_096
"""Client programs drawn once; accounts take theirs from among them."""


def lives(
    rng: np.random.Generator, scenario: Scenario, persona: Persona, n: int
) -> tuple[Floats, Floats, Floats]:
    """When accounts are opened, first and last used."""
    end = scenario.seconds
    ages = (rng.exponential(lifetimes._AGES[persona.joined], n) + 0.02) * _DAY
    if persona.lifetime_days is not None:
        # Seats held by one account after another.
        holders = max(1, round(end / _DAY / persona.lifetime_days))
        seats = -(-n // holders)
        lasting = rng.uniform(0.6, 1.4, (seats, holders))
        cuts = np.cumsum(lasting, axis=1) / lasting.sum(axis=1, keepdims=True) * end
        low = np.concatenate((np.zeros((seats, 1)), cuts[:, :-1]), axis=1).ravel()[:n]
        last = cuts.ravel()[:n]
        wait = np.where(low > 0, rng.uniform(0.5, 8.0, n) * _HOUR, 0.0)
        first = np.minimum(low + wait, last - 60.0)
        return first - ages, first, last
    first, last, created = np.zeros(n), np.full(n, end), -ages
    if not (persona.ownership.declared or persona.beat in ("nightly", "runs")):
        new = rng.random(n) < lifetimes._NEWCOMERS
        first = np.where(new, rng.uniform(0.0, 0.75, n) * end, first)
        created = np.where(new, first - rng.exponential(0.2, n) * _DAY, created)
        leaves = rng.random(n) < lifetimes._LEAVERS
        last = np.where(leaves, first + rng.uniform(0.3, 0.9, n) * (end - first), last)
    return created, first, last


def split(
    rng: np.random.Generator, volume: int, opened: Floats, closed: Floats, spread: float
) -> Ints:
    """Exchanges per account, at least one each where there are enough."""
    n = len(opened)
    least = 1 if volume >= n else 0
    weights = np.maximum(closed - opened, 60.0) * np.exp(rng.normal(0.0, 1.0, n) * spread)
    share = weights / weights.sum() * (volume - least * n)
    edges = np.round(np.concatenate(([0.0], np.cumsum(share))))
    out: Ints = least + np.diff(edges).astype(np.int64)
    return out


def settings(
    rng: np.random.Generator, scenario: Scenario, persona: Persona, group: Ints
) -> dict[str, NDArray[np.generic]]:
    """What stays the same from request to request."""
    n, groups = len(group), int(group.max()) + 1
    zones = rng.integers(-11, 13, groups if persona.zone == "group" else n) * _HOUR
    moves = scenario.release_day * _DAY + rng.exponential(persona.adoption_days, n) * _DAY
    tier = settling._TIERS.index(persona.ownership.tier) if persona.ownership.tier else None
    limits = np.array([limit or 0 for limit in settling._CEILINGS])
    temperatures = np.array([np.nan if t is None else t for t in settling._TEMPERATURES])
    clients = {
        "account": rng.integers(CLIENTS, size=n),
        "group": rng.integers(CLIENTS, size=groups)[group],
        "handful": rng.integers(CLIENTS, size=(groups, settling._HANDFUL))[
            group, rng.integers(settling._HANDFUL, size=n)
        ],
    }
    return {
        "zone": zones[group] if persona.zone == "group" else zones,
        "moves": np.where(rng.random(n) < persona.adoption, moves, np.inf),
        "client": clients[persona.client],
        "tier": np.full(n, tier)
        if tier is not None
        else rng.choice(len(settling._TIERS), n, p=settling._TIER_SHARES),
        "limit": limits[rng.choice(len(limits), n, p=settling._CEILING_SHARES)],
        "temperature": temperatures[
            rng.choice(len(temperatures), n, p=settling._TEMPERATURE_SHARES)
        ],
        "streams": rng.choice((0.0, 0.5, 1.0), n),
        "small": rng.random(n) ** 2,
    }


def keys(rng: np.random.Generator, persona: Persona, opened: Floats, closed: Floats) -> Ints:
    """How many credentials each account has."""
    n = len(opened)
    count: Ints = rng.geometric(0.5, n)
    if persona.keys == "rotated":
        days = (closed - opened) / _DAY
        count = np.maximum(1, np.round(days / rng.uniform(0.8, 2.5, n))).astype(np.int64)
    return np.minimum(count, 6)


def emails(rng: np.random.Generator, persona: Persona, group: Ints, first_group: int) -> Ints:
    """Numbers of mail domains: below the number of webmail services those, then groups' own, and
    negative ones for a domain that is one account's alone."""
    webmail = settling._WEBMAIL
    if persona.ownership.email == "group":
        return webmail + first_group + group
    popularity = 1.0 / np.arange(1, webmail + 1)
    public = rng.choice(webmail, len(group), p=popularity / popularity.sum())
    private = rng.random(len(group)) < settling._PRIVATE_DOMAIN
    return np.where(private, -1, public)


def payers(rng: np.random.Generator, persona: Persona, group: Ints) -> Ints:
    """Numbers of payers within a persona."""
    if persona.ownership.payment == "group":
        return group
    n = len(group)
    if persona.ownership.payment == "account":
        return np.arange(n)
    # Bundles of two to six, none across groups; who is in which is chance.
    shuffled = np.lexsort((rng.random(n), group))
    sizes = rng.integers(2, 7, n)
    bundle = np.repeat(np.arange(n), sizes)[:n]
    out = np.empty(n, dtype=np.int64)
    out[shuffled] = bundle + group[shuffled] * n
    return np.unique(out, return_inverse=True)[1]
