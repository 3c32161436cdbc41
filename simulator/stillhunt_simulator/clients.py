"""Client programs: user agents, and the TLS stacks beneath them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

_BUILDS = 4
# A few sit behind a proxy that ends TLS with a stack of its own.
_BEHIND_A_PROXY = 0.06


@dataclass(frozen=True, slots=True)
class Family:
    """A client program in its versions.

    Attributes:
        pattern: the user agent, with {} for the version.
        versions: newest first, the most used ones near the front.
        stack: its TLS library.
        weight: how common it is.
    """

    pattern: str
    versions: tuple[str, ...]
    stack: str
    weight: float


_PYTHON = ("2.7.0", "2.6.1", "1.109.1", "2.3.0", "1.101.0", "1.97.1", "1.82.0", "1.55.3")
_NODE = ("6.8.1", "5.23.2", "6.3.0", "5.12.2", "4.104.0", "4.86.1")
_CHROME = "(KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "

FAMILIES: tuple[Family, ...] = (
    Family("OpenAI/Python {}", _PYTHON, "openssl", 24.0),
    Family("AsyncOpenAI/Python {}", _PYTHON, "openssl", 9.0),
    Family("python-httpx/{}", ("0.28.1", "0.27.2", "0.27.0", "0.24.1"), "openssl", 6.0),
    Family("python-requests/{}", ("2.32.5", "2.32.3", "2.31.0", "2.28.2"), "openssl", 6.0),
    Family("langchain/{}", ("0.3.27", "0.3.21", "0.2.17", "1.0.3"), "openssl", 5.0),
    Family("litellm/{}", ("1.79.0", "1.77.5", "1.74.9", "1.65.0"), "openssl", 5.0),
    Family("OpenAI/JS {}", _NODE, "node", 16.0),
    Family("node-fetch/{}", ("3.3.2", "2.7.0"), "node", 4.0),
    Family("curl/{}", ("8.5.0", "7.88.1", "8.14.1", "7.81.0"), "curl", 6.0),
    Family("Go-http-client/{}", ("2.0", "1.1"), "go", 5.0),
    Family("okhttp/{}", ("4.12.0", "5.1.0", "4.9.3"), "java", 3.0),
    Family(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 " + _CHROME,
        ("142", "141", "140", "138", "131"),
        "chromium",
        8.0,
    ),
    Family(
        _MAC + "(KHTML, like Gecko) Version/{} Safari/605.1.15",
        ("18.6", "26.0", "18.5", "17.6"),
        "safari",
        4.0,
    ),
    Family(
        "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0",
        ("144", "143", "140", "128"),
        "firefox",
        3.0,
    ),
)
"""Client programs and how common they are."""

_WHERE = np.cumsum([family.weight for family in FAMILIES])


def tls_fingerprint(stack: str, build: int) -> str:
    """A fingerprint in JA4's shape for one build of a TLS stack; the same in every simulation."""
    digest = hashlib.sha256(f"{stack}/{build % _BUILDS}".encode()).hexdigest()
    ciphers, extensions = 12 + int(digest[0], 16), 8 + int(digest[1], 16) % 9
    return f"t13d{ciphers:02}{extensions:02}h2_{digest[2:14]}_{digest[14:26]}"


def draw_client(rng: np.random.Generator) -> tuple[str, str]:
    """A user agent and, mostly, the TLS fingerprint that its stack implies."""
    family = _family(rng)
    version = family.versions[int(len(family.versions) * rng.random() ** 1.6)]
    stack = _family(rng).stack if rng.random() < _BEHIND_A_PROXY else family.stack
    return family.pattern.format(version), tls_fingerprint(stack, int(rng.integers(_BUILDS)))


def _family(rng: np.random.Generator) -> Family:
    return FAMILIES[int(np.searchsorted(_WHERE, rng.random() * _WHERE[-1], side="right"))]
