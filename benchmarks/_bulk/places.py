"""Addresses by the million: households, rented machines, carriers, and a proxy service's lines.

As in the simulator's address book, with whole columns drawn at a time. An address is a number here;
its network (/24 or /48) and its autonomous system follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stillhunt_simulator import infrastructure as real
from stillhunt_simulator.scenario import Network

Ints = NDArray[np.int64]

# As in settling.py: a carrier's and a proxy service's addresses at the scenario's own size, and the
# share of private persons' addresses that are such.
CARRIER_ADDRESSES, ON_CARRIER = 24, 0.04
PROXIED_ADDRESSES, ON_PROXY = 700, 0.1


@dataclass(slots=True)
class Book:
    """Every address that is used; grows as addresses are handed out.

    Attributes:
        systems, networks: chunks of int64, autonomous system and network of each address.
        count: addresses so far.
    """

    rng: np.random.Generator
    systems: list[Ints]
    networks: list[Ints]
    count: int = 0

    def home(self, n: int) -> Ints:
        """Addresses of n households; most popular providers first."""
        weights = 1.0 / np.arange(1, real._HOME_NETWORKS + 1) ** 0.6
        system = self.rng.choice(real._HOME_NETWORKS, n, p=weights / weights.sum())
        prefix = self.rng.integers(real._HOME_PREFIXES, size=n)
        version_6 = self.rng.random(n) < real._IPV6_SHARE
        return self._add(system, np.where(version_6, 1_000 + prefix % 256, prefix))

    def hosting(self, system: Ints) -> Ints:
        """Addresses of rented machines, each at one of the hosting networks."""
        prefix = self.rng.integers(real._HOSTING_PREFIXES, size=len(system))
        return self._add(real._HOME_NETWORKS + system % real._HOSTING_NETWORKS, prefix)

    def any_hosting(self, n: int) -> Ints:
        """Hosting networks for n to rent from."""
        return self.rng.integers(real._HOSTING_NETWORKS, size=n)

    def _add(self, system: Ints, prefix: Ints) -> Ints:
        self.systems.append(system)
        self.networks.append(system * 10_000 + prefix)
        out: Ints = np.arange(self.count, self.count + len(system))
        self.count += len(system)
        return out


def addresses(
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
