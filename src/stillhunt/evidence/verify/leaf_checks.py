"""Checks of bundles that show every claimed leaf: each in the log, counted once, and as claimed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stillhunt.evidence.batch_proof import batch_root
from stillhunt.evidence.claim.leaves import (
    NOTHING,
)
from stillhunt.evidence.claim.tree import LARGEST_KEY, SumTree, account_hash, exchange_hashes
from stillhunt.evidence.claim.values import REFERRED
from stillhunt.evidence.entries import (
    OBSERVATION,
    WHAT,
    WHERE,
    WHO,
    commitments,
    entries_of,
    split_leaves,
)
from stillhunt.evidence.failures import ProofError
from stillhunt.evidence.merkle import Rows, leaf_hashes
from stillhunt.evidence.pseudonyms import pseudonym
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.verify.context import Context, Outcome, not_applicable, passed
from stillhunt.evidence.verify.distinct import (
    check_distinct_accounts,
    check_distinct_exchanges,
)
from stillhunt.evidence.verify.leaf import columns_of, null_bit
from stillhunt.evidence.verify.shown import ShownLeaves, read_leaves

_AT_ONCE = 1 << 16
_OF = {
    "organization": ("organization",),
    "address": ("address",),
    "network": ("network",),
    "client": ("tls", "agent"),
    "asn": ("asn",),
}


def check_leaves(context: Context) -> Outcome:
    """Every leaf is in the log, is shown once, and together they are what is claimed."""
    if context.statement.depth == "counts":
        return not_applicable("At this depth only what an audit draws is shown.")
    context.leaves = shown = read_leaves(context.statement, context.members)
    hashes, columns = _opened(shown)
    _in_period_and_log(context, shown, columns)
    _in_order(shown, columns["key"])
    if shown.names:
        check_distinct_accounts(shown.accounts["pseudonym"])
    check_distinct_exchanges(columns["key"], columns["rest"])
    _tree(context, shown, columns)
    _in_log(context, shown, hashes)
    _salted(shown)
    counts = context.statement.predicate["counts"]
    names = ["exchanges", "input_tokens", "output_tokens"]
    names += ["accounts"] if context.statement.depth == "full" else []
    context.figures["proven"] = {name: counts[name] for name in names}
    context.shown.append(
        f"Exactly {counts['exchanges']:,} different exchanges, with {counts['input_tokens']:,} input and "
        f"{counts['output_tokens']:,} output tokens, are in the log and within the period: all were "
        "counted here."
    )
    if context.statement.depth == "full":
        context.shown.append(
            f"They are of exactly {counts['accounts']:,} different accounts: all were opened."
        )
    return passed(f"{len(shown.leaves):,} leaves of {len(shown.accounts):,} accounts.")


def _parts(shown: ShownLeaves) -> Iterator[np.ndarray]:
    for start in range(0, len(shown.leaves), _AT_ONCE):
        yield shown.leaves[start : start + _AT_ONCE]


def _salted(shown: ShownLeaves) -> None:
    """No two blocks have one salt."""
    salts = np.ascontiguousarray(shown.leaves["salt" if shown.names else "salts"])
    halves = salts.reshape(-1).view(">u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    inside = halves[order]
    if bool((inside[1:] == inside[:-1]).all(axis=1).any()):
        raise Refused(
            Code.SALTS_REPEATED, "Two blocks have one salt: opening one opens others, too."
        )


def _opened(shown: ShownLeaves) -> tuple[Rows, dict[str, np.ndarray]]:
    """Leaf hashes, and what is counted of each."""
    hashes, columns = [], []
    for part in _parts(shown):
        if shown.names:
            what = np.ascontiguousarray(part["what"])
            committed = (part["who"], part["where"], commitments(WHAT, part["salt"], what))
        else:
            who, where, what = split_leaves(np.ascontiguousarray(part["leaf"]))
            salts = part["salts"]
            committed = (
                commitments(WHO, salts[:, :16], who),
                commitments(WHERE, salts[:, 16:32], where),
                commitments(WHAT, salts[:, 32:], what),
            )
        hashes.append(leaf_hashes(entries_of(OBSERVATION, committed)))
        columns.append(columns_of(what))
    joined = {name: np.concatenate([column[name] for column in columns]) for name in columns[0]}
    return np.concatenate(hashes), joined


def _in_period_and_log(
    context: Context, shown: ShownLeaves, columns: dict[str, np.ndarray]
) -> None:
    claim = context.committed
    time, position = columns["time"], shown.leaves["position"]
    if int(time.min()) < claim.first or int(time.max()) > claim.last:
        raise Refused(Code.LEAVES_OUTSIDE_PERIOD, "A leaf lies outside the claim's period.")
    if (int(time.min()), int(time.max())) != (claim.first, claim.last):
        raise Refused(Code.PERIOD_OUTSIDE, "The period is longer than that of the leaves.")
    if int(position.min()) < claim.before or int(position.max()) >= claim.size:
        raise Refused(Code.LEAVES_OUTSIDE_LOG, "A leaf lies outside the claim's part of the log.")
    for i, kind in enumerate(REFERRED if shown.names else ()):
        bits = sum(1 << null_bit(name) for name in _OF[kind])
        silent = (columns["nulls"] & np.uint32(bits)) == bits
        if bool((silent != (shown.leaves["refers"][:, i] == NOTHING)).any()):
            raise Refused(Code.PSEUDONYM_BINDING, "A leaf has a pseudonym of what it does not say.")


def _in_order(shown: ShownLeaves, keys: np.ndarray) -> None:
    """Exchanges of an account differ, and so do accounts where they are open."""
    separator = shown.leaves["separator"].astype(np.uint64)
    _between(separator, keys, shown.starts, LARGEST_KEY)
    if not shown.names:
        values = np.frombuffer(shown.accounts["value"].tobytes(), dtype="<u8")
        ends = np.array([0, len(values)])
        _between(shown.accounts["separator"].astype(np.uint64), values, ends, LARGEST_KEY)
        here = np.repeat(values, np.diff(shown.starts))
        leaf = np.ascontiguousarray(shown.leaves["leaf"][:, 30:38]).view("<u8").reshape(-1)
        if bool((here != leaf).any()):
            raise Refused(Code.LEAVES_WRONG_ACCOUNT, "A leaf is of another account than claimed.")


def _between(separator: np.ndarray, keys: np.ndarray, starts: np.ndarray, last: int) -> None:
    first = np.zeros(len(keys), dtype=bool)
    first[starts[:-1]] = True
    ends = starts[1:] - 1
    # The key is at most the separator behind it, and larger than the one before.
    wrong = keys > separator
    wrong[1:] |= ~first[1:] & (keys[1:] <= separator[:-1])
    if bool(wrong.any()) or bool((separator[ends] != np.uint64(last)).any()):
        raise Refused(
            Code.LEAVES_ORDER, "An exchange stands where another must stand, or stands twice."
        )


def _tree(context: Context, shown: ShownLeaves, columns: dict[str, np.ndarray]) -> None:
    """The leaves make up the tree that was committed to."""
    rows, starts = shown.leaves, shown.starts
    leaves = []
    weights = np.zeros((len(shown.accounts), 3), dtype=np.uint64)
    inputs, outputs = (columns[name].astype(np.uint64) for name in ("inputs", "outputs"))
    hashes = exchange_hashes(rows["position"].astype(np.uint64), inputs, outputs)
    ones = np.ones(len(rows), dtype=np.uint64)
    each = np.stack([ones, inputs, outputs], axis=1)
    separator = rows["separator"].astype(np.uint64)
    for i, named in enumerate(_pseudonyms(shown)):
        here = slice(int(starts[i]), int(starts[i + 1]))
        tree = SumTree.build(separator[here][:-1], each[here], hashes[here])
        weights[i] = tree.before[-1]
        leaves.append(account_hash(tree.weights(0, tree.size), named, tree.root))
    top = SumTree.build(
        shown.accounts["separator"].astype(np.uint64)[:-1],
        weights,
        np.frombuffer(b"".join(leaves), dtype="V32"),
    )
    if top.weights(0, top.size) != context.statement.weights:
        raise Refused(Code.LEAVES_TOKENS, "The leaves have other tokens than are claimed.")
    if top.root != context.statement.root:
        raise Refused(Code.LEAVES_TREE, "The leaves are not those that the claim committed to.")


def _pseudonyms(shown: ShownLeaves) -> Iterator[bytes]:
    for row in shown.accounts:
        if shown.names:
            yield row["pseudonym"].tobytes()
        else:
            yield pseudonym("account", row["opening"].tobytes(), row["value"].tobytes())


def _in_log(context: Context, shown: ShownLeaves, hashes: Rows) -> None:
    position = shown.leaves["position"].astype(np.int64)
    order = np.argsort(position, kind="stable")
    inside = position[order]
    if bool((inside[1:] == inside[:-1]).any()):
        raise Refused(Code.LEAVES_DUPLICATE, "One leaf of the log was claimed twice.")
    claim = context.committed
    try:
        root = batch_root(claim.size, inside, hashes[order], context.body("log/leaves.proof"))
    except ProofError as error:
        raise Refused(Code.LEAVES_INCLUSION, error.problem) from error
    if root != claim.log_root:
        raise Refused(Code.LEAVES_INCLUSION, "A leaf is not in the log.")
