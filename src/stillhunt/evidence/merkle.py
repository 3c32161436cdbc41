"""Merkle trees as in RFC 6962 and RFC 9162: hashes, inclusion and consistency proofs.

A node is named by its level and its index there: ``(level, index)`` covers the leaves from ``index <<
level`` to before ``(index + 1) << level``. It is *complete* if the tree has all of them; only complete
nodes are stored anywhere, and they never change. A tree of n leaves has ceil(n / 2**level) nodes on a
level; the last one, where it is not complete, is that of RFC 6962's uneven split: on every level
neighbours are paired, and a last one without a neighbour goes up as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Protocol

import numpy as np
import numpy.typing as npt

from stillhunt.evidence.failures import ProofError

HASH_BYTES = 32

EMPTY_ROOT = sha256(b"").digest()
"""Of a tree without leaves (RFC 6962 §2.1)."""

MAX_SIZE = (1 << 63) - 1
"""Leaves of a tree, at most; C2SP checkpoints have the same bound."""

Rows = npt.NDArray[np.uint8]
"""Byte strings of one length w, n of them: shape (n, w). Hashes have w = 32."""

HashRows = Callable[[Rows], Rows]
"""SHA-256 of each row: (n, w) to (n, 32)."""

_AT_ONCE = 1 << 16


class NodeReader(Protocol):
    """Where the hashes of complete nodes come from: memory, tiles on disk, a web server."""

    def hash_at(self, level: int, index: int) -> bytes:
        """Hash of one complete node."""
        ...

    def hashes_at(self, level: int, indices: npt.NDArray[np.int64]) -> Rows:
        """Hashes of n complete nodes of one level: (n, 32), in the order of ``indices`` (n,)."""
        ...


def hash_rows(rows: Rows) -> Rows:
    """SHA-256 of each row, by hashlib.

    Args:
        rows: uint8 (n, w).

    Returns:
        uint8 (n, 32).
    """
    n, width = rows.shape
    out = np.empty((n, HASH_BYTES), dtype=np.uint8)
    for first in range(0, n, _AT_ONCE):
        part = np.ascontiguousarray(rows[first : first + _AT_ONCE])
        view = part.reshape(-1).data
        digests = b"".join(
            [sha256(view[at : at + width]).digest() for at in range(0, len(view), width)]
        )
        out[first : first + len(part)] = np.frombuffer(digests, np.uint8).reshape(-1, HASH_BYTES)
    return out


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a leaf (RFC 6962 §2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 6962 §2.1)."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hashes(entries: Rows, hasher: HashRows = hash_rows) -> Rows:
    """Hashes of n entries of one length: (n, w) to (n, 32)."""
    n, width = entries.shape
    prefixed = np.empty((n, width + 1), dtype=np.uint8)
    prefixed[:, 0] = 0
    prefixed[:, 1:] = entries
    return hasher(prefixed)


def pair_hashes(hashes: Rows, hasher: HashRows = hash_rows) -> Rows:
    """Parents of nodes that stand pairwise beside one another: (2 n, 32) to (n, 32)."""
    pairs = np.empty((len(hashes) // 2, 1 + 2 * HASH_BYTES), dtype=np.uint8)
    pairs[:, 0] = 1
    pairs[:, 1:] = np.ascontiguousarray(hashes).reshape(-1, 2 * HASH_BYTES)
    return hasher(pairs)


def as_hashes(data: bytes | Rows | Sequence[bytes]) -> Rows:
    """Hashes given as one string of bytes, as a list, or as rows: (n, 32).

    Raises:
        ProofError: they are no hashes of 32 bytes.
    """
    if isinstance(data, np.ndarray):
        rows = data
    else:
        joined = data if isinstance(data, bytes | bytearray | memoryview) else b"".join(data)
        if len(joined) % HASH_BYTES:
            raise ProofError("A list of hashes has a length that is not a multiple of 32 bytes.")
        rows = np.frombuffer(joined, dtype=np.uint8).reshape(-1, HASH_BYTES)
    if rows.ndim != 2 or rows.shape[1] != HASH_BYTES or rows.dtype != np.uint8:
        raise ProofError("A list of hashes is not made of 32 bytes each.")
    return rows


class Frontier:
    """The complete subtrees that a tree's leaves split into, from the largest on: enough to append.

    Attributes:
        size: leaves; hashes: one for each bit of ``size`` that is set, from the highest.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError("a frontier has one hash for each bit of its size")
        self.size = size
        self.hashes = list(hashes)

    def extend(self, leaves: Rows, hasher: HashRows = hash_rows) -> list[tuple[int, Rows]]:
        """Append leaves.

        Args:
            leaves: leaf hashes (n, 32).

        Returns:
            For each level from 0 on, the index of the first node that became complete and the hashes
            of all that did, in order; n and about n more in all.
        """
        old, new = self.size, self.size + len(leaves)
        grown: list[tuple[int, Rows]] = []
        row, level = leaves, 0
        held: dict[int, bytes] = {}
        rest = list(self.hashes)
        for bit in range(old.bit_length()):
            if old >> bit & 1:
                held[bit] = rest.pop()
        while len(row) or level < max(new.bit_length(), 1):
            grown.append((old >> level, row))
            if old >> level & 1 and len(row):
                # What waits for a neighbour is the last node of this level before.
                row = np.concatenate([as_hashes(held.pop(level)), row])
            if len(row) % 2:
                held[level] = row[-1].tobytes()
                row = row[:-1]
            row = pair_hashes(row, hasher)
            level += 1
        self.size = new
        self.hashes = [held[bit] for bit in sorted(held, reverse=True)]
        return grown

    def root(self) -> bytes:
        """Root of the tree (RFC 6962 §2.1)."""
        return _fold(self.hashes)


