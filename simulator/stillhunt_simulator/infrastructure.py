"""Addresses, client programs and payment instruments.

IPv4 addresses are drawn at random over public space and stand for no one; IPv6 addresses are from
the documentation prefix (RFC 3849), network numbers from the private range (RFC 6996).
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

import numpy as np

_RESERVED = frozenset({0, 10, 100, 127, 169, 172, 192, 198, 203})
_HOME_NETWORKS = 60
_HOSTING_NETWORKS = 12
_FIRST_PRIVATE_ASN = 64_512
_IPV6_SHARE = 0.15


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
            [(int(rng.choice(octets)), int(rng.integers(256))) for _ in range(24)]
            for _ in range(count)
        ]
        popularity = 1.0 / np.arange(1, _HOME_NETWORKS + 1) ** 0.6
        self._popularity = popularity / popularity.sum()

    def home(self) -> int:
        """A new household's address; returns its index."""
        network = int(self._rng.choice(_HOME_NETWORKS, p=self._popularity))
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
        first, second = prefixes[int(self._rng.integers(len(prefixes)))]
        return f"{first}.{second}.{self._rng.integers(256)}.{self._rng.integers(1, 255)}"

    def _ipv6(self, network: int) -> str:
        site = int(self._rng.integers(1 << 32))
        value = (0x20010DB8 << 96) | (network << 88) | (site << 56)
        return str(ipaddress.IPv6Address(value | int(self._rng.integers(1 << 56))))


@dataclass(frozen=True, slots=True)
class Client:
    """A client program: its user agent, and the TLS stack beneath it."""

    user_agent: str
    stack: str
    weight: float


CLIENTS: tuple[Client, ...] = (
    Client("OpenAI/Python 1.109.1", "openssl", 16.0),
    Client("OpenAI/Python 2.7.0", "openssl", 12.0),
    Client("AsyncOpenAI/Python 2.7.0", "openssl", 5.0),
    Client("python-httpx/0.28.1", "openssl", 6.0),
    Client("python-requests/2.32.5", "openssl", 6.0),
    Client("langchain/0.3.27", "openssl", 5.0),
    Client("litellm/1.79.0", "openssl", 5.0),
    Client("OpenAI/JS 5.23.2", "node", 10.0),
    Client("OpenAI/JS 6.8.1", "node", 7.0),
    Client("node-fetch", "node", 4.0),
    Client("curl/8.5.0", "curl", 6.0),
    Client("Go-http-client/2.0", "go", 5.0),
    Client("okhttp/4.12.0", "java", 3.0),
    Client(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36",
        "chromium",
        8.0,
    ),
    Client(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.6 Safari/605.1.15",
        "safari",
        4.0,
    ),
    Client(
        "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "firefox", 3.0
    ),
)
"""Client programs and how common they are."""

_BUILDS = 3


def tls_fingerprint(stack: str, build: int) -> str:
    """A fingerprint in JA4's shape for one build of a TLS stack; the same in every simulation."""
    digest = hashlib.sha256(f"{stack}/{build % _BUILDS}".encode()).hexdigest()
    ciphers, extensions = 12 + int(digest[0], 16), 8 + int(digest[1], 16) % 9
    return f"t13d{ciphers:02}{extensions:02}h2_{digest[2:14]}_{digest[14:26]}"


def draw_client(rng: np.random.Generator) -> tuple[str, str]:
    """A user agent and, mostly, the TLS fingerprint that its stack implies."""
    weights = np.array([client.weight for client in CLIENTS])
    weights /= weights.sum()
    client = CLIENTS[int(rng.choice(len(CLIENTS), p=weights))]
    # A few sit behind a proxy that ends TLS with a stack of its own.
    stack = client.stack
    if rng.random() < 0.06:
        stack = CLIENTS[int(rng.choice(len(CLIENTS), p=weights))].stack
    return client.user_agent, tls_fingerprint(stack, int(rng.integers(_BUILDS)))


def draw_hex(rng: np.random.Generator, digits: int) -> str:
    """A random identifier of hexadecimal digits (an even number)."""
    return rng.bytes(digits // 2).hex()
