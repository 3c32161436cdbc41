"""The tree that a claim commits to: a Merkle search tree whose nodes carry sums.

RFC 6962's shape. Beside the hashes of its two halves an inner node commits to what each half weighs
(exchanges, input tokens, output tokens) and to a separator: keys on the left are at most the separator,
keys on the right are larger. So of any two leaves whose paths were checked, the keys differ and
stand in order, and the place of a leaf in the sums is known: nothing counts twice, and every exchange
and every token can be drawn by number.

    exchange   0x30 || position || input || output
    account    0x31 || exchanges || input || output || pseudonym || root of its exchanges
    node       0x32 || separator || weights of the left || weights of the right || left || right

Numbers are eight bytes, big-endian; weights are three of them. Separators are chosen at random between
neighbouring keys, so that those of leaves that are not opened stay unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stillhunt.evidence.binary import Reader, put_number

LARGEST_KEY = (1 << 64) - 1
Weights = tuple[int, int, int]
"""Exchanges, input tokens, output tokens."""

_NODE = np.dtype(
    [("type", "u1"), ("separator", ">u8"), ("weights", ">u8", (6,)), ("hashes", "V32", (2,))]
)
_LEAF = np.dtype([("type", "u1"), ("position", ">u8"), ("input", ">u8"), ("output", ">u8")])


def exchange_hashes(position: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Leaf hashes of exchanges; arrays of n, returns V32 of shape (n,)."""
    rows = np.zeros(len(position), dtype=_LEAF)
    rows["type"], rows["position"] = 0x30, position
    rows["input"], rows["output"] = inputs, outputs
    return _hashed(rows)


def account_hash(weights: Weights, pseudonym: bytes, root: bytes) -> bytes:
    """Leaf hash of an account."""
    numbers = b"".join(number.to_bytes(8, "big") for number in weights)
    return hashlib.sha256(b"\x31" + numbers + pseudonym + root).digest()


def node_hash(
    separator: int, left: tuple[Weights, bytes], right: tuple[Weights, bytes]
) -> tuple[Weights, bytes]:
    """Weights and hash of an inner node."""
    numbers = b"".join(number.to_bytes(8, "big") for number in (separator, *left[0], *right[0]))
    digest = hashlib.sha256(b"\x32" + numbers + left[1] + right[1]).digest()
    a, b = left[0], right[0]
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2]), digest


def separators(keys: np.ndarray, random: np.ndarray) -> np.ndarray:
    """Separators between neighbouring keys.

    Args:
        keys: uint64, shape (n,), strictly increasing.
        random: uint64, shape (n,) at least.

    Returns:
        uint64, shape (max(n - 1, 0),): entry i is at least key i and below key i + 1.
    """
    between: np.ndarray = keys[:-1] + random[: max(len(keys) - 1, 0)] % (keys[1:] - keys[:-1])
    return between