class MemoryTree:
    """A whole tree in memory. Reads as a ``NodeReader``."""

    def __init__(self, leaves: Rows | None = None, hasher: HashRows = hash_rows) -> None:
        """Args:
        leaves: leaf hashes (n, 32).
        """
        self._frontier = Frontier()
        self._levels: list[list[Rows]] = []
        self._hasher = hasher
        if leaves is not None:
            self.extend(leaves)

    @property
    def size(self) -> int:
        """Leaves."""
        return self._frontier.size

    def extend(self, leaves: Rows) -> None:
        """Append leaf hashes (n, 32)."""
        for level, (_, row) in enumerate(self._frontier.extend(leaves, self._hasher)):
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(row)

    def hash_at(self, level: int, index: int) -> bytes:
        """As of ``NodeReader``."""
        return bytes(self._row(level)[index])

    def hashes_at(self, level: int, indices: npt.NDArray[np.int64]) -> Rows:
        """As of ``NodeReader``."""
        return self._row(level)[indices]

    def root(self, size: int | None = None) -> bytes:
        """Root, of the whole or of the first ``size`` leaves."""
        return self._frontier.root() if size is None else tree_root(self, size)

    def _row(self, level: int) -> Rows:
        parts = self._levels[level]
        if len(parts) > 1:
            self._levels[level] = parts = [np.concatenate(parts)]
        return parts[0]


def tree_root(nodes: NodeReader, size: int) -> bytes:
    """Root of a tree's first ``size`` leaves."""
    return range_root(nodes, 0, size)


def frontier_of(nodes: NodeReader, size: int) -> Frontier:
    """What is needed to append to a tree of so many leaves."""
    return Frontier(size, [nodes.hash_at(level, index) for level, index in _cover(0, size)])


def inclusion_proof(nodes: NodeReader, size: int, position: int) -> list[bytes]:
    """Audit path of a leaf (RFC 6962 §2.1.1), from the leaf up.

    Raises:
        ProofError: the tree has no such leaf.
    """
    if not 0 <= position < size:
        raise ProofError(f"A tree of {size:,} leaves has no leaf {position:,}.")
    proof = []
    index, width, level = position, size, 0
    while width > 1:
        beside = index ^ 1
        if beside < width:
            end = min((beside + 1) << level, size)
            proof.append(range_root(nodes, beside << level, end))
        index, width, level = index >> 1, (width + 1) >> 1, level + 1
    return proof


