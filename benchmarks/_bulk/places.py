"""Addresses by the million: households, rented machines, carriers, and a proxy service's lines.

As in the simulator's address book, with whole columns drawn at a time. An address is a number here;
its network (/24 or /48) and its autonomous system follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stillhunt_simulator import infrastructure as real

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
