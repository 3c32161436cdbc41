"""The exchanges that a claim counts, in the order of its trees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np

from stillhunt.evidence.claim.tree import (
    SumTree,
    Weights,
    account_hash,
    exchange_hashes,
    separators,
)
from stillhunt.evidence.primitives import key_stream
from stillhunt.evidence.pseudonyms import pseudonym, salt


@dataclass(frozen=True)
class ClaimRows:
    """Claimed exchanges: accounts by value, of each its exchanges by key.

    Attributes:
        account: uint64 (m,), strictly increasing: the account's hash, unsigned.
        starts: int64 (m + 1,): where each account's exchanges begin; none is empty.
        key: uint64 (n,): first eight bytes, big-endian, of the exchange's digest; strictly increasing
            within an account.
        position: uint64 (n,): of its leaf in the log.
        inputs, outputs: uint64 (n,): tokens, 0 where the log does not say.
    """

    account: np.ndarray
    starts: np.ndarray
    key: np.ndarray
    position: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray

    @property
    def weights(self) -> Weights:
        """Exchanges, input and output tokens."""
        return len(self.key), int(self.inputs.sum()), int(self.outputs.sum())


def in_order(
    account: np.ndarray,
    digest: np.ndarray,
    position: np.ndarray,
    inputs: np.ndarray,
    outputs: np.ndarray,
) -> tuple[ClaimRows, int]:
    """Bring exchanges into the order of a claim.

    Args:
        account: int64 (n,); digest: V16 (n,); position: int64 (n,); inputs, outputs: int64 (n,).

    Returns:
        The rows, and how many were left out since the same exchange of the same account is in the
        log more than once (its first leaf stays).
    """
    value = account.astype(np.int64).view(np.uint64)
    key = np.frombuffer(digest.tobytes(), dtype=">u8")[::2].astype(np.uint64)
    order = np.lexsort((position, key, value))
    value, key = value[order], key[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (value[1:] != value[:-1]) | (key[1:] != key[:-1])
    kept, value, key = order[fresh], value[fresh], key[fresh]
    accounts, starts = np.unique(value, return_index=True)
    rows = ClaimRows(
        accounts,
        np.append(starts, len(value)).astype(np.int64),
        key,
        position[kept].astype(np.uint64),
        inputs[kept].astype(np.uint64),
        outputs[kept].astype(np.uint64),
    )
    return rows, int(len(order) - len(kept))


class ClaimTrees:
    """The trees over a claim's rows.

    Args:
        rows: at least one.
        key: of the claim, 32 bytes: its pseudonyms and separators.
    """

    def __init__(self, rows: ClaimRows, key: bytes) -> None:
        self.rows = rows
        self._key = key

    @cached_property
    def top(self) -> SumTree:
        """The tree of accounts."""
        leaves = []
        rows = self.rows
        weights = np.zeros((len(rows.account), 3), dtype=np.uint64)
        for i in range(len(rows.account)):
            tree = self.exchanges(i)
            weights[i] = tree.before[-1]
            leaves.append(account_hash(tree.weights(0, tree.size), self.pseudonym(i), tree.root))
        between = separators(rows.account, self._random(0, len(rows.account)))
        return SumTree.build(between, weights, np.frombuffer(b"".join(leaves), dtype="V32"))

    def exchanges(self, account: int) -> SumTree:
        """The tree of one account's exchanges."""
        rows = self.rows
        here = slice(int(rows.starts[account]), int(rows.starts[account + 1]))
        weights = np.stack(
            [
                np.ones(here.stop - here.start, dtype=np.uint64),
                rows.inputs[here],
                rows.outputs[here],
            ],
            axis=1,
        )
        leaves = exchange_hashes(rows.position[here], rows.inputs[here], rows.outputs[here])
        return SumTree.build(self.exchange_separators(account), weights, leaves)

    def exchange_separators(self, account: int) -> np.ndarray:
        """Separators of one account's exchanges."""
        first, last = self.rows.starts[account : account + 2].tolist()
        random = self._random(len(self.rows.account) + first, last - first)
        return separators(self.rows.key[first:last], random)

    def value(self, account: int) -> bytes:
        """An account's hash as the observation has it."""
        return int(self.rows.account[account]).to_bytes(8, "little")

    def opening(self, account: int) -> bytes:
        """What opens an account's pseudonym, beside its value."""
        return salt(self._key, "account", self.value(account))

    def pseudonym(self, account: int) -> bytes:
        """An account's pseudonym."""
        return pseudonym("account", self.opening(account), self.value(account))

    def _random(self, first: int, count: int) -> np.ndarray:
        key = sha256(b"stillhunt/separators/v1\n" + self._key).digest()
        block, skip = divmod(first * 8, 16)
        made = key_stream(key, block, skip + 8 * count)
        return np.frombuffer(made[skip:], dtype="<u8")
