"""Leaves as they stand in a bundle that shows all of them: pseudonymous, or whole."""

from __future__ import annotations

import numpy as np

from stillhunt.errors import InputError
from stillhunt.evidence.batch_proof import batch_proof
from stillhunt.evidence.claim.answer import LeafSource
from stillhunt.evidence.claim.rows import ClaimTrees
from stillhunt.evidence.claim.tree import LARGEST_KEY
from stillhunt.evidence.claim.values import REFERRED, values_of
from stillhunt.evidence.entries import WHERE, WHO, commitments, split_leaves
from stillhunt.evidence.merkle import NodeReader, Rows
from stillhunt.evidence.pseudonyms import table
from stillhunt.records.leaf import LAYOUT

NOTHING = (1 << 32) - 1
"""A reference to no value: the log does not say."""

ACCOUNT = np.dtype([("separator", ">u8"), ("exchanges", ">u8"), ("pseudonym", "V32")])
OPEN_ACCOUNT = np.dtype(
    [("separator", ">u8"), ("exchanges", ">u8"), ("opening", "V16"), ("value", "V8")]
)
LEAF = np.dtype(
    [
        ("separator", ">u8"),
        ("position", ">u8"),
        ("salt", "u1", (16,)),
        ("what", "u1", (150,)),
        ("who", "u1", (32,)),
        ("where", "u1", (32,)),
        ("refers", ">u4", (len(REFERRED),)),
    ]
)
OPEN_LEAF = np.dtype(
    [
        ("separator", ">u8"),
        ("position", ">u8"),
        ("salts", "u1", (48,)),
        ("leaf", "u1", (LAYOUT.itemsize,)),
    ]
)
"""Rows of the members ``accounts`` and ``leaves``. A separator is that behind the row, the last of a tree
being the largest key."""

_AT_ONCE = 1 << 16


def leaf_members(
    trees: ClaimTrees,
    secret: bytes,
    leaves: LeafSource,
    nodes: NodeReader,
    size: int,
    depth: str,
) -> dict[str, bytes]:
    """The members by which a depth shows its leaves.

    Args:
        trees: of the claim; secret: its key.
        leaves, nodes: of the log, of which the first ``size`` leaves are proven against.
        depth: one of DEPTHS; counts shows none.

    Returns:
        Member's name to bytes.

    Raises:
        InputError: a leaf can be opened no longer.
    """
    if depth == "counts":
        return {}
    rows = trees.rows
    position = rows.position.astype(np.int64)
    order = np.argsort(position)
    # A copy by position, since that is how payloads are read fast; then into the claim's order.
    out = np.zeros(len(position), dtype=OPEN_LEAF)
    for start in range(0, len(order), _AT_ONCE):
        here = order[start : start + _AT_ONCE]
        readable, leaf, salts = leaves.open_leaves(position[here])
        if not readable.all():
            raise InputError(
                "A claimed leaf was deleted while the claim was made.", "Make the claim again."
            )
        out["leaf"][here], out["salts"][here] = leaf, salts
    out["position"] = rows.position
    for i in range(len(rows.account)):
        first, last = rows.starts[i : i + 2].tolist()
        out["separator"][first : last - 1] = trees.exchange_separators(i)
        out["separator"][last - 1] = LARGEST_KEY
    found = {"log/leaves.proof": batch_proof(nodes, size, np.unique(position))}
    if depth == "full":
        return found | {"accounts": _open_accounts(trees), "leaves": out.tobytes()}
    return found | {"accounts": _accounts(trees)} | _pseudonymous(out, secret)


def _separated(trees: ClaimTrees, dtype: np.dtype[np.void]) -> np.ndarray:
    out = np.zeros(len(trees.rows.account), dtype=dtype)
    out["separator"][:-1] = trees.top.separators
    out["separator"][-1] = LARGEST_KEY
    out["exchanges"] = np.diff(trees.rows.starts)
    return out


def _accounts(trees: ClaimTrees) -> bytes:
    out = _separated(trees, ACCOUNT)
    named = b"".join(trees.pseudonym(i) for i in range(len(out)))
    out["pseudonym"] = np.frombuffer(named, dtype="V32")
    return out.tobytes()


def _open_accounts(trees: ClaimTrees) -> bytes:
    out = _separated(trees, OPEN_ACCOUNT)
    each = range(len(out))
    out["opening"] = np.frombuffer(b"".join(trees.opening(i) for i in each), dtype="V16")
    out["value"] = np.frombuffer(b"".join(trees.value(i) for i in each), dtype="V8")
    return out.tobytes()


def _pseudonymous(opened: np.ndarray, secret: bytes) -> dict[str, bytes]:
    out = np.zeros(len(opened), dtype=LEAF)
    out["separator"], out["position"] = opened["separator"], opened["position"]
    tables = bytearray()
    records = np.ascontiguousarray(opened["leaf"]).reshape(-1).view(LAYOUT)
    for at, kind in enumerate(REFERRED):
        names, refers = _referred(records, kind, secret)
        tables += len(names).to_bytes(4, "big") + names.tobytes()
        out["refers"][:, at] = refers
    for start in range(0, len(opened), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        who, where, what = split_leaves(np.ascontiguousarray(opened["leaf"][part]))
        salts = opened["salts"][part]
        out["salt"][part], out["what"][part] = salts[:, 32:48], what
        out["who"][part] = commitments(WHO, salts[:, :16], who)
        out["where"][part] = commitments(WHERE, salts[:, 16:32], where)
    return {"leaves": out.tobytes(), "pseudonyms": bytes(tables)}


def _referred(records: np.ndarray, kind: str, secret: bytes) -> tuple[Rows, np.ndarray]:
    """Pseudonyms of one kind, ascending as bytes, and of each leaf which."""
    value, said = values_of(records, kind)
    distinct, which = np.unique(value[said], return_inverse=True)
    names = table(secret, kind, distinct)
    order = np.lexsort(names.view(">u8").T[::-1])
    rank = np.empty(len(order), dtype=np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    refers = np.full(len(records), NOTHING, dtype=np.uint32)
    refers[said] = rank[which]
    return np.ascontiguousarray(names[order]), refers
