"""Holding openings of single accounts and values to their claim."""

from __future__ import annotations

from typing import Any

from stillhunt.evidence.binary import Reader
from stillhunt.evidence.canonical import decode, decode_base64
from stillhunt.evidence.claim.tree import Walk, Weights, account_hash
from stillhunt.evidence.claim.values import REFERRED
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.opening import COLUMNS
from stillhunt.evidence.pseudonyms import pseudonym
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.statement import Statement
from stillhunt.evidence.value_hash import value_hash
from stillhunt.evidence.verify.shown import ShownLeaves

_KEYS = {"kind", "name", "opening", "proof", "statement", "value"}


def read_opening(body: bytes) -> dict[str, Any]:
    """Read an opening.

    Raises:
        Refused: it is malformed.
    """
    value = decode(body, 1 << 20)
    good = isinstance(value, dict) and set(value) == _KEYS
    if not good or not all(isinstance(text, str) for text in value.values()):
        raise Refused(Code.OPENING, "An opening is malformed.")
    if len(value["value"]) != 16 or len(value["opening"]) != 32 or value["kind"] not in COLUMNS:
        raise Refused(Code.OPENING, "An opening is malformed.")
    return dict(value)


def check_opening(opening: dict[str, Any], statement: Statement, shown: ShownLeaves | None) -> str:
    """Hold an opening to a claim.

    Args:
        opening: that was read; statement: of the claim.
        shown: its leaves, where it shows them with pseudonyms.

    Returns:
        What it shows, one sentence.

    Raises:
        Refused: it is of another claim, or does not open what it says.
    """
    kind, name = opening["kind"], opening["name"]
    try:
        value, salted = bytes.fromhex(opening["value"]), bytes.fromhex(opening["opening"])
    except ValueError as error:
        raise Refused(Code.OPENING, "An opening is malformed.") from error
    if opening["statement"] != statement.digest.hex():
        raise Refused(Code.OPENING, "An opening is of another claim.")
    if (value.hex(), salted.hex()) != (opening["value"], opening["opening"]):
        raise Refused(Code.OPENING, "An opening is malformed.")
    if value_hash(name, COLUMNS[kind]) != value:
        raise Refused(Code.OPENING, "An opening's name is not that of its value.")
    named = pseudonym(kind, salted, value)
    if kind == "account":
        exchanges, inputs, outputs = _account(opening["proof"], value, named, statement)
        return (
            f"The account {name} is counted with {exchanges:,} exchanges, {inputs:,} input and "
            f"{outputs:,} output tokens."
        )
    if opening["proof"] or shown is None or kind not in shown.names:
        raise Refused(Code.OPENING, "The bundle shows no pseudonyms that this opening could be of.")
    rows = [row.tobytes() for row in shown.names[kind]]
    if named not in rows:
        raise Refused(Code.OPENING, "The bundle has no such pseudonym.")
    count = int((shown.leaves["refers"][:, REFERRED.index(kind)] == rows.index(named)).sum())
    return f"The {kind} {name} has the pseudonym {named.hex()[:16]}, on {count:,} exchanges."


def _account(proof: str, value: bytes, named: bytes, statement: Statement) -> Weights:
    try:
        reader = Reader(decode_base64(proof), Code.OPENING)
    except EvidenceError as error:
        raise Refused(Code.OPENING, "An opening is malformed.") from error
    index = reader.number(statement.accounts - 1)
    found: list[Weights] = []

    def leaf(_: int, low: int, high: int) -> tuple[Weights, bytes]:
        if not low <= int.from_bytes(value, "little") <= high:
            raise Refused(Code.OPENING, "An opened account stands in another's place.")
        weights = (reader.number(), reader.number(), reader.number())
        found.append(weights)
        return weights, account_hash(weights, named, reader.take(32))

    walk = Walk(reader, [index], counted=True, start=(0, 0, 0))
    root = walk.root(statement.accounts, leaf, lambda *_: None)
    reader.end()
    if root != (statement.weights, statement.root):
        raise Refused(Code.OPENING, "An opened account is not one of this claim.")
    return found[0]
