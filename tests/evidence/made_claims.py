"""Small logs and claims, from random observations of known accounts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stillhunt.evidence.claim.gather import gather
from stillhunt.evidence.claim.make import Facts, Made, make_claim
from stillhunt.evidence.entries import as_rows
from stillhunt.evidence.keys import new_signer
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.note import COSIGNATURE
from stillhunt.evidence.seed import Seed, witnessed_seed
from stillhunt.evidence.value_hash import exchange_digest
from stillhunt.evidence.verify import Trust
from stillhunt.records.leaf import LAYOUT, SCALARS

START = 1_767_225_600_000_000
WITNESS = new_signer("witness.example/w", COSIGNATURE)


def observations(rows: int, accounts: int, seed: int = 1) -> np.ndarray:
    """Records of LAYOUT (n,), of skewed accounts, some values unknown."""
    rng = np.random.default_rng(seed)
    out = np.zeros(rows, dtype=LAYOUT)
    out["version"] = 1
    out["exchange"] = np.frombuffer(rng.bytes(16 * rows), dtype="V16")
    values = rng.integers(-(2**63), 2**63 - 1, accounts)
    share = rng.pareto(1.5, accounts) + 0.2
    out["account"] = values[rng.choice(accounts, rows, p=share / share.sum())]
    out["account"][:accounts] = values  # each at least once
    out["time"] = START + rng.integers(0, 86_400_000_000, rows)
    for name, many in (("address", 40), ("network", 20), ("asn", 5), ("tls", 4), ("agent", 6)):
        out[name] = rng.integers(1, 1 + many, rows)
    out["input_tokens"] = rng.integers(20, 2000, rows)
    out["output_tokens"] = rng.lognormal(6, 1, rows).astype(np.int64)
    names = [name for name, _ in SCALARS]
    silent = {"organization": 1.0, "address": 0.1, "asn": 0.5, "output_tokens": 0.05, "tls": 0.1}
    for name, part in silent.items():
        missing = rng.random(rows) < part
        out["nulls"] |= missing.astype(np.uint32) << np.uint32(names.index(name))
        out[name][missing] = 0
    return out


def with_ids(rows: np.ndarray, first: int = 0) -> np.ndarray:
    """The same observations, their exchanges named req-0, req-1 and so on."""
    ids = [f"req-{first + i}" for i in range(len(rows))]
    out = rows.copy()
    out["exchange"] = np.frombuffer(b"".join(map(exchange_digest, ids)), dtype="V16")
    return out


@dataclass(frozen=True)
class World:
    """A log on disk with what is in it.

    Attributes:
        root: of the log; rows: observations in their order; named: accounts of the campaign.
    """

    root: Path
    rows: np.ndarray
    named: np.ndarray

    @property
    def claimed(self) -> np.ndarray:
        """Records of the campaign."""
        return self.rows[np.isin(self.rows["account"], self.named)]

    def trust(self, **changes: object) -> Trust:
        """The log's key and the witness's."""
        log = Log(self.root)
        known = {
            "log": tuple(log.keys()),
            "witnesses": (WITNESS.key,),
            "origin": log.origin,
            # Small worlds are sampled at rates that nobody would accept.
            "most_error": 0.5,
            "least_confidence": 0.5,
        }
        return Trust(**{**known, **changes})  # type: ignore[arg-type]


def world(
    folder: Path, rows: int = 600, accounts: int = 12, named: int = 5, seed: int = 1
) -> World:
    """A log of two batches, the claim's exchanges among others."""
    root = folder / "log"
    create_log(root, "example.com/log")
    made = observations(rows, accounts, seed)
    with writing_log(root) as writer:
        for part in np.array_split(made, 2):
            writer.append(part, source={"made": "here"})
            writer.publish()
    return World(root, made, np.unique(made["account"])[:named])


def facts(campaign: str = "c-0123456789ab", **changes: object) -> Facts:
    """What a finding says."""
    known: dict[str, object] = {
        "campaign": campaign,
        "low": 0,
        "high": 10**6,
        "finding": {
            "probability": 0.9, "word": "very likely", "prior": 0.5, "link_p": 1e-9, "q_value": 1e-8,
            "harvest_p": 0.03, "harvest_p_floor": 0.03, "kinds": ["cot_elicitation"],
        },
        "method": {"package": "stillhunt", "version": "0"},
        "not_seen": ("Accounts that share nothing with others.",),
        "links": (),
        "named_accounts": 5,
        "named_exchanges": 0,
    }  # fmt: skip
    return Facts(**(known | changes))  # type: ignore[arg-type]


def claim(made: World, out: Path, depth: str = "counts", **changes: object) -> Made:
    """A claim of the campaign's exchanges, not yet audited."""
    digests = as_rows(made.claimed)[:, 6:22]
    found = gather(Log(made.root), np.ascontiguousarray(digests), made.named)
    return make_claim(made.root, facts(), found, out, depth=depth, **changes)  # type: ignore[arg-type]


def cosigned(made: World, time: int = 1_770_000_000) -> Seed:
    """A seed from the witness's cosignature of the log's latest head."""
    note = Log(made.root).head().note
    note = note.having([WITNESS.sign(note.text, time)])
    return witnessed_seed(note, WITNESS.key, ())
