"""Answers to an audit: the drawn leaves opened, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from typing import Protocol

import numpy as np

from stillhunt.evidence.audit import Plan
from stillhunt.evidence.batch_proof import batch_proof
from stillhunt.evidence.binary import put_increasing, put_number
from stillhunt.evidence.claim.rows import ClaimTrees
from stillhunt.evidence.claim.values import REFERRED, values_of
from stillhunt.evidence.entries import WHERE, commitments, split_leaves
from stillhunt.evidence.merkle import NodeReader, Rows
from stillhunt.evidence.pseudonyms import salt as opening_of
from stillhunt.records.leaf import LAYOUT

MAGIC = b"stillhunt audit 1\n"


class LeafSource(Protocol):
    """What holds the payload of a log's leaves."""

    def open_leaves(self, positions: np.ndarray) -> tuple[np.ndarray, Rows, Rows]:
        """Open observations.

        Args:
            positions: int64 (k,), strictly increasing, of observations.

        Returns:
            bool (k,): which could be opened; canonical bytes (k, 198); salts (k, 48).
        """
        ...


def exchanges_to_open(trees: ClaimTrees, plan: Plan) -> list[int]:
    """Indices of the exchanges that answer a plan, increasing.

    An account that was drawn needs one exchange that is its own; where nothing else of it was drawn,
    its first one.
    """
    rows = trees.rows
    wanted = set(plan.exchanges)
    for numbers, column in ((plan.inputs, rows.inputs), (plan.outputs, rows.outputs)):
        after = np.cumsum(column, dtype=np.uint64)
        where = np.searchsorted(after, np.array(numbers, dtype=np.uint64), side="right")
        wanted.update(where.tolist())
    owner = np.searchsorted(rows.starts, np.array(sorted(wanted), dtype=np.int64), side="right") - 1
    wanted.update(rows.starts[sorted(set(plan.accounts) - set(owner.tolist()))].tolist())
    return sorted(wanted)


def answer(
    trees: ClaimTrees,
    plan: Plan,
    leaves: LeafSource,
    nodes: NodeReader,
    size: int,
    secret: bytes | None = None,
) -> tuple[bytes, int]:
    """Answer an audit.

    Args:
        trees: of the claim; plan: what was drawn.
        leaves, nodes: of the log, of which the first ``size`` leaves are proven against.
        secret: the claim's key where pseudonyms are to be opened, too.

    Returns:
        The member ``audit``, and how many drawn leaves could not be opened any more.
    """
    rows = trees.rows
    wanted = exchanges_to_open(trees, plan)
    position = rows.position[wanted].astype(np.int64)
    order = np.unique(position)
    readable, leaf, salt = leaves.open_leaves(order)
    at = np.searchsorted(order, position)
    blocks = _blocks(leaf, salt, secret)
    of_account: dict[int, list[int]] = defaultdict(list)
    owner = np.searchsorted(rows.starts, np.array(wanted, dtype=np.int64), side="right") - 1
    for i, account in enumerate(owner.tolist()):
        of_account[account].append(i)
    out = bytearray(MAGIC)

    def write_account(account: int) -> None:
        first = int(rows.starts[account])
        tree = trees.exchanges(account)
        here = {wanted[i] - first: i for i in of_account[account]}
        out.extend(trees.value(account) + trees.opening(account))
        put_number(out, tree.size)
        put_increasing(out, list(here))
        tree.prove(list(here), out, lambda k: write_exchange(here[k]), counted=False)

    def write_exchange(i: int) -> None:
        j, k = wanted[i], int(at[i])
        out.append(1 if readable[k] else 0)
        for number in (rows.position[j], rows.inputs[j], rows.outputs[j]):
            put_number(out, int(number))
        if readable[k]:
            out.extend(blocks[k].tobytes())

    put_increasing(out, sorted(of_account))
    trees.top.prove(sorted(of_account), out, write_account, counted=True)
    shown = order[readable]
    if len(shown):
        out.extend(batch_proof(nodes, size, shown))
    return bytes(out), int(np.count_nonzero(~readable))


def _blocks(leaf: Rows, salt: Rows, secret: bytes | None) -> Rows:
    """What is told of each opened leaf: salt and who, salt and what, the commitment to where.

    With pseudonyms salt and where in place of the commitment, and what opens the leaf's pseudonyms in
    the order of REFERRED, zeroes for one that it does not have.
    """
    who, where, what = split_leaves(leaf)
    told = [salt[:, :16], who, salt[:, 32:48], what]
    if secret is None:
        return np.concatenate([*told, commitments(WHERE, salt[:, 16:32], where)], axis=1)
    records = np.ascontiguousarray(leaf).reshape(-1).view(LAYOUT)
    opened = np.zeros((len(leaf), len(REFERRED), 16), dtype=np.uint8)
    for at, kind in enumerate(REFERRED):
        value, said = values_of(records, kind)
        for i in np.flatnonzero(said).tolist():
            raw = int(value[i]).to_bytes(8, "little", signed=True)
            opened[i, at] = np.frombuffer(opening_of(secret, kind, raw), dtype=np.uint8)
    return np.concatenate([*told, salt[:, 16:32], where, opened.reshape(len(leaf), -1)], axis=1)
