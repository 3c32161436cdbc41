"""A claim's statement: an in-toto Statement (v1), canonical JSON, in an envelope that is signed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from stillhunt.evidence.audit import Rates
from stillhunt.evidence.canonical import decode, encode, is_plain_name
from stillhunt.evidence.claim.tree import Weights
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.sample_size import MOST
from stillhunt.records.chances import estimative_word

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://stillhunt.dev/attestation/claim/v1"
CLAIM_VERSION = 1
DEPTHS: tuple[str, ...] = ("counts", "pseudonymous", "full")
MOST_BYTES = 12 << 20
MOST_COUNT = 1 << 62

_HEX = re.compile(r"[0-9a-f]{64}\Z")
_KEY = re.compile(r"[A-Za-z0-9._:/@+=-]{1,300}\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
_KEYS = {
    "claim", "campaign", "depth", "origin", "claimant", "keys", "signed_at", "period", "counts",
    "tree", "log", "audit", "finding", "method", "not_seen", "not_covered", "links", "members",
}  # fmt: skip
_COUNTS = {
    "accounts", "exchanges", "exchanges_low", "exchanges_high", "input_tokens", "output_tokens",
}  # fmt: skip
_NOT_COVERED = {"accounts", "exchanges", "not_sealed", "other_account", "repeated"}
_FINDING = {
    "probability", "word", "prior", "link_p", "q_value", "harvest_p", "harvest_p_floor", "kinds",
}  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """A statement that was read and is well-formed.

    Attributes:
        payload: its bytes; predicate: what is claimed (docs/evidence.md).
    """

    payload: bytes
    predicate: dict[str, Any]

    @property
    def digest(self) -> bytes:
        """What the log commits to."""
        return sha256(self.payload).digest()

    @property
    def depth(self) -> str:
        """One of DEPTHS."""
        return str(self.predicate["depth"])

    @property
    def accounts(self) -> int:
        """How many are claimed."""
        return int(self.predicate["counts"]["accounts"])

    @property
    def weights(self) -> Weights:
        """Exchanges, input and output tokens that are claimed."""
        counts = self.predicate["counts"]
        return counts["exchanges"], counts["input_tokens"], counts["output_tokens"]

    @property
    def root(self) -> bytes:
        """Root of the tree of accounts."""
        return bytes.fromhex(self.predicate["tree"])

    @property
    def rates(self) -> Rates:
        """How sure an audit of it is to be."""
        audit = self.predicate["audit"]
        return Rates(audit["error"], audit["token_error"], audit["confidence"])

    @property
    def members(self) -> dict[str, str]:
        """Digests of members."""
        return dict(self.predicate["members"])


def write_statement(predicate: dict[str, Any]) -> Statement:
    """A statement of what is claimed.

    Raises:
        Refused: something is missing or means nothing.
    """
    return read_statement(
        encode(
            {
                "_type": STATEMENT_TYPE,
                "predicate": predicate,
                "predicateType": PREDICATE_TYPE,
                "subject": [
                    {
                        "digest": {"sha256": predicate["tree"]},
                        "name": predicate["campaign"],
                    }
                ],
            }
        )
    )


def read_statement(payload: bytes) -> Statement:
    """Read a statement from an envelope.

    Raises:
        Refused: it is not canonical, lacks or adds something, or its numbers contradict one another.
    """
    value = decode(payload, MOST_BYTES)
    expect(isinstance(value, dict))
    expect(set(value) == {"_type", "predicate", "predicateType", "subject"})
    expect(value["_type"] == STATEMENT_TYPE and value["predicateType"] == PREDICATE_TYPE)
    predicate = value["predicate"]
    expect(isinstance(predicate, dict) and set(predicate) == _KEYS)
    expect(predicate["claim"] == CLAIM_VERSION and predicate["depth"] in DEPTHS)
    _names(predicate)
    _numbers(predicate)
    _texts(predicate)
    expect(isinstance(predicate["tree"], str) and _HEX.match(predicate["tree"]) is not None)
    subject = [{"digest": {"sha256": predicate["tree"]}, "name": predicate["campaign"]}]
    expect(value["subject"] == subject)
    return Statement(payload, predicate)


def expect(good: bool, code: Code = Code.STATEMENT_MALFORMED) -> None:
    """Refuse a statement that is not as it must be."""
    if not good:
        said = {
            Code.STATEMENT_NUMBERS: "The statement's numbers contradict one another.",
            Code.FINDING_WORD: "The finding's word is not the one for its probability.",
            Code.NAME_DECEPTIVE: "A name in the statement has characters that can deceive.",
        }.get(code, "The statement lacks, adds or misspells something.")
        raise Refused(code, said)


def is_count(value: object) -> bool:
    """Whether a value is a number of things."""
    return type(value) is int and 0 <= value < MOST_COUNT


def _names(predicate: dict[str, Any]) -> None:
    for name in ("campaign", "origin", "claimant"):
        expect(isinstance(predicate[name], str))
        expect(is_plain_name(predicate[name]), Code.NAME_DECEPTIVE)
    keys = predicate["keys"]
    expect(isinstance(keys, dict) and set(keys) == {"claimant", "log"})
    for rows in keys.values():
        expect(isinstance(rows, list) and 1 <= len(rows) <= 8)
        expect(all(isinstance(row, str) for row in rows))
        expect(all(_KEY.match(row) for row in rows), Code.NAME_DECEPTIVE)
    members = predicate["members"]
    expect(isinstance(members, dict))
    expect(all(isinstance(digest, str) and _HEX.match(digest) for digest in members.values()))


def _numbers(predicate: dict[str, Any]) -> None:
    counts, period = predicate["counts"], predicate["period"]
    expect(isinstance(counts, dict) and set(counts) == _COUNTS)
    expect(all(is_count(value) for value in counts.values()))
    expect(isinstance(period, dict) and set(period) == {"first", "last"})
    expect(all(type(value) is int and abs(value) < MOST_COUNT for value in period.values()))
    good = 1 <= counts["accounts"] <= counts["exchanges"] and period["first"] <= period["last"]
    good = good and counts["exchanges_low"] <= counts["exchanges_high"]
    expect(good and counts["exchanges"] <= MOST, Code.STATEMENT_NUMBERS)
    log = predicate["log"]
    expect(isinstance(log, dict) and set(log) == {"before", "size"})
    expect(all(is_count(value) for value in log.values()))
    expect(log["size"] - log["before"] >= counts["exchanges"], Code.STATEMENT_NUMBERS)
    rates = predicate["audit"]
    expect(isinstance(rates, dict) and set(rates) == {"error", "token_error", "confidence"})
    expect(all(type(value) is float and 0 < value < 1 for value in rates.values()))
    # So that what an audit needs stays bounded.
    expect(min(rates["error"], rates["token_error"]) >= 0.001)
    expect(0.5 <= rates["confidence"] <= 1 - 1e-9)
    lost = predicate["not_covered"]
    expect(isinstance(lost, dict) and set(lost) == _NOT_COVERED)
    expect(all(is_count(value) for value in lost.values()))


def _texts(predicate: dict[str, Any]) -> None:
    expect(isinstance(predicate["signed_at"], str))
    expect(_TIME.match(predicate["signed_at"]) is not None)
    for name in ("not_seen", "links"):
        expect(isinstance(predicate[name], list))
    expect(all(isinstance(row, str) and len(row) <= 2000 for row in predicate["not_seen"]))
    expect(all(isinstance(row, dict) for row in predicate["links"]))
    expect(isinstance(predicate["method"], dict))
    finding = predicate["finding"]
    expect(isinstance(finding, dict) and set(finding) == _FINDING)
    for name in _FINDING - {"word", "kinds"}:
        value = finding[name]
        expect(value is None or (isinstance(value, float | int) and 0 <= value <= 1))
    expect(isinstance(finding["word"], str) and len(finding["word"]) <= 100)
    chance = finding["probability"]
    expect(chance is not None and finding["word"] == estimative_word(chance), Code.FINDING_WORD)
    kinds = finding["kinds"]
    expect(isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds))
    expect(all(is_plain_name(kind) for kind in kinds), Code.NAME_DECEPTIVE)