def root_of_inclusion(leaf: bytes, position: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that an audit path leads to (RFC 9162 §2.1.3.2).

    Args:
        leaf: its hash; position, size: of the leaf and of the tree; proof: from the leaf up.

    Raises:
        ProofError: the path is no path of that leaf.
    """
    if not 0 <= position < size <= MAX_SIZE:
        raise ProofError(f"A tree of {size:,} leaves has no leaf {position:,}.")
    _expect_hashes([leaf, *proof])
    index, last, root = position, size - 1, leaf
    for beside in proof:
        if last == 0:
            raise ProofError("An inclusion proof is longer than the tree is high.")
        if index & 1 or index == last:
            root = node_hash(beside, root)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            root = node_hash(root, beside)
        index, last = index >> 1, last >> 1
    if last:
        raise ProofError("An inclusion proof is shorter than the tree is high.")
    return root


def verify_inclusion(
    leaf: bytes, position: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is in a tree.

    Raises:
        ProofError: it is not shown to be.
    """
    if root_of_inclusion(leaf, position, size, proof) != root:
        raise ProofError("An inclusion proof does not lead to the root of the checkpoint.")


def consistency_proof(nodes: NodeReader, old: int, new: int) -> list[bytes]:
    """Proof that a tree of ``new`` leaves begins with those of one of ``old`` (RFC 6962 §2.1.2).

    Raises:
        ProofError: the old tree is larger than the new one.
    """
    if not 0 <= old <= new:
        raise ProofError(f"A tree of {new:,} leaves cannot continue one of {old:,}.")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    first, end, begun = 0, new, True
    rest = old
    while rest != end - first:
        split = 1 << ((end - first - 1).bit_length() - 1)
        if rest <= split:
            proof.append(range_root(nodes, first + split, end))
            end = first + split
        else:
            proof.append(range_root(nodes, first, first + split))
            first, rest, begun = first + split, rest - split, False
    if not begun:
        proof.append(range_root(nodes, first, end))
    return proof[::-1]


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that one tree continues another (RFC 9162 §2.1.4.2).

    Raises:
        ProofError: it is not shown to.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise ProofError(f"A tree of {new:,} leaves cannot continue one of {old:,}.")
    _expect_hashes([old_root, new_root, *proof])
    if old in (0, new):
        expected = EMPTY_ROOT if old == 0 else new_root
        if proof or old_root != expected or (new == 0 and new_root != EMPTY_ROOT):
            raise ProofError("Two checkpoints of one size, or the root of an empty tree, differ.")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    index, last = old - 1, new - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    if not path:
        raise ProofError("A consistency proof is empty.")
    before = after = path[0]
    for beside in path[1:]:
        if last == 0:
            raise ProofError("A consistency proof is too long.")
        if index & 1 or index == last:
            before, after = node_hash(beside, before), node_hash(beside, after)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            after = node_hash(after, beside)
        index, last = index >> 1, last >> 1
    if last or before != old_root or after != new_root:
        raise ProofError("A consistency proof does not lead from the one root to the other.")


def _cover(first: int, end: int) -> list[tuple[int, int]]:
    """Complete nodes, as (level, index), that the leaves of a subtree split into, left to right."""
    nodes = []
    while first < end:
        level = (end - first).bit_length() - 1
        nodes.append((level, first >> level))
        first += 1 << level
    return nodes


def range_root(nodes: NodeReader, first: int, end: int) -> bytes:
    """Root over leaves that are one subtree of RFC 6962's splits.

    ``first`` is a multiple of the least power of two that is not below ``end - first``.
    """
    return _fold([nodes.hash_at(level, index) for level, index in _cover(first, end)])


def _fold(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def _expect_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofError("A hash of a proof has not 32 bytes.")
