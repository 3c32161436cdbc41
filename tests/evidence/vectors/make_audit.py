"""audit.json: streams, draws, sample sizes, bounds and pseudonyms."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import Any

from stillhunt.evidence import audit, pseudonyms
from stillhunt.evidence.sample_size import bad_lower_bound, bad_upper_bound, sample_size

STATEMENT = hashlib.sha256(b"stillhunt vectors: a statement").digest()
SEED = audit.seed_of(STATEMENT, "own", b"\x01\x02")
CLAIM_KEY = hashlib.sha256(b"stillhunt vectors: a claim's key").digest()
SIZES = ((0, "0.01", "0.999"), (1, "0.01", "0.999"), (100, "0.01", "0.999"), (1000, "0", "0.999"),
         (24_000, "0.01", "0.999"), (16_000_000, "0.01", "0.999"), (16_000_000, "0.001", "0.95"))  # fmt: skip
BOUNDS = ((10, 4, 1), (100, 100, 3), (24_000, 675, 0), (24_000, 675, 5), (16_000_000, 688, 0),
          (16_000_000, 688, 688))  # fmt: skip
PLANS = ((1, (1, 5, 7)), (30, (200, 10_000, 50_000)), (2400, (1_600_000, 10**9, 2 * 10**9)))


def document() -> dict[str, Any]:
    return {
        "seed": {"statement": STATEMENT.hex(), "kind": "own", "value": "0102", "seed": SEED.hex()},
        "streams": [
            {
                "name": name, "below": below,
                "first": list(islice(audit.stream(SEED, name.encode(), below), 12)),
            }
            for name, below in (("accounts", 7), ("exchanges", 16_000_000), ("input tokens", 3 << 61))
        ],
        "plans": [_plan(accounts, weights, tries) for accounts, weights in PLANS for tries in (0, 64)],
        "sample_sizes": [
            {"population": n, "error": error, "confidence": sure, "sample": sample_size(n, error, sure)}
            for n, error, sure in SIZES
        ],
        "bounds": [
            {
                "population": n, "sampled": drawn, "bad": bad, "confidence": "0.999",
                "at_most": bad_upper_bound(n, drawn, bad, "0.999"),
                "at_least": bad_lower_bound(n, drawn, bad, "0.999"),
            }
            for n, drawn, bad in BOUNDS
        ],
        "pseudonyms": {
            "key": CLAIM_KEY.hex(),
            "rows": [
                _pseudonym(kind, value.to_bytes(8, "little", signed=True))
                for kind in pseudonyms.KINDS for value in (0, 1, -1, 1 << 62)
            ],
        },
    }  # fmt: skip


def _plan(accounts: int, weights: tuple[int, int, int], tries: int) -> dict[str, Any]:
    plan = audit.plan(accounts, weights, audit.Rates(0.05, 0.1, 0.99), SEED, tries)
    return {
        "accounts": accounts, "weights": weights, "tries": tries,
        "error": "0.05", "token_error": "0.1", "confidence": "0.99",
        "drawn": {
            "accounts": plan.accounts, "exchanges": plan.exchanges,
            "inputs": plan.inputs, "outputs": plan.outputs,
        },
    }  # fmt: skip


def _pseudonym(kind: str, value: bytes) -> dict[str, str]:
    salt = pseudonyms.salt(CLAIM_KEY, kind, value)
    made = pseudonyms.pseudonym(kind, salt, value)
    return {"kind": kind, "value": value.hex(), "salt": salt.hex(), "pseudonym": made.hex()}
