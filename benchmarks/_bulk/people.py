"""Who the customers are: the simulator's personas, settled a million accounts at a time.

What they own and where they sit is in ``belongings`` and ``places``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from _bulk.belongings import emails, keys, lives, payers, settings, split
from _bulk.library import Library, sources
from _bulk.places import CARRIER_ADDRESSES, PROXIED_ADDRESSES, Book, addresses
from _bulk.sizes import Size, groups_of, growth_of
from stillhunt_simulator import settling
from stillhunt_simulator.scenario import Persona, Scenario

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# A popular tool has a good third of all tools' users: a hundred thousand at the full size.
_MOST_POPULAR_TOOL = 0.44


@dataclass(slots=True)
class People:
    """Accounts, by persona and group; arrays of shape (accounts,) unless said otherwise.

    Attributes:
        persona, group: numbers; exchanges: how many each sends.
        low, high: rows of the library that it follows.
        created, opened, closed, moves: seconds from the start; zone: offset in seconds.
        payment: number of the payer; email: number of the domain, webmail first.
        client: number of the client program.
        tier: index; limit: ceiling of answers, 0 for none; temperature: nan for none.
        streams, small: probabilities of a stream and of the small model.
        keys: credentials; rotated: one after the other.
        first_address, addresses: where in ``address`` its own stand, and how many.
        address: numbers of addresses, one account's after the other's.
        system, network: of each address.
        waves: (groups, days + 1), activity by day.
    """

    persona: Ints
    group: Ints
    exchanges: Ints
    low: Ints
    high: Ints
    created: Floats
    opened: Floats
    closed: Floats
    moves: Floats
    zone: Floats
    payment: Ints
    email: Ints
    client: Ints
    tier: Ints
    limit: Ints
    temperature: Floats
    streams: Floats
    small: Floats
    keys: Ints
    rotated: NDArray[np.bool_]
    first_address: Ints
    addresses: Ints
    address: Ints
    system: Ints
    network: Ints
    waves: Floats

    def __len__(self) -> int:
        return len(self.persona)


def settle(rng: np.random.Generator, scenario: Scenario, size: Size, library: Library) -> People:
    """Draw everybody."""
    growth = growth_of(scenario, size)
    book = Book(rng, [], [])
    needed = [_shared(p, growth, size) for p in scenario.personas if p.network.place == "proxies"]
    carrier = book.home(max(2, round(CARRIER_ADDRESSES * growth)))
    proxied = book.home(max(round(PROXIED_ADDRESSES * growth), round(1.25 * max(needed))))
    parts, lists, waves = [], [], []
    first_group = 0
    volumes = volumes_of(scenario, size)
    for number, (persona, planned) in enumerate(
        zip(scenario.personas, groups_of(scenario, size), strict=True)
    ):
        counts = _members(rng, persona, planned, growth, size)
        groups = len(counts)
        group = np.repeat(np.arange(groups), counts)
        n = len(group)
        shared = _shared(persona, growth, size)
        address, used = addresses(rng, persona.network, group, shared, book, carrier, proxied)
        # Items of a pool are anybody's in the group.
        pooled = persona.writing.items == "drawn"
        low, high = sources(rng, library, number, group, alone=not pooled)
        created, opened, closed = lives(rng, scenario, persona, n)
        part = {
            "persona": np.full(n, number),
            "group": group + first_group,
            "exchanges": split(rng, volumes[number], opened, closed, persona.spread),
            "low": low,
            "high": high,
            "created": created,
            "opened": opened,
            "closed": closed,
            **settings(rng, scenario, persona, group),
            "keys": keys(rng, persona, opened, closed),
            "rotated": np.full(n, persona.keys == "rotated"),
            "addresses": used,
        }
        part["email"] = emails(rng, persona, group, first_group)
        part["payment"] = payers(rng, persona, group)
        parts.append(part)
        lists.append(address)
        waves.append(np.exp(rng.normal(0.0, persona.waves, (groups, scenario.days + 1))))
        first_group += groups
    _number_payers(parts)
    columns = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    columns["first_address"] = np.cumsum(columns["addresses"]) - columns["addresses"]
    columns["address"] = np.concatenate(lists)
    columns["system"] = np.concatenate(book.systems)
    columns["network"] = np.concatenate(book.networks)
    columns["waves"] = np.concatenate(waves)
    return People(**{f.name: columns[f.name] for f in fields(People)})


def volumes_of(scenario: Scenario, size: Size) -> list[int]:
    """Exchanges per persona: campaigns as planted, the others in proportion to their shares."""
    shares = np.array([0.0 if p.campaign else p.share for p in scenario.personas])
    edges = np.round(np.concatenate(([0.0], np.cumsum(shares))) / shares.sum() * size.lawful)
    lawful = np.diff(edges).astype(np.int64).tolist()
    return [
        size.campaigns[p.campaign][0] if p.campaign else n
        for p, n in zip(scenario.personas, lawful, strict=True)
    ]


def _members(
    rng: np.random.Generator, persona: Persona, groups: int, growth: float, size: Size
) -> Ints:
    """Accounts in each group."""
    if persona.campaign:
        return np.array([size.campaigns[persona.campaign][1]])
    low, high = persona.accounts
    counts: Ints = rng.integers(low, high + 1, groups)
    if persona.grows == "accounts":
        counts = np.maximum(np.minimum(counts, settling._MIN_ACCOUNTS), np.round(counts * growth))
    if persona.name == "tool_user":
        # One tool is popular: it has taken the users of others.
        others = np.cumsum(counts[1:]) <= (1.0 - _MOST_POPULAR_TOOL) * counts.sum()
        kept = counts[1:][others]
        counts = np.concatenate(([counts.sum() - kept.sum()], kept))
    return counts.astype(np.int64)


def _shared(persona: Persona, growth: float, size: Size) -> int:
    """Addresses that a group shares, as crowded as at the scenario's own size."""
    shared = persona.network.shared
    if persona.campaign:
        crowd = size.campaigns[persona.campaign][1] / persona.accounts[1]
    else:
        crowd = growth if persona.grows == "accounts" else 1.0
    return max(persona.network.used[1], round(shared * crowd)) if shared else 0


def _number_payers(parts: list[dict[str, NDArray[np.generic]]]) -> None:
    """Payers of different personas are different ones."""
    first = 0
    for part in parts:
        part["payment"] = part["payment"] + first
        first = int(part["payment"].max()) + 1
