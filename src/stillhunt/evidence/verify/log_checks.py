"""Checks of the log's checkpoints and of the statement's place in it."""

from __future__ import annotations

from stillhunt.evidence.checkpoint import SignedCheckpoint, open_checkpoint, quorum_met
from stillhunt.evidence.claim.bundle import read_commit_proof, read_consistency
from stillhunt.evidence.entries import CLAIM, digest_entry
from stillhunt.evidence.failures import EvidenceError, NoteError, ProofError
from stillhunt.evidence.merkle import leaf_hash, verify_consistency, verify_inclusion
from stillhunt.evidence.note import parse_note
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.verify.context import Context, Outcome, not_applicable, passed


def signed_checkpoint(context: Context, body: bytes) -> SignedCheckpoint:
    """Read a checkpoint and check its signatures.

    Raises:
        Refused: malformed, of another log, or not signed by a key of the log.
    """
    origin = context.statement.predicate["origin"]
    try:
        note = parse_note(body)
        if note.encode() != body:
            raise NoteError("A checkpoint is not in its canonical form.")
    except EvidenceError as error:
        raise Refused(Code.CHECKPOINT_MALFORMED, error.problem) from error
    if note.text.split("\n", 1)[0] != origin:
        raise Refused(Code.CHECKPOINT_ORIGIN, "A checkpoint is of another log than the claim.")
    try:
        open_checkpoint(note, context.log_keys, (), origin)
    except NoteError as error:
        raise Refused(Code.CHECKPOINT_MALFORMED, error.problem) from error
    except EvidenceError as error:
        raise Refused(Code.CHECKPOINT_SIGNATURE, error.problem) from error
    try:
        return open_checkpoint(note, context.log_keys, context.trust.witnesses, origin)
    except EvidenceError as error:
        raise Refused(Code.COSIGNATURE_FORGED, error.problem) from error


def check_checkpoints(context: Context) -> Outcome:
    """The log's heads before, after and at the commitment are signed by the log."""
    expected = context.trust.origin
    predicate = context.statement.predicate
    if expected is not None and predicate["origin"] != expected:
        raise Refused(Code.CHECKPOINT_ORIGIN, "The claim is about another log than was expected.")
    if "log/before" in context.members:
        context.before = signed_checkpoint(context, context.body("log/before"))
    before = 0 if context.before is None else context.before.checkpoint.size
    after = signed_checkpoint(context, context.body("log/after"))
    commit = signed_checkpoint(context, context.body("log/commit"))
    context.heads = (after, commit)
    sizes = (before, after.checkpoint.size)
    if sizes != (predicate["log"]["before"], predicate["log"]["size"]):
        raise Refused(
            Code.CHECKPOINT_CONSISTENCY, "The checkpoints are not those that the statement names."
        )
    key = after.signed[0].key
    context.figures["log"] = {
        "origin": predicate["origin"],
        "key": f"{key.name}+{key.key_id.hex()}",
        "key_source": "pinned" if context.trust.log else "first seen",
        "size": after.checkpoint.size,
    }
    return passed(
        f"{predicate['origin']}: leaves {before:,} to {after.checkpoint.size:,}, and "
        f"{commit.checkpoint.size:,} at the commitment."
    )


def check_witnesses(context: Context) -> Outcome:
    """Enough witnesses cosigned the head that the claim is committed in."""
    if not context.trust.witnesses:
        context.not_shown.append(
            "That the log shows everybody the same: no witnesses were named as trusted."
        )
        return not_applicable("No witnesses were named as trusted.")
    names = sorted(context.commit.witnesses())
    if not quorum_met(context.commit, context.trust.quorum):
        raise Refused(
            Code.CHECKPOINT_COSIGNATURES,
            f"{len(names)} trusted witnesses cosigned the log's head, and "
            f"{context.trust.quorum} are needed.",
            "Ask for a bundle with a checkpoint that your witnesses have cosigned.",
        )
    if not names:
        return not_applicable("None was needed, and none cosigned.")
    times = [row.time for row in context.commit.cosigned if row.time is not None]
    context.figures["witnesses"] = {
        "names": names,
        "quorum": context.trust.quorum,
        "met": True,
        "first_time": min(times),
    }
    context.shown.append(
        f"{', '.join(names)} saw the log with this claim in it, as a continuation of what they had "
        "seen before."
    )
    return passed(f"Cosigned by {', '.join(names)}.")


def check_consistency(context: Context) -> Outcome:
    """Each head continues the one before."""
    first, second = read_consistency(context.body("log/consistency"))
    pairs = [(context.after, context.commit, second)]
    if context.before is not None:
        pairs.append((context.before, context.after, first))
    elif first:
        raise Refused(Code.CHECKPOINT_CONSISTENCY, "There is a proof for no checkpoint.")
    for one, two, proof in pairs:
        old, new = one.checkpoint, two.checkpoint
        try:
            verify_consistency(old.size, new.size, old.root, new.root, proof)
        except ProofError as error:
            raise Refused(Code.CHECKPOINT_CONSISTENCY, error.problem) from error
    return passed("Each checkpoint continues the one before.")


def check_commitment(context: Context) -> Outcome:
    """The statement was in the log before anything was drawn from it."""
    position, path = read_commit_proof(context.body("log/commit.proof"))
    commit = context.commit.checkpoint
    leaf = leaf_hash(digest_entry(CLAIM, context.statement.digest))
    try:
        verify_inclusion(leaf, position, commit.size, path, commit.root)
    except ProofError as error:
        raise Refused(Code.COMMIT_INCLUSION, "The log does not hold this statement.") from error
    if position < context.after.checkpoint.size:
        raise Refused(Code.COMMIT_INCLUSION, "The statement lies among the leaves that it claims.")
    context.figures["sealed"] = {"before": context.after.checkpoint.size, "commit": position}
    context.shown.append(
        f"The claim was fixed in the log {context.statement.predicate['origin']} as its leaf "
        f"{position:,}."
    )
    return passed(f"The statement is leaf {position:,} of the log.")
