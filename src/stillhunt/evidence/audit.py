"""What an audit opens: drawn from a seed that nobody knew when the claim was made.

Four draws, each with its own part of one stream: accounts and exchanges without replacement, input
tokens and output tokens with replacement. A token is drawn by its number in the claim's sums, so that
an exchange is drawn as often as it claims tokens (monetary-unit sampling), and one that claims
millions hides in no share of small ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

from stillhunt.errors import UsageError
from stillhunt.evidence.claim.tree import Weights
from stillhunt.evidence.sample_size import sample_size

DOMAIN = b"stillhunt/audit/v1\n"
OWN_WORK = 64
"""Bits by which a sample grows where the claimant makes the seed: so many times may he try."""


@dataclass(frozen=True)
class Rates:
    """How sure an audit is to be.

    Attributes:
        error: share of accounts, and of exchanges, that may be wrong without being noticed.
        token_error: share of tokens that may.
        confidence: probability with which more than that is noticed.
    """

    error: float = 0.01
    token_error: float = 0.02
    confidence: float = 0.999

    def __post_init__(self) -> None:
        shares = 0.001 <= self.error < 1 and 0.001 <= self.token_error < 1
        if not shares or not 0.5 <= self.confidence <= 1 - 1e-9:
            raise UsageError(
                "Error rates lie from 0.001 to below 1, confidence from 0.5 to 0.999999999.",
                "Use --error 0.01 --confidence 0.999, say.",
            )

    def miss(self, tries: int) -> Fraction:
        """Probability of missing too many wrong ones at one of ``2**tries`` seeds at most."""
        return (1 - Fraction(repr(self.confidence))) / (1 << tries)


@dataclass(frozen=True)
class Plan:
    """What has to be opened.

    Attributes:
        accounts: indices of accounts, increasing.
        exchanges: indices of exchanges, increasing.
        inputs, outputs: numbers of tokens, increasing; may repeat.
    """

    accounts: tuple[int, ...]
    exchanges: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def seed_of(statement: bytes, kind: str, value: bytes) -> bytes:
    """The 32 bytes that all draws come from.

    Args:
        statement: SHA-256 of the claim's statement.
        kind: where the value comes from; value: what nobody knew before.
    """
    return sha256(DOMAIN + statement + kind.encode() + b"\n" + value).digest()


def plan(accounts: int, weights: Weights, rates: Rates, seed: bytes, tries: int = 0) -> Plan:
    """Draw what is to be opened.

    Args:
        accounts: that are claimed.
        weights: exchanges, input and output tokens that are claimed.
        rates: how sure the audit is to be.
        seed: 32 bytes; see ``seed_of``.
        tries: binary logarithm of how often the claimant might have tried for a good seed.
    """
    miss = rates.miss(tries)
    confidence = 1 - miss
    units = with_replacement(rates.token_error, miss)
    return Plan(
        draw_distinct(seed, b"accounts", accounts, sample_size(accounts, rates.error, confidence)),
        draw_distinct(
            seed, b"exchanges", weights[0], sample_size(weights[0], rates.error, confidence)
        ),
        _any(seed, b"input tokens", weights[1], units),
        _any(seed, b"output tokens", weights[2], units),
    )


def with_replacement(error: float, miss: Fraction) -> int:
    """Least n with (1 - error)**n <= miss."""
    good = 1 - Fraction(repr(error))
    n = max(int(math.log(miss) / math.log(good)) - 1, 0)
    while good**n > miss:
        n += 1
    return n


def stream(seed: bytes, name: bytes, below: int) -> Iterator[int]:
    """Endless uniform numbers below a bound.

    Eight bytes at a time of SHA-256(seed || name || counter), most significant first; what would
    favour small numbers is passed over.
    """
    fair = (1 << 64) // below * below
    counter = 0
    while True:
        block = sha256(seed + name + counter.to_bytes(8, "big")).digest()
        counter += 1
        for at in range(0, 32, 8):
            value = int.from_bytes(block[at : at + 8], "big")
            if value < fair:
                yield value % below


def draw_distinct(seed: bytes, name: bytes, population: int, count: int) -> tuple[int, ...]:
    """So many different numbers below ``population``, increasing, from a part of the stream."""
    if count >= population:
        return tuple(range(population))
    # Of a large sample it is quicker to draw what stays closed.
    few = min(count, population - count)
    drawn: set[int] = set()
    for value in stream(seed, name, population):
        if len(drawn) == few:
            break
        drawn.add(value)
    if few < count:
        return tuple(i for i in range(population) if i not in drawn)
    return tuple(sorted(drawn))


def _any(seed: bytes, name: bytes, population: int, count: int) -> tuple[int, ...]:
    if population == 0:
        return ()
    numbers = stream(seed, name, population)
    return tuple(sorted(next(numbers) for _ in range(count)))
