"""Holding exchanges that were opened whole to their claim and to the log."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from stillhunt.evidence.batch_proof import batch_root
from stillhunt.evidence.entries import (
    SALT_BYTES,
    WHERE,
    WHO,
    observation_entries,
    split_leaves,
)
from stillhunt.evidence.failures import ProofError
from stillhunt.evidence.merkle import leaf_hashes
from stillhunt.evidence.opened.member import Placed, Whole, complete, read_placed, read_traced
from stillhunt.evidence.pseudonyms import pseudonym
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.value_hash import exchange_digest
from stillhunt.evidence.verify.audit_walk import Committed
from stillhunt.evidence.verify.binding import check_binding
from stillhunt.evidence.verify.context import Context
from stillhunt.evidence.verify.leaf import leaf_of
from stillhunt.evidence.verify.shown import ShownLeaves


def check_opened(context: Context) -> int:
    """Exchanges opened whole are in the log, and among those that the claim counts.

    Returns:
        How many there are; 0: the bundle carries none.

    Raises:
        Refused: malformed, not claimed, not in the log, or not what is said of them.
    """
    if "opened" not in context.members:
        return 0
    body, claim, shown = context.members["opened"], context.committed, context.leaves
    if context.statement.depth == "full":
        raise Refused(
            Code.OPENED_MALFORMED, "A bundle that shows everything has nothing left to open."
        )
    placed = _traced(body, claim) if shown is None else _shown(body, shown)
    for one in placed:
        _hold(one, claim)
    _salted([one.whole for one in placed])
    context.opened = [one.whole for one in placed]
    _say(context, placed)
    return len(placed)


def _traced(body: memoryview, claim: Committed) -> list[Placed]:
    """At depth counts: through the claim's trees, and in the log by a proof."""
    found = read_traced(body, claim.accounts, claim.weights[0])
    if found.misplaced:
        raise Refused(Code.LEAVES_ORDER, "An opened account stands in another's place.")
    if (found.weights, found.root) != (claim.weights, claim.root):
        raise Refused(Code.OPENED_TREE, "An opened exchange is not one of those claimed.")
    wholes = sorted((one.whole for one in found.placed), key=lambda one: one.position)
    positions = [one.position for one in wholes]
    if len(set(positions)) < len(positions):
        raise Refused(Code.LEAVES_DUPLICATE, "One leaf of the log was claimed twice.")
    if not claim.before <= positions[0] <= positions[-1] < claim.size:
        raise Refused(Code.LEAVES_OUTSIDE_LOG, "A leaf lies outside the claim's part of the log.")
    leaves = np.frombuffer(b"".join(one.leaf for one in wholes), dtype=np.uint8)
    salts = np.frombuffer(b"".join(one.salts for one in wholes), dtype=np.uint8)
    n = len(wholes)
    hashes = leaf_hashes(observation_entries(leaves.reshape(n, -1), salts.reshape(n, -1)))
    try:
        root = batch_root(claim.size, positions, hashes, found.proof)
    except ProofError as error:
        raise Refused(Code.LEAVES_INCLUSION, error.problem) from error
    if root != claim.log_root:
        raise Refused(Code.LEAVES_INCLUSION, "An opened exchange is not in the log.")
    return found.placed


def _shown(body: memoryview, shown: ShownLeaves) -> list[Placed]:
    """At pseudonymous depth: what the shown leaves, which are in the log, commit to."""
    return [_committed(one, shown) for one in read_placed(body, shown.starts)]


def _committed(one: Placed, shown: ShownLeaves) -> Placed:
    row = shown.leaves[int(shown.starts[one.account]) + one.place]
    whole = complete(one.whole, row)
    who, where, what = _blocks(whole)
    salts = [whole.salts[at : at + SALT_BYTES] for at in (0, SALT_BYTES)]
    made = [
        sha256(bytes([domain]) + salt + block).digest()
        for domain, salt, block in zip((WHO, WHERE), salts, (who, where), strict=True)
    ]
    if made != [row["who"].tobytes(), row["where"].tobytes()]:
        raise Refused(
            Code.OPENED_COMMITMENT, "An exchange was opened to what its leaf does not commit to."
        )
    named = pseudonym("account", one.opening, one.value)
    if named != shown.accounts[one.account]["pseudonym"].tobytes():
        raise Refused(Code.PSEUDONYM_BINDING, "An account's pseudonym is not that of its value.")
    check_binding(shown, (one.account, one.place), who, where, what, list(whole.openings))
    return Placed(one.account, one.place, one.value, one.opening, one.least, one.most, whole)


def _hold(one: Placed, claim: Committed) -> None:
    """The exchange is the one named, of the account that it is counted for, and within the period."""
    who, _, what = _blocks(one.whole)
    leaf = leaf_of(who, what)
    if leaf.account != one.value:
        raise Refused(Code.LEAVES_WRONG_ACCOUNT, "A leaf is of another account than claimed.")
    if not one.least <= leaf.key <= one.most:
        raise Refused(Code.LEAVES_ORDER, "An exchange stands where another must stand, or twice.")
    if not claim.first <= leaf.time <= claim.last:
        raise Refused(Code.LEAVES_OUTSIDE_PERIOD, "A leaf lies outside the claim's period.")
    if exchange_digest(one.whole.exchange_id) != one.whole.record[0]["exchange"].tobytes():
        raise Refused(
            Code.LEAVES_WRONG_EXCHANGE, "An exchange was opened by the id of another exchange."
        )


def _salted(wholes: list[Whole]) -> None:
    salts = [
        one.salts[at : at + SALT_BYTES]
        for one in wholes
        for at in range(0, len(one.salts), SALT_BYTES)
    ]
    if len(set(salts)) < len(salts):
        raise Refused(
            Code.SALTS_REPEATED, "Two blocks have one salt: opening one opens others, too."
        )


def _blocks(whole: Whole) -> tuple[bytes, bytes, bytes]:
    row = np.frombuffer(whole.leaf, dtype=np.uint8).reshape(1, -1)
    who, where, what = (block.tobytes() for block in split_leaves(row))
    return who, where, what


def _say(context: Context, placed: list[Placed]) -> None:
    accounts = len({one.account for one in placed})
    records = [one.whole.record[0] for one in placed]
    inputs = sum(int(row["input_tokens"]) for row in records)
    outputs = sum(int(row["output_tokens"]) for row in records)
    context.figures["opened"] = {
        "accounts": accounts,
        "exchanges": len(placed),
        "input_tokens": inputs,
        "output_tokens": outputs,
    }
    one = len(placed) == 1
    context.shown.append(
        f"{len(placed):,} {'exchange was' if one else 'exchanges were'} opened whole, of {accounts:,} "
        f"{'account' if accounts == 1 else 'accounts'}, with {inputs:,} input and {outputs:,} output "
        f"tokens: {'it is' if one else 'each is'} in the log as shown, one of those that the claim counts, "
        "and of the account that it is counted for."
    )
    context.not_shown.append(
        "What other exchanges hold: the claimant chose which were opened whole, so that they are no sample."
    )
