"""claims.json: a claim's tree of sums, and an envelope around a statement."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stillhunt.evidence.claim.rows import ClaimRows, ClaimTrees
from stillhunt.evidence.dsse import PAYLOAD_TYPE, key_id, pre_authentication, seal

SECRET = hashlib.sha256(b"stillhunt vectors: a claim's key").digest()
SIGNER = Ed25519PrivateKey.from_private_bytes(
    hashlib.sha256(b"stillhunt vectors: a claimant's key").digest()
)
SIZES = (1, 2, 3, 5, 8)
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1","note":"no claim, but bytes"}'


def number(text: str, below: int = 1 << 64) -> int:
    """A number that a text stands for."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % below


def rows() -> ClaimRows:
    accounts = sorted(number(f"account {i}") for i in range(len(SIZES)))
    keys: list[int] = []
    for i, size in enumerate(SIZES):
        keys += sorted(number(f"exchange {i} {j}") for j in range(size))
    n = len(keys)
    return ClaimRows(
        np.array(accounts, dtype=np.uint64),
        np.append(0, np.cumsum(SIZES)).astype(np.int64),
        np.array(keys, dtype=np.uint64),
        np.array([number(f"position {j}", 10**6) for j in range(n)], dtype=np.uint64),
        np.array([number(f"input {j}", 3000) for j in range(n)], dtype=np.uint64),
        np.array([number(f"output {j}", 9000) for j in range(n)], dtype=np.uint64),
    )


def document() -> dict[str, Any]:
    claimed = rows()
    trees = ClaimTrees(claimed, SECRET)
    return {
        "tree": {
            "key": SECRET.hex(),
            "accounts": [_account(trees, i) for i in range(len(SIZES))],
            "separators": [str(one) for one in trees.top.separators.tolist()],
            "weights": trees.top.weights(0, trees.top.size),
            "root": trees.top.root.hex(),
        },
        "envelope": {
            "key": SIGNER.private_bytes_raw().hex(),
            "key_id": key_id(SIGNER.public_key().public_bytes_raw()),
            "payload": base64.b64encode(PAYLOAD).decode(),
            "signed": pre_authentication(PAYLOAD_TYPE, PAYLOAD).decode(),
            "envelope": seal(PAYLOAD, [SIGNER]).decode(),
        },
    }


def _account(trees: ClaimTrees, i: int) -> dict[str, Any]:
    claimed = trees.rows
    here = range(int(claimed.starts[i]), int(claimed.starts[i + 1]))
    tree = trees.exchanges(i)
    return {
        "value": trees.value(i).hex(),
        "opening": trees.opening(i).hex(),
        "pseudonym": trees.pseudonym(i).hex(),
        "exchanges": [
            {
                # As text: not every language has whole numbers of 64 bits in JSON.
                "key": str(int(claimed.key[j])),
                "position": int(claimed.position[j]),
                "input": int(claimed.inputs[j]),
                "output": int(claimed.outputs[j]),
            }
            for j in here
        ],
        "separators": [str(one) for one in tree.separators.tolist()],
        "root": tree.root.hex(),
    }
