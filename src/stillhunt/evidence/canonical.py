"""JSON with one spelling for each document, so that digests of documents are digests of meaning."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from stillhunt.evidence.failures import EvidenceError


def canonical_json(document: Any) -> bytes:
    """Keys in order, no spaces, UTF-8, no NaN."""
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def parse_canonical(data: bytes, most: int = 1 << 20) -> Any:
    """The document that was spelt so.

    Args:
        data: as of ``canonical_json``; most: bytes that it may have.

    Raises:
        EvidenceError: it is no JSON, or spelt otherwise.
    """
    if len(data) > most:
        raise EvidenceError("A document is longer than any of its kind.")
    try:
        document = json.loads(data.decode("utf-8"))
        spelt = canonical_json(document)
    except (ValueError, RecursionError) as error:  # bad UTF-8, lone surrogates, NaN included
        raise EvidenceError("A document is no JSON.") from error
    if spelt != data:
        raise EvidenceError("A document is not spelt as canonical JSON.")
    return document


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """The opposite; only the canonical spelling is taken.

    Raises:
        EvidenceError: it is another.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise EvidenceError("Something that should be base64 is not.") from error
    if encode_base64(data) != text:
        raise EvidenceError("Something in base64 is not spelt canonically.")
    return data
