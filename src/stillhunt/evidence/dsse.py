"""DSSE envelopes: a payload, its type, and signatures over both (secure-systems-lab/dsse v1)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillhunt.evidence.canonical import decode, decode_base64, encode
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.primitives import is_signature
from stillhunt.evidence.refusal import Code, Refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MOST_SIGNATURES = 8


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """What is signed: DSSE's PAE of type and payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def key_id(public: bytes) -> str:
    """Names a public key: SHA-256 of its 32 bytes, as hex."""
    return hashlib.sha256(public).hexdigest()


@dataclass(frozen=True)
class Envelope:
    """An envelope that was read; its signatures are not yet checked.

    Attributes:
        payload: signed bytes.
        signatures: key id to signature, 64 bytes each.
    """

    payload: bytes
    signatures: dict[str, bytes]

    def is_signed_by(self, public: bytes) -> bool:
        """Whether a signature is by this Ed25519 key (32 bytes)."""
        signature = self.signatures.get(key_id(public))
        if signature is None:
            return False
        return is_signature(public, signature, pre_authentication(PAYLOAD_TYPE, self.payload))


def seal(payload: bytes, keys: list[Ed25519PrivateKey]) -> bytes:
    """An envelope around a payload, canonical JSON, signed by each key."""
    signed = pre_authentication(PAYLOAD_TYPE, payload)
    signatures = [
        {
            "keyid": key_id(key.public_key().public_bytes_raw()),
            "sig": base64.b64encode(key.sign(signed)).decode(),
        }
        for key in keys
    ]
    signatures.sort(key=lambda signature: signature["keyid"])
    return encode(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": signatures,
        }
    )


def open_envelope(text: bytes) -> Envelope:
    """Read an envelope.

    Raises:
        Refused: not canonical, of another payload type, without signatures, or with one twice.
    """
    value = decode(text, 16 << 20)
    if not isinstance(value, dict) or set(value) != {"payload", "payloadType", "signatures"}:
        raise Refused(Code.ENVELOPE_MALFORMED, "The envelope lacks or adds something.")
    if value["payloadType"] != PAYLOAD_TYPE:
        raise Refused(Code.ENVELOPE_MALFORMED, "The envelope holds something else than a claim.")
    rows = value["signatures"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_SIGNATURES:
        raise Refused(Code.ENVELOPE_MALFORMED, "The envelope has no signatures, or too many.")
    signatures: dict[str, bytes] = {}
    for row in rows:
        if not isinstance(row, dict) or set(row) != {"keyid", "sig"}:
            raise Refused(Code.ENVELOPE_MALFORMED, "A signature lacks or adds something.")
        name, signature = row["keyid"], strict_base64(row["sig"])
        good = isinstance(name, str) and len(name) == 64 and len(signature) == 64
        if not good or (signatures and name <= max(signatures)):
            raise Refused(Code.ENVELOPE_MALFORMED, "Signatures are malformed or out of order.")
        signatures[name] = signature
    return Envelope(strict_base64(value["payload"]), signatures)


def strict_base64(text: object) -> bytes:
    """Decode base64 that is exactly as it would be encoded.

    Raises:
        Refused: it is not.
    """
    try:
        if isinstance(text, str):
            return decode_base64(text)
    except EvidenceError:
        pass
    raise Refused(Code.ENVELOPE_MALFORMED, "A text in the envelope is not strict base64.")
