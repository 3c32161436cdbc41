"""The text kernel once more, slowly and in plain Python: what the compiled one is held to."""

from __future__ import annotations

from stillhunt.fingerprints.kernel import ENDS, GRAMS, RUN, SYSTEM_GRAMS
from stillhunt.fingerprints.tokens import reference_tokens

BITS = (1 << 64) - 1
LOW = (1 << 32) - 1
MIX1, MIX2, BASE = 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53, 0x9E3779B97F4A7C15


def token_hash(token: bytes) -> int:
    h = 0xCBF29CE484222325
    for at in range(0, max(16, len(token)), 8):
        h = (h ^ int.from_bytes(token[at : at + 8], "little")) * MIX1 & BITS
        h ^= h >> 32
    h = h * MIX2 & BITS
    return h ^ h >> 29


def gram_hashes(tokens: list[bytes]) -> list[int]:
    """Hash of each run of RUN tokens."""
    each = [token_hash(token) for token in tokens]
    hashes = []
    for at in range(len(each) - RUN + 1):
        h = 0
        for token in each[at : at + RUN]:
            h = (h * BASE + token) & BITS
        h = (h ^ h >> 32) * MIX1 & BITS
        hashes.append(h ^ h >> 32)
    return hashes


def window_minima(hashes: list[int], window: int) -> list[int]:
    """The minimum of every window of so many consecutive hashes."""
    return [min(hashes[i : i + window]) for i in range(len(hashes) - window + 1)]


def runs(values: list[int]) -> int:
    """Stretches of equal values."""
    return sum(i == 0 or values[i] != values[i - 1] for i in range(len(values)))


def signed(value: int) -> int:
    value &= LOW
    return value - (1 << 32) if value >> 31 else value


def sampled(text: bytes, window: int) -> set[int]:
    """What winnowing a text with a window leaves, and its ends; it has RUN tokens or more."""
    hashes = gram_hashes(reference_tokens(text))
    minima = window_minima(hashes, min(window, len(hashes)))
    return {signed(h) for h in (*minima, hashes[0], hashes[-1])}


def fits(text: bytes, window: int, budget: int) -> bool:
    hashes = gram_hashes(reference_tokens(text))
    room = budget if len(hashes) <= budget else budget - ENDS
    return runs(window_minima(hashes, window)) <= room


BUDGETS = (SYSTEM_GRAMS, GRAMS)
