"""Addresses and networks, countries and mail domains.

IPv4 addresses are drawn at random over public space and stand for no one; IPv6 addresses are from
the documentation prefix (RFC 3849), network numbers from the private range (RFC 6996).
"""

from __future__ import annotations

import ipaddress

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RESERVED = frozenset({0, 10, 100, 127, 169, 172, 192, 198, 203})
_HOME_NETWORKS = 60
_HOSTING_NETWORKS = 12
_HOME_PREFIXES, _HOSTING_PREFIXES = 500, 200
_FIRST_PRIVATE_ASN = 64_512
_IPV6_SHARE = 0.15

COUNTRIES: tuple[tuple[str, float], ...] = (
    ("US", 24.0), ("IN", 12.0), ("GB", 6.0), ("DE", 6.0), ("CN", 6.0), ("BR", 5.0), ("JP", 5.0),
    ("FR", 5.0), ("CA", 4.0), ("KR", 3.0), ("ID", 3.0), ("MX", 3.0), ("ES", 3.0), ("IT", 3.0),
    ("NG", 2.0), ("PL", 2.0), ("TR", 2.0), ("VN", 2.0), ("AU", 2.0), ("RU", 2.0),
)  # fmt: skip
"""Where accounts say they are, and how often. The same for every persona: it tells nothing."""

TOP_LEVEL_DOMAINS: tuple[tuple[str, float], ...] = (
    ("com", 50.0), ("net", 5.0), ("org", 5.0), ("io", 5.0), ("ai", 3.0), ("de", 5.0), ("in", 5.0),
    ("co.uk", 4.0), ("cn", 4.0), ("com.br", 3.0), ("jp", 3.0), ("fr", 3.0), ("es", 2.0), ("pl", 3.0),
)  # fmt: skip
"""Ends of mail domains, and how often. The same for every persona."""


class AddressBook:
    """Hands out addresses of home and hosting networks, no address twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._used: set[str] = set()
        self.addresses: list[str] = []
        self.networks: list[str] = []
        count = _HOME_NETWORKS + _HOSTING_NETWORKS
        numbers = rng.choice(1_000, size=count, replace=False) + _FIRST_PRIVATE_ASN
        self._asn = [f"AS{n}" for n in numbers.tolist()]
        octets = np.array([o for o in range(1, 224) if o not in _RESERVED])
        self._prefixes = [
            np.column_stack((rng.choice(octets, n), rng.integers(256, size=(n, 2)))).tolist()
            for n in [_HOME_PREFIXES] * _HOME_NETWORKS + [_HOSTING_PREFIXES] * _HOSTING_NETWORKS
        ]
        popularity = 1.0 / np.arange(1, _HOME_NETWORKS + 1) ** 0.6
        self._popularity = np.cumsum(popularity / popularity.sum())

    def home(self) -> int:
        """A new household's address; returns its index."""
        network = min(
            int(np.searchsorted(self._popularity, self._rng.random())), _HOME_NETWORKS - 1
        )
        return self._add(network, self._rng.random() < _IPV6_SHARE)

    def hosting(self, network: int) -> int:
        """A new address at one of the hosting networks; returns its index."""
        return self._add(_HOME_NETWORKS + network % _HOSTING_NETWORKS, False)

    def any_hosting_network(self) -> int:
        """Draw a hosting network for a group to rent from."""
        return int(self._rng.integers(_HOSTING_NETWORKS))

    def _add(self, network: int, version_6: bool) -> int:
        make = self._ipv6 if version_6 else self._ipv4
        address = make(network)
        while address in self._used:
            address = make(network)
        self._used.add(address)
        self.addresses.append(address)
        self.networks.append(self._asn[network])
        return len(self.addresses) - 1

    def _ipv4(self, network: int) -> str:
        prefixes = self._prefixes[network]
        first, second, third = prefixes[int(self._rng.integers(len(prefixes)))]
        return f"{first}.{second}.{third}.{self._rng.integers(1, 255)}"

    def _ipv6(self, network: int) -> str:
        site = int(self._rng.integers(1 << 24))
        value = (0x20010DB8 << 96) | (network << 88) | (site << 64)
        return str(ipaddress.IPv6Address(value | int(self._rng.integers(1 << 63))))


def top_level(rng: np.random.Generator) -> str:
    """The end of a mail domain."""
    return _drawn(rng, _ENDS)


def country(rng: np.random.Generator) -> str:
    """Where an account says it is."""
    return _drawn(rng, _STATED)


def _drawn(rng: np.random.Generator, among: tuple[list[str], Floats]) -> str:
    values, where = among
    return values[int(np.searchsorted(where, rng.random()))]


def _cumulative(weighted: tuple[tuple[str, float], ...]) -> tuple[list[str], Floats]:
    """Values, and where a number in [0, 1) must lie to draw each."""
    weights = np.cumsum([weight for _, weight in weighted])
    return [value for value, _ in weighted], weights / weights[-1]


_ENDS, _STATED = _cumulative(TOP_LEVEL_DOMAINS), _cumulative(COUNTRIES)


def draw_hex(rng: np.random.Generator, digits: int) -> str:
    """A random identifier of hexadecimal digits (an even number)."""
    return rng.bytes(digits // 2).hex()
