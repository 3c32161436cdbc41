"""Entries of the log: salted commitments to parts of observations and of rows of the accounts table.

Nothing of content is in an entry. Whoever holds a salt and the block that it belongs to can show
what was committed to; without the salt no block, however few values it may have, can be tried out.
``docs/evidence.md`` publishes the formats.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.merkle import HASH_BYTES, HashRows, Rows, hash_rows
from stillhunt.evidence.primitives import key_stream
from stillhunt.records.leaf import LAYOUT

OBSERVATION: Final = 0x01
ACCOUNT: Final = 0x02
BATCH: Final = 0x03
CLAIM: Final = 0x04
KEY: Final = 0x05
"""Kinds of entries: their first byte."""

ENTRY_BYTES: dict[int, int] = {
    OBSERVATION: 1 + 3 * HASH_BYTES,
    ACCOUNT: 1 + 2 * HASH_BYTES,
    BATCH: 1 + HASH_BYTES,
    CLAIM: 1 + HASH_BYTES,
    KEY: 1 + HASH_BYTES,
}

WHO: Final = 0x10
WHERE: Final = 0x11
WHAT: Final = 0x12
ACCOUNT_WHO: Final = 0x13
ACCOUNT_BILL: Final = 0x14
"""Domains of commitments: the byte that is hashed before salt and block."""

SALT_BYTES = 16
SALTS_BYTES = 48
"""Of one leaf: three salts; rows of the accounts table use the first two."""
SALT_KEY_BYTES = 32

LEAF_BYTES = LAYOUT.itemsize
"""Of an observation's canonical bytes."""

WHO_BYTES, WHERE_BYTES, WHAT_BYTES = 20, 28, 150

_WHO = slice(30, 50)  # account, organization, credential
_WHERE = slice(50, 78)  # address, network, asn, tls, agent
_WHAT_HEAD, _WHAT_TAIL = slice(0, 30), slice(78, LEAF_BYTES)  # all else, null bits included

ACCOUNT_LAYOUT = np.dtype(
    [
        ("who_nulls", "u1"),
        ("account", "<i8"),
        ("organization", "<i8"),
        ("bill_nulls", "u1"),
        ("payment", "<i8"),
        ("email_domain", "<i8"),
        ("licensed", "u1"),
    ]
)
"""A row of the accounts table, hashed: 17 bytes of who, 18 of bill. Bit 0 of ``who_nulls`` is the
account's (never set), bit 1 the organization's; bit 0 of ``bill_nulls`` is the payment's, bit 1 the
e-mail domain's. A null has zero bytes in its place."""

ACCOUNT_BYTES = ACCOUNT_LAYOUT.itemsize
ACCOUNT_WHO_BYTES = 17


def as_rows(records: np.ndarray) -> Rows:
    """Structured records (n,) of LAYOUT or ACCOUNT_LAYOUT as bytes (n, w); bytes stay as they are."""
    if records.dtype.names is None:
        return records
    width = records.dtype.itemsize
    return np.ascontiguousarray(records).view(np.uint8).reshape(len(records), width)


def split_leaves(leaves: Rows) -> tuple[Rows, Rows, Rows]:
    """Blocks who, where and what of canonical bytes: (n, 198) to (n, 20), (n, 28), (n, 150)."""
    what = np.concatenate([leaves[:, _WHAT_HEAD], leaves[:, _WHAT_TAIL]], axis=1)
    return leaves[:, _WHO], leaves[:, _WHERE], what


def join_leaves(who: Rows, where: Rows, what: Rows) -> Rows:
    """The opposite of ``split_leaves``."""
    head = _WHAT_HEAD.stop
    return np.concatenate([what[:, :head], who, where, what[:, head:]], axis=1)


def salts(key: bytes, first: int, count: int) -> Rows:
    """Salts of a batch's leaves.

    They are bytes 48 i to 48 i + 47 of AES-256's key stream in counter mode (NIST SP 800-38A §6.5,
    counter from 0) under the batch's key, for leaf i of the batch.

    Args:
        key: 32 bytes; first, count: leaves.

    Returns:
        uint8 (count, 48).
    """
    if len(key) != SALT_KEY_BYTES:
        raise ValueError("a salt key has 32 bytes")
    counter = first * (SALTS_BYTES // 16)
    made = key_stream(key, counter, count * SALTS_BYTES)
    return np.frombuffer(made, dtype=np.uint8).reshape(count, SALTS_BYTES)


def commitments(domain: int, salt: Rows, blocks: Rows, hasher: HashRows = hash_rows) -> Rows:
    """SHA-256 of domain, salt and block.

    Args:
        domain: one byte; salt: (n, 16); blocks: (n, w).

    Returns:
        uint8 (n, 32).
    """
    n, width = blocks.shape
    message = np.empty((n, 1 + SALT_BYTES + width), dtype=np.uint8)
    message[:, 0] = domain
    message[:, 1 : 1 + SALT_BYTES] = salt
    message[:, 1 + SALT_BYTES :] = blocks
    return hasher(message)


def observation_entries(leaves: Rows, salt: Rows, hasher: HashRows = hash_rows) -> Rows:
    """Entries of observations.

    Args:
        leaves: canonical bytes (n, 198); salt: (n, 48).

    Returns:
        uint8 (n, 97).
    """
    blocks = split_leaves(leaves)
    return _entries(OBSERVATION, (WHO, WHERE, WHAT), blocks, salt, hasher)


def account_entries(rows: Rows, salt: Rows, hasher: HashRows = hash_rows) -> Rows:
    """Entries of rows of the accounts table.

    Args:
        rows: bytes of ACCOUNT_LAYOUT (n, 35); salt: (n, 48), of which the first 32 are used.

    Returns:
        uint8 (n, 65).
    """
    blocks = (rows[:, :ACCOUNT_WHO_BYTES], rows[:, ACCOUNT_WHO_BYTES:])
    return _entries(ACCOUNT, (ACCOUNT_WHO, ACCOUNT_BILL), blocks, salt, hasher)


def entries_of(kind: int, committed: tuple[Rows, ...]) -> Rows:
    """Entries of commitments (n, 32) each, in their order."""
    n = len(committed[0])
    out = np.empty((n, 1 + HASH_BYTES * len(committed)), dtype=np.uint8)
    out[:, 0] = kind
    for at, column in enumerate(committed):
        out[:, 1 + HASH_BYTES * at : 1 + HASH_BYTES * (at + 1)] = column
    return out


def _entries(
    kind: int, domains: tuple[int, ...], blocks: tuple[Rows, ...], salt: Rows, hasher: HashRows
) -> Rows:
    made = tuple(
        commitments(domain, salt[:, SALT_BYTES * at : SALT_BYTES * (at + 1)], block, hasher)
        for at, (domain, block) in enumerate(zip(domains, blocks, strict=True))
    )
    return entries_of(kind, made)


def digest_entry(kind: int, digest: bytes) -> bytes:
    """An entry that holds a digest: BATCH, CLAIM or KEY."""
    if kind not in (BATCH, CLAIM, KEY) or len(digest) != HASH_BYTES:
        raise ValueError("such an entry is a kind and 32 bytes")
    return bytes([kind]) + digest


def check_entry(entry: bytes) -> int:
    """The kind of an entry.

    Raises:
        EvidenceError: it is of no known kind, or not as long as its kind.
    """
    kind = entry[0] if entry else 0
    if ENTRY_BYTES.get(kind) != len(entry):
        raise EvidenceError("An entry of the log is of no known kind, or has a wrong length.")
    return kind
