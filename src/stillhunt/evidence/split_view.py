"""Proof that a log showed two histories: two heads that it signed and that cannot both be true.

Either both have one size and different roots, or there is a leaf at one position under each of them,
and the two are not the same. Whoever has the log's public key can check it; nothing else is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stillhunt.evidence.canonical import decode, encode
from stillhunt.evidence.checkpoint import (
    Checkpoint,
    decode_proof,
    encode_proof,
    open_checkpoint,
    parse_checkpoint,
)
from stillhunt.evidence.failures import EvidenceError, NoteError, ProofError
from stillhunt.evidence.merkle import NodeReader, inclusion_proof, tree_root, verify_inclusion
from stillhunt.evidence.note import VerifierKey, parse_note
from stillhunt.evidence.refusal import Refused

MOST = 1 << 19
"""Bytes of a proof."""


@dataclass(frozen=True)
class SplitView:
    """Two heads of one log that contradict one another, with their signatures checked.

    Attributes:
        origin: of the log; first, second: the heads; position: a leaf at which they differ, or None.
    """

    origin: str
    first: Checkpoint
    second: Checkpoint
    position: int | None

    def __str__(self) -> str:
        """What is shown, in a sentence."""
        if self.position is None:
            return f"The log {self.origin} signed two different heads of the same {self.first.size:,} leaves."
        return (
            f"The log {self.origin} signed one head of {self.first.size:,} leaves and one of "
            f"{self.second.size:,} under which the leaf {self.position:,} is not the same."
        )


def same_size(first: bytes, second: bytes) -> bytes | None:
    """The proof that two signed heads are of one size and have different roots; None: they have not.

    Args:
        first, second: notes.

    Raises:
        NoteError: one is no checkpoint.
    """
    a, b = (parse_checkpoint(parse_note(note).text) for note in (first, second))
    if (a.origin, a.size) != (b.origin, b.size) or a.root == b.root:
        return None
    return _encode(a.origin, first, second, None)


def different_leaf(
    first: bytes, first_tree: NodeReader, second: bytes, second_tree: NodeReader
) -> bytes | None:
    """The proof that two heads of different sizes do not belong to one log; None: they do.

    Args:
        first, second: notes; first_tree, second_tree: the trees that they are heads of.

    Raises:
        NoteError: one is no checkpoint.
    """
    a, b = (parse_checkpoint(parse_note(note).text) for note in (first, second))
    low, high = 0, min(a.size, b.size)
    if tree_root(first_tree, high) == tree_root(second_tree, high):
        return None
    # The largest number of first leaves that are the same in both.
    while high - low > 1:
        middle = (low + high) // 2
        alike = tree_root(first_tree, middle) == tree_root(second_tree, middle)
        low, high = (middle, high) if alike else (low, middle)
    sides = [(first_tree, a.size), (second_tree, b.size)]
    leaf = {
        "hashes": encode_proof([tree.hash_at(0, low) for tree, _ in sides]),
        "position": low,
        "proofs": [encode_proof(inclusion_proof(tree, size, low)) for tree, size in sides],
    }
    return _encode(a.origin, first, second, leaf)


def check(data: bytes, keys: Iterable[VerifierKey]) -> SplitView:
    """Check a proof of a split view.

    Args:
        data: the file; keys: of the log, from somewhere else than the file.

    Raises:
        EvidenceError: it does not show what it says.
    """
    known = list(keys)
    try:
        document = decode(data, MOST, verbatim=True)
        if document.keys() != {"leaf", "notes", "origin", "split_view"}:
            raise ValueError
        origin, leaf = str(document["origin"]), document["leaf"]
        notes = [str(note).encode("utf-8") for note in document["notes"]]
        if document["split_view"] != 1 or len(notes) != 2:
            raise ValueError
    except (Refused, AttributeError, KeyError, TypeError, ValueError) as error:
        raise NoteError("That is no proof of a split view.") from error
    first, second = (open_checkpoint(note, known, origin=origin).checkpoint for note in notes)
    if leaf is None:
        if first.size != second.size or first.root == second.root:
            raise ProofError("The two heads do not contradict one another.")
        return SplitView(origin, first, second, None)
    return SplitView(origin, first, second, _check_leaf(leaf, first, second))


def _check_leaf(leaf: Any, first: Checkpoint, second: Checkpoint) -> int:
    try:
        position, hashes, proofs = leaf["position"], leaf["hashes"], leaf["proofs"]
        if type(position) is not int or len(proofs) != 2 or len(hashes) != 2:
            raise ValueError
        leaves = decode_proof([str(value) for value in hashes])
        paths = [decode_proof([str(value) for value in proof]) for proof in proofs]
    except (KeyError, TypeError, ValueError) as error:
        raise NoteError("The leaf of a proof of a split view is malformed.") from error
    for head, own, path in zip((first, second), leaves, paths, strict=True):
        verify_inclusion(own, position, head.size, path, head.root)
    if leaves[0] == leaves[1]:
        raise ProofError("The two heads do not contradict one another.")
    return position


def _encode(origin: str, first: bytes, second: bytes, leaf: Any) -> bytes:
    document = {
        "leaf": leaf,
        "notes": [first.decode("utf-8"), second.decode("utf-8")],
        "origin": origin,
        "split_view": 1,
    }
    data = encode(document, verbatim=True)
    if len(data) > MOST:
        raise EvidenceError("Two heads are too long to be put into a proof.")
    return data
