"""The observation's hashes, for one text at a time and without compiled code.

The rule is that of docs/formats.md, Hashes: FNV-1a over UTF-8 from a seed of the column's word,
finished by MurmurHash3's fmix64.
"""

from __future__ import annotations

from hashlib import blake2b

_MASK = (1 << 64) - 1


def value_hash(text: str, column: str) -> bytes:
    """Hash of a value of a column ("account", "address"): 8 bytes, little-endian."""
    h = int.from_bytes(blake2b(column.encode(), digest_size=8).digest(), "little")
    for byte in text.encode("utf-8"):
        h = (h ^ byte) * 0x100000001B3 & _MASK
    h ^= h >> 33
    h = h * 0xFF51AFD7ED558CCD & _MASK
    h ^= h >> 33
    h = h * 0xC4CEB9FE1A85EC53 & _MASK
    return (h ^ h >> 33).to_bytes(8, "little")


def exchange_digest(exchange_id: str) -> bytes:
    """Digest of an exchange's id as the observation has it: BLAKE2b (RFC 7693), 16 bytes, no key."""
    return blake2b(exchange_id.encode("utf-8"), digest_size=16).digest()
