"""entries.json: salts, commitments and log entries of made-up observations and account rows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from stillhunt.evidence import entries
from stillhunt.evidence.merkle import leaf_hash

KEY = hashlib.sha256(b"stillhunt vectors: a batch's salt key").digest()
LEAVES = (0, 1, 2, 5_000)


def canonical(i: int) -> bytes:
    """Bytes of one observation's length that mean nothing: what is committed to is bytes."""
    stream = b"".join(hashlib.sha256(b"leaf %d %d" % (i, k)).digest() for k in range(7))
    return stream[: entries.LEAF_BYTES]


def account_row(i: int) -> bytes:
    stream = b"".join(hashlib.sha256(b"account %d %d" % (i, k)).digest() for k in range(2))
    return stream[: entries.ACCOUNT_BYTES]


def document() -> dict[str, Any]:
    return {
        "batch_key": KEY.hex(),
        "observations": [_observation(i) for i in LEAVES],
        "account_rows": [_account(i) for i in LEAVES],
        "digests": [
            {
                "kind": kind,
                "digest": digest.hex(),
                "entry": entries.digest_entry(kind, digest).hex(),
            }
            for kind, digest in (
                (entries.BATCH, hashlib.sha256(b"batch").digest()),
                (entries.CLAIM, hashlib.sha256(b"claim").digest()),
                (entries.KEY, hashlib.sha256(b"key").digest()),
            )
        ],
    }


def _rows(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8).reshape(1, -1)


def _observation(i: int) -> dict[str, Any]:
    leaf, salt = _rows(canonical(i)), entries.salts(KEY, i, 1)
    who, where, what = (block.tobytes().hex() for block in entries.split_leaves(leaf))
    entry = entries.observation_entries(leaf, salt).tobytes()
    return {
        "leaf": i,
        "canonical": canonical(i).hex(),
        "salts": salt.tobytes().hex(),
        "who": who,
        "where": where,
        "what": what,
        "entry": entry.hex(),
        "leaf_hash": leaf_hash(entry).hex(),
    }


def _account(i: int) -> dict[str, Any]:
    row, salt = _rows(account_row(i)), entries.salts(KEY, i, 1)
    entry = entries.account_entries(row, salt).tobytes()
    return {
        "leaf": i,
        "canonical": account_row(i).hex(),
        "salts": salt.tobytes()[:32].hex(),
        "entry": entry.hex(),
        "leaf_hash": leaf_hash(entry).hex(),
    }
