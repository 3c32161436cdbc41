"""notes.json: keys, signed notes, checkpoints and cosignatures, good and bad ones."""

from __future__ import annotations

import hashlib
from typing import Any

from stillhunt.evidence.canonical import encode_base64
from stillhunt.evidence.checkpoint import Checkpoint
from stillhunt.evidence.keys import Signer, rotation_statement, signer_of
from stillhunt.evidence.note import COSIGNATURE, Note

ORIGIN = "log.example/stillhunt"
TIME = 1_780_315_200


def seed(text: str) -> bytes:
    return hashlib.sha256(f"stillhunt vectors: {text}".encode()).digest()


LOG = signer_of(ORIGIN, seed("log key"))
NEW_LOG = signer_of(ORIGIN, seed("log key, second"))
WITNESS = signer_of("witness.example/w1", seed("witness key"), COSIGNATURE)
STRANGER = signer_of("witness.example/w1", seed("another key"), COSIGNATURE)
CHECKPOINT = Checkpoint(ORIGIN, 1000, hashlib.sha256(b"root").digest())


def document() -> dict[str, Any]:
    text = CHECKPOINT.text
    signed = Note(text, (LOG.sign(text),))
    cosigned = signed.having([WITNESS.sign(text, TIME)])
    return {
        "keys": [_key(signer) for signer in (LOG, NEW_LOG, WITNESS, STRANGER)],
        "checkpoint": {
            "origin": ORIGIN,
            "size": CHECKPOINT.size,
            "root": CHECKPOINT.root.hex(),
            "text": text,
            "signed": signed.encode().decode(),
            "cosigned": cosigned.encode().decode(),
            "time": TIME,
        },
        "rotation": rotation_statement(ORIGIN, 1000, LOG, NEW_LOG).decode(),
        "refused": [{"why": why, "note": note} for why, note in _refused(text, signed)],
    }


def _refused(text: str, signed: Note) -> list[tuple[str, str]]:
    good = signed.encode().decode()
    line = good.rsplit("\n", 2)[-2]
    head, value = line.rsplit(" ", 1)
    # The last letter before the padding has two bits that say nothing: the same bytes, spelt anew.
    bare = value.rstrip("=")
    after = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spelt = bare[:-1] + after[after.index(bare[-1]) ^ 1] + "=" * (len(value) - len(bare))
    by_witness = Note(text, (WITNESS.sign(text, TIME),)).encode().decode()
    early = CHECKPOINT.text.replace("1000", "0999")
    leading = Note(early, (LOG.sign(early),)).encode().decode()
    short = f"{ORIGIN}\n1000\n{encode_base64(CHECKPOINT.root[:-1])}\n"
    return [
        ("no signature", text + "\n"),
        ("no line end at the end", good[:-1]),
        ("a blank line after the signatures", good + "\n"),
        ("a carriage return", good.replace("\n", "\r\n", 1)),
        ("base64 that is not canonical", good.replace(line, f"{head} {spelt}")),
        ("padding left out", good.replace(value, bare)),
        ("a hyphen in place of the dash", good.replace("\u2014", "-")),
        ("changed text", good.replace("1000", "1001")),
        ("signed by another key of that name", Note(text, (NEW_LOG.sign(text),)).encode().decode()),
        ("cosigned, but not signed by the log", by_witness),
        ("a leading zero in the size", leading),
        ("a root of 31 bytes", Note(short, (LOG.sign(short),)).encode().decode()),
    ]


def _key(signer: Signer) -> dict[str, Any]:
    key = signer.key
    return {"seed": signer.seed.hex(), "public": key.public.hex(), "vkey": str(key)}
