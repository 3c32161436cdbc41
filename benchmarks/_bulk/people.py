"""Who the customers are: the simulator's personas, settled a million accounts at a time.

What ``stillhunt_simulator.settling`` and ``lifetimes`` draw for one account after another is drawn
here for all of a persona; the constants are theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from _bulk.library import Library, sources
from _bulk.places import CARRIER_ADDRESSES, ON_CARRIER, ON_PROXY, PROXIED_ADDRESSES, Book
from _bulk.sizes import Size, groups_of, growth_of
from stillhunt_simulator import lifetimes, settling
from stillhunt_simulator.scenario import Network, Persona, Scenario

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_DAY, _HOUR = 86_400.0, 3_600.0
# A popular tool has a good third of all tools' users: a hundred thousand at the full size.
_MOST_POPULAR_TOOL = 0.38
CLIENTS = 4_096
"""Client programs drawn once; accounts take theirs from among them."""


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
        address, used = _addresses(rng, persona.network, group, shared, book, carrier, proxied)
        # Items of a pool are anybody's in the group.
        pooled = persona.writing.items == "drawn"
        low, high = sources(rng, library, number, group, alone=not pooled)
        created, opened, closed = _lives(rng, scenario, persona, n)
        part = {
            "persona": np.full(n, number),
            "group": group + first_group,
            "exchanges": _split(rng, volumes[number], opened, closed, persona.spread),
            "low": low,
            "high": high,
            "created": created,
            "opened": opened,
            "closed": closed,
            **_settings(rng, scenario, persona, group),
            "keys": _keys(rng, persona, opened, closed),
            "rotated": np.full(n, persona.keys == "rotated"),
            "addresses": used,
        }
        part["email"] = _emails(rng, persona, group, first_group)
        part["payment"] = _payers(rng, persona, group)
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


def _addresses(
    rng: np.random.Generator,
    network: Network,
    group: Ints,
    shared: int,
    book: Book,
    carrier: Ints,
    proxied: Ints,
) -> tuple[Ints, Ints]:
    """Numbers of all accounts' addresses, one account after the other, and how many each has."""
    n, groups = len(group), int(group.max()) + 1
    own = rng.integers(network.own[0], network.own[1] + 1, n)
    used = np.minimum(rng.integers(network.used[0], network.used[1] + 1, n), shared)
    pool = _pools(rng, network, groups, shared, book, proxied)
    who = np.repeat(np.arange(n), used)
    if shared <= 8:
        # So few that every account's choice is a shuffle of them all.
        order = np.argsort(rng.random((n, max(shared, 1))), axis=1)
        picked = order[np.arange(max(shared, 1))[None, :] < used[:, None]]
    else:
        picked = rng.integers(0, max(shared, 1), len(who))
    chosen = pool[group[who], picked]
    mine = np.repeat(np.arange(n), own)
    total = len(mine)
    if network.place == "hosting":
        bought = book.hosting(book.any_hosting(total))
    else:
        luck = rng.random(total)
        bought = np.empty(total, dtype=np.int64)
        on_carrier, on_proxy = (
            luck < ON_CARRIER,
            (luck >= ON_CARRIER) & (luck < ON_CARRIER + ON_PROXY),
        )
        bought[on_carrier] = rng.choice(carrier, int(on_carrier.sum()))
        bought[on_proxy] = rng.choice(proxied, int(on_proxy.sum()))
        private = ~on_carrier & ~on_proxy
        bought[private] = book.home(int(private.sum()))
    everyone, everything = np.concatenate((who, mine)), np.concatenate((chosen, bought))
    order = np.argsort(everyone, kind="stable")
    return everything[order], used + own


def _pools(
    rng: np.random.Generator,
    network: Network,
    groups: int,
    shared: int,
    book: Book,
    proxied: Ints,
) -> Ints:
    """Addresses that each group shares; shape (groups, shared or 1)."""
    if not shared:
        return np.zeros((groups, 1), dtype=np.int64)
    if network.place == "proxies":
        return np.stack([rng.permutation(proxied)[:shared] for _ in range(groups)])
    if network.place in ("hosting", "exits"):
        # A group rents from two networks in turn.
        rented = np.stack([book.any_hosting(groups), book.any_hosting(groups)], axis=1)
        return book.hosting(rented[:, np.arange(shared) % 2].ravel()).reshape(groups, shared)
    return book.home(groups * shared).reshape(groups, shared)


def _lives(
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


def _split(
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


def _settings(
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


def _keys(rng: np.random.Generator, persona: Persona, opened: Floats, closed: Floats) -> Ints:
    """How many credentials each account has."""
    n = len(opened)
    count: Ints = rng.geometric(0.5, n)
    if persona.keys == "rotated":
        days = (closed - opened) / _DAY
        count = np.maximum(1, np.round(days / rng.uniform(0.8, 2.5, n))).astype(np.int64)
    return np.minimum(count, 6)


def _emails(rng: np.random.Generator, persona: Persona, group: Ints, first_group: int) -> Ints:
    """Numbers of mail domains: below the number of webmail services those, then groups' own, and
    negative ones for a domain that is one account's alone."""
    webmail = settling._WEBMAIL
    if persona.ownership.email == "group":
        return webmail + first_group + group
    popularity = 1.0 / np.arange(1, webmail + 1)
    public = rng.choice(webmail, len(group), p=popularity / popularity.sum())
    private = rng.random(len(group)) < settling._PRIVATE_DOMAIN
    return np.where(private, -1, public)


def _payers(rng: np.random.Generator, persona: Persona, group: Ints) -> Ints:
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


def _number_payers(parts: list[dict[str, NDArray[np.generic]]]) -> None:
    """Payers of different personas are different ones."""
    first = 0
    for part in parts:
        part["payment"] = part["payment"] + first
        first = int(part["payment"].max()) + 1
