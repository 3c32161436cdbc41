"""Pseudonyms of a claim: commitments to hashed values that can be opened one by one.

With the claim's key K, kind k and value v (the observation's hash, 8 bytes little-endian):

    s = HMAC-SHA-256(K, k || 0x00 || v)[:16],   pseudonym = SHA-256(0x21 || k || 0x00 || s || v)

Equal values of one kind get one pseudonym. Opening it gives v and s and tells nothing of others;
without s not even a small domain can be tried out.
"""

from __future__ import annotations

import hashlib
import hmac

import numpy as np

KINDS: tuple[str, ...] = (
    "account", "organization", "address", "network", "client", "asn", "payment", "email_domain",
)  # fmt: skip
"""What pseudonyms are of; ``client`` is TLS fingerprint and agent together."""

BYTES = 32


def salt(key: bytes, kind: str, value: bytes) -> bytes:
    """The 16 bytes that, with the value, open its pseudonym."""
    return hmac.digest(key, kind.encode() + b"\x00" + value, "sha256")[:16]


def pseudonym(kind: str, opening: bytes, value: bytes) -> bytes:
    """The pseudonym, 32 bytes, of a value and its salt."""
    return hashlib.sha256(b"\x21" + kind.encode() + b"\x00" + opening + value).digest()


def table(key: bytes, kind: str, values: np.ndarray) -> np.ndarray:
    """Pseudonyms of distinct values.

    Args:
        key: of the claim.
        kind: one of KINDS.
        values: int64, shape (n,).

    Returns:
        uint8, shape (n, 32).
    """
    raw = values.astype("<i8").tobytes()
    out = bytearray()
    for at in range(0, len(raw), 8):
        value = raw[at : at + 8]
        out += pseudonym(kind, salt(key, kind, value), value)
    return np.frombuffer(bytes(out), dtype=np.uint8).reshape(-1, BYTES)
