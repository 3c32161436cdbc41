"""Reading the leaves that a bundle shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stillhunt.evidence.claim.leaves import ACCOUNT, LEAF, NOTHING, OPEN_ACCOUNT, OPEN_LEAF
from stillhunt.evidence.claim.values import REFERRED
from stillhunt.evidence.merkle import Rows
from stillhunt.evidence.pseudonyms import BYTES
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.statement import Statement


@dataclass(frozen=True)
class ShownLeaves:
    """Leaves and accounts of a bundle as they were read.

    Attributes:
        accounts: rows of ACCOUNT or OPEN_ACCOUNT; leaves: rows of LEAF or OPEN_LEAF.
        starts: int64 (m + 1,): where each account's leaves begin.
        names: kind to pseudonyms (k, 32); empty where leaves are whole.
    """

    accounts: np.ndarray
    leaves: np.ndarray
    starts: np.ndarray
    names: dict[str, Rows]


def read_leaves(statement: Statement, members: Mapping[str, memoryview]) -> ShownLeaves:
    """Read the members.

    Raises:
        Refused: malformed, or not as many as are claimed.
    """
    full = statement.depth == "full"
    accounts = _rows(members["accounts"], OPEN_ACCOUNT if full else ACCOUNT)
    leaves = _rows(members["leaves"], OPEN_LEAF if full else LEAF)
    counted = accounts["exchanges"].astype(object)
    if min(counted) < 1 or sum(counted) != len(leaves):
        raise Refused(Code.LEAVES_MALFORMED, "Accounts and leaves do not belong together.")
    if (len(accounts), len(leaves)) != (statement.accounts, statement.weights[0]):
        raise Refused(Code.LEAVES_TREE, "There are not as many leaves as are claimed.")
    starts = np.append(0, np.cumsum(accounts["exchanges"].astype(np.int64)))
    return ShownLeaves(
        accounts, leaves, starts, {} if full else _names(members["pseudonyms"], leaves)
    )


def _rows(body: memoryview, dtype: np.dtype[np.void]) -> np.ndarray:
    if len(body) == 0 or len(body) % dtype.itemsize:
        raise Refused(Code.LEAVES_MALFORMED, "A member has a wrong length.")
    return np.frombuffer(body, dtype=dtype)


def _names(body: memoryview, leaves: np.ndarray) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    at = 0
    wrong = Refused(Code.LEAVES_MALFORMED, "The pseudonyms are malformed.")
    for i, kind in enumerate(REFERRED):
        count = int.from_bytes(body[at : at + 4], "big")
        part = body[at + 4 : at + 4 + BYTES * count]
        if len(part) != BYTES * count or at + 4 > len(body):
            raise wrong
        found[kind] = np.frombuffer(part, dtype=np.uint8).reshape(-1, BYTES)
        at += 4 + len(part)
        refers = leaves["refers"][:, i]
        used = np.unique(refers[refers != NOTHING])
        texts = [row.tobytes() for row in found[kind]]
        in_use = len(used) == count and (count == 0 or int(used[-1]) == count - 1)
        if not in_use or any(a >= b for a, b in pairwise(texts)):
            raise wrong
    if at != len(body):
        raise wrong
    return found
