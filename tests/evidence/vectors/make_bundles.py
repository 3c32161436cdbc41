"""bundles/: whole bundles of each depth, and bundles.json: by whom they are to be trusted.

Every random choice is a hash of what it is for, so that the same bytes come out again.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))

from forge import Done, Forge
from made_claims import World
from make_notes import TIME, WITNESS, seed

from stillhunt.evidence.claim import make
from stillhunt.evidence.keys import signer_of
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.note import parse_note
from stillhunt.evidence.seed import auditors_seed, own_seed, witnessed_seed
from stillhunt.records.leaf import LAYOUT, SCALARS

ORIGIN = "vectors.example/log"
FIRST = 1_780_000_000_000_000
AUDITOR = hashlib.sha256(b"stillhunt vectors: an auditor's value").hexdigest()


def observations(rows: int = 90, accounts: int = 6) -> np.ndarray:
    """Records of LAYOUT: every value from a hash, some of them null."""
    out = np.zeros(rows, dtype=LAYOUT)
    out["version"] = 1
    names = [name for name, _ in SCALARS]
    for i in range(rows):
        raw = hashlib.sha512(b"observation %d" % i).digest()
        who = hashlib.sha256(b"account %d" % (i % accounts if i < accounts else raw[0] % accounts))
        out["exchange"][i] = raw[:16]
        out["account"][i] = int.from_bytes(who.digest()[:8], "big", signed=True)
        out["time"][i] = FIRST + i * 60_000_000
        for j, name in enumerate(("address", "network", "asn", "tls", "agent")):
            out[name][i] = 1 + raw[16 + j] % 8
        out["input_tokens"][i], out["output_tokens"][i] = raw[30] * 7, raw[31] * 31
        for j, name in enumerate(("organization", "address", "asn", "output_tokens")):
            if name == "organization" or raw[40 + j] < 40:
                out["nulls"][i] |= 1 << names.index(name)
                out[name][i] = 0
    return out


def _random() -> Callable[[int], bytes]:
    numbers = itertools.count()

    def made(count: int) -> bytes:
        stream = b"".join(
            hashlib.sha256(b"stillhunt vectors: random %d %d" % (next(numbers), i)).digest()
            for i in range(count // 32 + 1)
        )
        return stream[:count]

    return made


def bundles() -> tuple[dict[str, bytes], dict[str, Any]]:
    """Files by name, and the document that goes with them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("os.urandom", _random()),
        patch.object(make, "datetime", _Then),
    ):
        return _bundles(Path(folder))


class _Then(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2026, 6, 2, 9, 30, tzinfo=tz)


def _bundles(folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    signer = signer_of(ORIGIN, seed("a log of bundles"))
    root = folder / "log"
    create_log(root, ORIGIN, signer)
    rows = observations()
    with writing_log(root) as writer:
        for part in (rows[:50], rows[50:]):
            writer.append(part, source={"made": "vectors"})
            writer.publish()
    forge = Forge(folder / "forge", World(root, rows, np.unique(rows["account"])[:3]))
    files: dict[str, bytes] = {}
    listed = []
    for name, depth, audit in (
        ("counts", "counts", ""),
        ("counts-auditor", "counts", "auditor"),
        ("counts-witness", "counts", "witness"),
        ("pseudonymous-own", "pseudonymous", "own"),
        ("full", "full", ""),
    ):
        draft = forge.draft(depth)
        done = _audited(forge, _cosigned(forge.finish(draft)), audit)
        body = done.write(folder / "made.claim").read_bytes()
        files[f"{name}.claim"] = body
        listed.append(
            {
                "file": f"bundles/{name}.claim",
                "sha256": hashlib.sha256(body).hexdigest(),
                "statement": done.statement.digest.hex(),
                "depth": depth,
                "audit": audit,
                "counts": done.statement.predicate["counts"],
            }
        )
    document = {
        "trust": {"log": [str(signer.key)], "witnesses": [str(WITNESS.key)], "quorum": 1},
        "auditor": AUDITOR,
        "bundles": listed,
    }
    return files, document


def _cosigned(done: Done) -> Done:
    note = parse_note(done.members["log/commit"])
    return done.having(log__commit=note.having([WITNESS.sign(note.text, TIME)]).encode())


def _audited(forge: Forge, done: Done, audit: str) -> Done:
    if not audit:
        return done
    if audit == "witness":
        note = parse_note(done.members["log/commit"])
        return forge.answered(done, witnessed_seed(note, WITNESS.key, ()))
    return forge.answered(done, own_seed() if audit == "own" else auditors_seed(AUDITOR))
