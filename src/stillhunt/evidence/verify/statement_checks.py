"""Checks of the envelope, the statement, and the members that it names."""

from __future__ import annotations

from hashlib import sha256

from stillhunt.evidence.claim.bundle import readme
from stillhunt.evidence.dsse import Envelope, key_id, open_envelope
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.note import ED25519, VerifierKey, parse_vkey
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.statement import read_statement
from stillhunt.evidence.verify.context import Context, Outcome, passed

SELF_CHECKED = {
    "README.txt", "statement.dsse", "log/before", "log/after", "log/commit", "log/commit.proof",
    "log/consistency", "seed", "audit", "totals.audit", "opened",
}  # fmt: skip
"""Members that come after the signature, or that the signature cannot cover: checked by themselves."""

BY_DEPTH: dict[str, set[str]] = {
    "counts": set(),
    "pseudonymous": {"accounts", "leaves", "pseudonyms", "log/leaves.proof"},
    "full": {"accounts", "leaves", "log/leaves.proof"},
}
"""Members that a depth has to have."""
OPTIONAL = {"batches", "totals"}


def check_statement(context: Context) -> Outcome:
    """The envelope holds a well-formed statement whose numbers agree with one another."""
    context.envelope = open_envelope(context.body("statement.dsse"))
    context.read = statement = read_statement(context.envelope.payload)
    context.figures |= {
        "campaign": statement.predicate["campaign"],
        "depth": statement.depth,
        "claimed": dict(statement.predicate["counts"]),
        "not_covered": dict(statement.predicate["not_covered"]),
        "period": [statement.predicate["period"][end] for end in ("first", "last")],
        "statement_sha256": statement.digest.hex(),
    }
    return passed(f"Campaign {statement.predicate['campaign']}, depth {statement.depth}.")


def check_signature(context: Context) -> Outcome:
    """A key that is trusted signed the statement."""
    statement = context.statement
    named = {
        who: tuple(_key(row) for row in rows) for who, rows in statement.predicate["keys"].items()
    }
    context.log_keys = context.trust.log or named["log"]
    trusted = context.trust.claimants or context.log_keys
    if not context.trust.log and not context.trust.claimants:
        trusted = (*named["claimant"], *named["log"])
    who = _signer(context.envelope, trusted, (*named["claimant"], *named["log"]))
    if who.name != statement.predicate["claimant"]:
        raise Refused(
            Code.SIGNER_UNKNOWN, "The statement names another claimant than who signed it."
        )
    context.figures["signer"] = str(who)
    if context.trust.log:
        context.shown.append(f"The holder of the key {who} signed this claim.")
        return passed(f"Signed by {who}.")
    context.not_shown.append(
        "Whose keys these are: no trust file named the log's keys, so that the bundle's own were taken. "
        f"Compare {', '.join(map(str, context.log_keys))} with what the log's operator publishes."
    )
    return passed(f"Signed by {who}, which the bundle itself names.")


def check_members(context: Context) -> Outcome:
    """Members are those of the depth, with the digests that the statement gives."""
    statement = context.statement
    named = statement.members
    series = {name for name in context.members if name.startswith(("timestamps/", "openings/"))}
    there = set(context.members) - SELF_CHECKED - series
    needed = BY_DEPTH[statement.depth]
    if there != set(named) or not needed <= there or not there <= needed | OPTIONAL:
        raise Refused(
            Code.CONTAINER_MEMBER_MISSING,
            "The bundle lacks members of its statement, or adds some.",
        )
    for name, digest in named.items():
        if sha256(context.members[name]).hexdigest() != digest:
            raise Refused(Code.MEMBER_DIGEST, f"{name} is not the one that was signed.")
    if context.body("README.txt") != readme(statement):
        raise Refused(Code.README, "README.txt says something else than the statement.")
    return passed(f"{len(named)} members have the digests that were signed.")


def _signer(
    envelope: Envelope | None, trusted: tuple[VerifierKey, ...], named: tuple[VerifierKey, ...]
) -> VerifierKey:
    """The trusted key that signed; every signature has to be one that can be checked, and be good."""
    known = {key_id(key.public): key for key in (*named, *trusted)}
    signatures = envelope.signatures if envelope is not None else {}
    good = []
    for name in signatures:
        if name not in known:
            raise Refused(Code.SIGNER_UNKNOWN, "A signature is by a key that nobody has named.")
        if envelope is None or not envelope.is_signed_by(known[name].public):
            raise Refused(Code.ENVELOPE_SIGNATURE, "A signature of the statement does not verify.")
        good.append(known[name].public)
    for key in trusted:
        if key.public in good:
            return key
    raise Refused(
        Code.SIGNER_UNKNOWN,
        "The statement is signed by no key that is trusted.",
        "Add the claimant's key to the trust file, once you have it from the claimant.",
    )


def _key(row: str) -> VerifierKey:
    try:
        key = parse_vkey(row)
    except EvidenceError as error:
        raise Refused(Code.STATEMENT_MALFORMED, error.problem) from error
    if key.kind != ED25519:
        raise Refused(Code.STATEMENT_MALFORMED, "The statement names a key of a wrong kind.")
    return key
