"""Where an audit's seed comes from, as it stands in a bundle."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from stillhunt.evidence.audit import OWN_WORK
from stillhunt.evidence.canonical import decode, encode
from stillhunt.evidence.checkpoint import decode_proof, encode_proof
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.note import Note, Signature, VerifierKey, parse_note, parse_vkey
from stillhunt.evidence.refusal import Code, Refused

AUDITOR, WITNESS, OWN = "auditor", "witness", "own"
_VALUE = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Seed:
    """A seed.

    Attributes:
        kind: AUDITOR: somebody named it; WITNESS: a cosignature, which only the witness can make,
            over a checkpoint that holds the claim; OWN: the claim's own hash, with samples so large
            that trying for a good one is hopeless.
        value: what the stream is made of, beside the claim.
        note: the cosigned checkpoint; witness: whose cosignature.
        consistency: proof that this checkpoint continues the one of the commitment.
    """

    kind: str
    value: bytes
    note: Note | None = None
    witness: VerifierKey | None = None
    consistency: tuple[bytes, ...] = ()

    @property
    def tries(self) -> int:
        """Binary logarithm of how often the claimant might have tried, as samples allow for."""
        return OWN_WORK if self.kind == OWN else 0

    def encode(self) -> bytes:
        """The member ``seed``."""
        if self.kind == AUDITOR:
            return encode({"kind": AUDITOR, "value": self.value.hex()})
        if self.note is None or self.witness is None:
            return encode({"kind": OWN})
        return encode(
            {
                "checkpoint": self.note.encode().decode().split("\n"),
                "consistency": encode_proof(self.consistency),
                "kind": WITNESS,
                "witness": str(self.witness),
            }
        )


def own_seed() -> Seed:
    """The claim's own hash as seed."""
    return Seed(OWN, b"")


def auditors_seed(value: str) -> Seed:
    """A seed that an auditor named: 64 hexadecimal digits.

    Raises:
        Refused: it is none.
    """
    if not _VALUE.match(value):
        raise Refused(
            Code.SEED_MALFORMED,
            "A seed is 32 bytes as 64 hexadecimal digits, in small letters.",
            "Make one with: head -c 32 /dev/urandom | xxd -p -c 32",
        )
    return Seed(AUDITOR, bytes.fromhex(value))


def witnessed_seed(note: Note, witness: VerifierKey, consistency: tuple[bytes, ...]) -> Seed:
    """A witness's cosignature as seed.

    Raises:
        Refused: the note has no cosignature of this witness.
    """
    made = [signature for signature in note.signatures if witness.made(signature)]
    if len(made) != 1:
        raise Refused(Code.SEED_MALFORMED, "The seed's checkpoint lacks its witness's cosignature.")
    return Seed(WITNESS, _value(note, made[0]), note, witness, consistency)


def read_seed(body: bytes) -> Seed:
    """Read the member ``seed``; what a witness signed is not yet checked.

    Raises:
        Refused: it is malformed.
    """
    value = decode(body, 1 << 17)
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == OWN and set(value) == {"kind"}:
        return own_seed()
    if kind == AUDITOR and set(value) == {"kind", "value"} and isinstance(value["value"], str):
        return auditors_seed(value["value"])
    wrong = Refused(Code.SEED_MALFORMED, "The seed is of no known form.")
    if kind != WITNESS or set(value) != {"kind", "checkpoint", "consistency", "witness"}:
        raise wrong
    lines, said = value["consistency"], value["checkpoint"]
    for texts in (lines, said, [value["witness"]]):
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise wrong
    try:
        note = parse_note("\n".join(said).encode())
        witness, proof = parse_vkey(value["witness"]), tuple(decode_proof(lines))
    except EvidenceError as error:
        raise Refused(Code.SEED_MALFORMED, error.problem) from error
    return witnessed_seed(note, witness, proof)


def _value(note: Note, signature: Signature) -> bytes:
    return sha256(note.text.encode() + signature.value).digest()