@dataclass(frozen=True)
class SumTree:
    """A tree that was built.

    Attributes:
        separators: uint64, shape (n - 1,).
        before: uint64, shape (n + 1, 3): weights of all leaves before each.
        levels: hashes (V32) by level, leaves first; a last node without a partner goes up as it is.
    """

    separators: np.ndarray
    before: np.ndarray
    levels: tuple[np.ndarray, ...]

    @classmethod
    def build(cls, separators: np.ndarray, weights: np.ndarray, leaves: np.ndarray) -> SumTree:
        """Build it from separators (n - 1), weights (n, 3) and leaf hashes (n,), n at least 1."""
        n = len(leaves)
        before = np.zeros((n + 1, 3), dtype=np.uint64)
        np.cumsum(weights, axis=0, out=before[1:])
        levels = [leaves]
        width = 1
        while len(levels[-1]) > 1:
            below = levels[-1]
            pairs = len(below) // 2
            first = np.arange(pairs) * 2 * width
            middle = first + width
            last = np.minimum(middle + width, n)
            rows = np.zeros(pairs, dtype=_NODE)
            rows["type"], rows["separator"] = 0x32, separators[middle - 1]
            rows["weights"][:, :3] = before[middle] - before[first]
            rows["weights"][:, 3:] = before[last] - before[middle]
            rows["hashes"][:, 0] = below[0 : 2 * pairs : 2]
            rows["hashes"][:, 1] = below[1 : 2 * pairs : 2]
            levels.append(np.concatenate([_hashed(rows), below[2 * pairs :]]))
            width *= 2
        return cls(separators, before, tuple(levels))

    @property
    def root(self) -> bytes:
        """Hash of the whole."""
        return bytes(self.levels[-1][0].tobytes())

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self.levels[0])

    def weights(self, first: int, last: int) -> Weights:
        """What the leaves from ``first`` to before ``last`` weigh."""
        a, b, c = (self.before[last] - self.before[first]).tolist()
        return a, b, c

    def locate(self, unit: int, which: int) -> int:
        """The leaf that holds the unit of this number; which: 0 exchanges, 1 input, 2 output."""
        return int(np.searchsorted(self.before[:, which], np.uint64(unit), side="right")) - 1

    def prove(
        self,
        opened: Sequence[int],
        out: bytearray,
        leaf: Callable[[int], None],
        *,
        counted: bool,
    ) -> None:
        """Write what opens some leaves.

        Args:
            opened: strictly increasing.
            out: what is appended to: depth first, a node's separator before its halves; of what is
                not opened weights (exchanges only where ``counted``) and hash.
            leaf: called for every opened leaf where it stands; appends what is to be told of it.
            counted: whether leaves may weigh other than one exchange.
        """
        wanted = np.asarray(opened, dtype=np.int64)

        def walk(first: int, count: int) -> None:
            low, high = np.searchsorted(wanted, [first, first + count])
            if low == high:
                weights = self.weights(first, first + count)
                for number in weights if counted else weights[1:]:
                    put_number(out, number)
                out.extend(self._hash(first, count))
            elif count == 1:
                leaf(first)
            else:
                half = split(count)
                out.extend(int(self.separators[first + half - 1]).to_bytes(8, "big"))
                walk(first, half)
                walk(first + half, count - half)

        walk(0, self.size)

    def _hash(self, first: int, count: int) -> bytes:
        level = (count - 1).bit_length()
        return bytes(self.levels[level][first >> level].tobytes())


def split(count: int) -> int:
    """Leaves of the left half of so many: the largest power of two below (RFC 6962, 2.1)."""
    return 1 << ((count - 1).bit_length() - 1)


class Walk:
    """Reads what ``SumTree.prove`` wrote, and works out the root.

    Args:
        reader: the proof.
        opened: leaves that it opens, strictly increasing.
        counted: as when it was written.
        start: weights of everything before this tree's first leaf.
    """

    def __init__(
        self, reader: Reader, opened: Sequence[int], *, counted: bool, start: Weights
    ) -> None:
        self._reader = reader
        self._opened = np.asarray(opened, dtype=np.int64)
        self._counted = counted
        self.before: Weights = start

    def root(
        self,
        size: int,
        leaf: Callable[[int, int, int], tuple[Weights, bytes]],
        closed: Callable[[Weights, Weights, int, int], None],
    ) -> tuple[Weights, bytes]:
        """Weights and hash of the whole tree.

        Args:
            size: number of leaves.
            leaf: called with an opened leaf's index, least and largest key it may have; returns its
                weights and hash.
            closed: called for what is not opened with the weights before it, its own, its first leaf
                and how many leaves.

        Raises:
            Refused: the bytes are malformed, or a separator lies outside its node.
        """

        def walk(first: int, count: int, low: int, high: int) -> tuple[Weights, bytes]:
            i, j = np.searchsorted(self._opened, [first, first + count])
            if i == j:
                found = self._closed(first, count, closed)
            elif count == 1:
                found = leaf(first, low, high)
            else:
                separator = int.from_bytes(self._reader.take(8), "big")
                if not low <= separator < high:
                    raise self._reader.malformed()
                half = split(count)
                left = walk(first, half, low, separator)
                right = walk(first + half, count - half, separator + 1, high)
                return node_hash(separator, left, right)
            weights = found[0]
            a, b, c = self.before
            self.before = (a + weights[0], b + weights[1], c + weights[2])
            if max(self.before) > LARGEST_KEY:
                raise self._reader.malformed()
            return found

        return walk(0, size, 0, LARGEST_KEY)

    def _closed(
        self, first: int, count: int, closed: Callable[[Weights, Weights, int, int], None]
    ) -> tuple[Weights, bytes]:
        read = self._reader.number
        weights = (read() if self._counted else count, read(), read())
        if weights[0] < count:
            raise self._reader.malformed()
        closed(self.before, weights, first, count)
        return weights, self._reader.take(32)


def _hashed(rows: np.ndarray) -> np.ndarray:
    raw = memoryview(rows.tobytes())
    size = rows.dtype.itemsize
    sha256 = hashlib.sha256
    digests = b"".join([sha256(raw[i : i + size]).digest() for i in range(0, len(raw), size)])
    return np.frombuffer(digests, dtype="V32")
