"""The standards once more, as plainly as they are written and with nothing of the package."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def split(n: int) -> int:
    """The largest power of two below n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(leaves: list[bytes]) -> bytes:
    """Merkle tree hash of leaf hashes (RFC 6962 §2.1)."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) (RFC 6962 §2.1.1)."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) (RFC 6962 §2.1.2)."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def batch(positions: list[int], leaves: list[bytes]) -> list[bytes]:
    """Level by level, left to right: what is needed and cannot be computed."""
    proof: list[bytes] = []
    known = set(positions)
    row = list(leaves)
    while len(row) > 1:
        proof += [row[i ^ 1] for i in sorted(known) if i ^ 1 < len(row) and i ^ 1 not in known]
        row = [
            sha256(b"\x01" + row[i] + row[i + 1]) if i + 1 < len(row) else row[i]
            for i in range(0, len(row), 2)
        ]
        known = {i // 2 for i in known}
    return proof


def keystream(key: bytes, first: int, count: int) -> bytes:
    """AES-256 in counter mode from zero: bytes ``first`` to ``first + count``."""
    made = Cipher(AES(key), CTR(bytes(16))).encryptor().update(bytes(first + count))
    return made[first:]


def draws(seed: bytes, name: bytes, below: int, count: int) -> list[int]:
    """The first uniform numbers of a stream."""
    found: list[int] = []
    counter = 0
    while len(found) < count:
        block = sha256(seed + name + counter.to_bytes(8, "big"))
        for at in (0, 8, 16, 24):
            value = int.from_bytes(block[at : at + 8], "big")
            if value < 2**64 - 2**64 % below:
                found.append(value % below)
        counter += 1
    return found[:count]


def distinct(seed: bytes, name: bytes, population: int, count: int) -> list[int]:
    """So many distinct numbers; of the smaller of what is drawn and what is not, the first seen."""
    few = min(count, population - count)
    drawn: set[int] = set()
    asked = few
    while len(drawn) < few:
        drawn = set()
        for value in draws(seed, name, population, asked):
            if len(drawn) < few:
                drawn.add(value)
        asked += few
    return sorted(drawn if few == count else set(range(population)) - drawn)


def pseudonym(key: bytes, kind: str, value: bytes) -> tuple[bytes, bytes]:
    named = kind.encode() + b"\x00"
    salt = hmac.new(key, named + value, "sha256").digest()[:16]
    return salt, sha256(b"\x21" + named + salt + value)


def signature_holds(public: bytes, message: bytes, line: str, name: str, kind: int) -> bool:
    """Whether a note's line of signature is by that key, over that message (times are in it)."""
    dash, named, coded = line.split(" ")
    value = base64.b64decode(coded, validate=True)
    key_id = sha256(name.encode() + b"\n" + bytes([kind]) + public)[:4]
    if (dash, named, value[:4]) != ("\u2014", name, key_id):
        return False
    Ed25519PublicKey.from_public_bytes(public).verify(value[-64:], message)
    return True


def sum_tree(
    separators: list[int], leaves: list[tuple[tuple[int, ...], bytes]]
) -> tuple[tuple[int, ...], bytes]:
    """Weights and hash of a tree of sums over leaves' weights and hashes."""
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    left, right = sum_tree(separators[: k - 1], leaves[:k]), sum_tree(separators[k:], leaves[k:])
    numbers = (separators[k - 1], *left[0], *right[0])
    packed = b"".join(number.to_bytes(8, "big") for number in numbers)
    total = tuple(a + b for a, b in zip(left[0], right[0], strict=True))
    return total, sha256(b"\x32" + packed + left[1] + right[1])
