"""Trees against RFC 6962's published hashes, other implementations, and a plain recursion."""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import numpy as np
import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle.core import _consistency_path_layout
from pymerkle.proof import ConsistencyProof, InclusionProof
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore.errors import VerificationError

from stillhunt.evidence.batch_proof import batch_proof, batch_root
from stillhunt.evidence.failures import ProofError
from stillhunt.evidence.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    MemoryTree,
    as_hashes,
    consistency_proof,
    frontier_of,
    inclusion_proof,
    leaf_hash,
    node_hash,
    range_root,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

# The reference tree of certificate-transparency (cpp/merkletree/merkle_tree_test.cc), which trillian
# and transparency-dev/merkle test with, too.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = {
    (0, 1): [],
    (0, 8): [A, B, C],
    (5, 8): [D, E, ROOTS[4]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], B, D],
}
CONSISTENCY = {(1, 1): [], (1, 8): [A, B, C], (6, 8): [F, E, ROOTS[4]], (2, 5): [B, D]}


def unhex(hashes: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in hashes]


def plain_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1, as it stands there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while 2 * split < len(leaves):
        split *= 2
    return node_hash(plain_root(leaves[:split]), plain_root(leaves[split:]))


def leaves_of(size: int, seed: int = 0) -> list[bytes]:
    return [leaf_hash(f"{seed}/{i}".encode()) for i in range(size)]


def tree_of(leaves: Sequence[bytes]) -> MemoryTree:
    return MemoryTree(as_hashes(leaves))


def flipped(proof: Sequence[bytes], bit: int) -> list[bytes]:
    whole = bytearray(b"".join(proof))
    whole[bit // 8] ^= 1 << bit % 8
    return [bytes(whole[at : at + 32]) for at in range(0, len(whole), 32)]


def test_the_reference_tree() -> None:
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    tree = tree_of(leaves)
    assert EMPTY_ROOT.hex() == ROOTS[0]
    for size, root in enumerate(ROOTS):
        assert tree_of(leaves[:size]).root().hex() == tree_root(tree, size).hex() == root
    for (position, size), proof in INCLUSION.items():
        assert inclusion_proof(tree, size, position) == unhex(proof)
        root = bytes.fromhex(ROOTS[size])
        verify_inclusion(leaves[position], position, size, unhex(proof), root)
    for (old, new), proof in CONSISTENCY.items():
        assert consistency_proof(tree, old, new) == unhex(proof)
        roots = unhex([ROOTS[old], ROOTS[new]])
        verify_consistency(old, new, *roots, unhex(proof))


def test_every_size_to_seventy() -> None:
    leaves = leaves_of(70)
    tree = tree_of(leaves)
    for size in range(1, 71):
        root = plain_root(leaves[:size])
        assert tree_root(tree, size) == root == frontier_of(tree, size).root()
        for position in range(size):
            proof = inclusion_proof(tree, size, position)
            verify_inclusion(leaves[position], position, size, proof, root)
        for old in range(size + 1):
            proof = consistency_proof(tree, old, size)
            verify_consistency(old, size, plain_root(leaves[:old]), root, proof)


@given(st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=60, deadline=None)
def test_however_leaves_come_the_tree_is_the_same(steps: list[int]) -> None:
    leaves = leaves_of(sum(steps))
    tree = tree_of([])
    at = 0
    for step in steps:
        tree.extend(as_hashes(leaves[at : at + step]))
        at += step
    assert tree.size == len(leaves)
    assert tree.root() == plain_root(leaves)


# -- other implementations ------------------------------------------------------------------------


def rekor_entry(entry: bytes, position: int, size: int, root: bytes, proof: list[bytes]) -> Any:
    """What sigstore's check of an entry of Rekor, a Trillian tree, looks at."""
    inclusion = SimpleNamespace(log_index=position, tree_size=size, hashes=proof, root_hash=root)
    return SimpleNamespace(
        _inner=SimpleNamespace(inclusion_proof=inclusion, canonicalized_body=entry)
    )


@given(st.integers(1, 120), st.data())
@settings(max_examples=40, deadline=None)
def test_sigstore_takes_our_proofs_and_no_others(size: int, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, size - 1))
    entries = [f"{i}".encode() for i in range(size)]
    tree = tree_of([leaf_hash(entry) for entry in entries])
    proof = inclusion_proof(tree, size, position)
    verify_merkle_inclusion(rekor_entry(entries[position], position, size, tree.root(), proof))
    if proof:
        wrong = flipped(proof, data.draw(st.integers(0, 256 * len(proof) - 1)))
        with pytest.raises(VerificationError):
            verify_merkle_inclusion(
                rekor_entry(entries[position], position, size, tree.root(), wrong)
            )


def pymerkle_tree(size: int) -> Any:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for i in range(size):
        tree.append_entry(f"{i}".encode())
    return tree


@given(st.integers(1, 80), st.data())
@settings(max_examples=40, deadline=None)
def test_pymerkle_s_proofs_hold_here(size: int, data: st.DataObject) -> None:
    theirs = pymerkle_tree(size)
    position = data.draw(st.integers(0, size - 1))
    leaf = leaf_hash(f"{position}".encode())
    proof = theirs.prove_inclusion(position + 1, size)
    # The first of a path is the leaf itself; the rule says which side each is on, as RFC 6962 does.
    assert proof.path[0] == leaf
    verify_inclusion(leaf, position, size, proof.path[1:], theirs.get_root(size))
    old = data.draw(st.integers(1, size))
    own = tree_of([leaf_hash(f"{i}".encode()) for i in range(size)])
    assert own.root() == theirs.get_root(size)
    assert tree_root(own, old) == theirs.get_root(old)
    verify_consistency(
        old, size, theirs.get_root(old), theirs.get_root(size), consistency_proof(own, old, size)
    )


@given(st.integers(2, 80), st.data())
@settings(max_examples=40, deadline=None)
def test_pymerkle_takes_our_proofs(size: int, data: st.DataObject) -> None:
    theirs = pymerkle_tree(size)
    own = tree_of([leaf_hash(f"{i}".encode()) for i in range(size)])
    position = data.draw(st.integers(0, size - 1))
    template = theirs.prove_inclusion(position + 1, size)
    path = [own.hash_at(0, position), *inclusion_proof(own, size, position)]
    ours = InclusionProof("sha256", True, size, position + 1, template.rule, path)
    pymerkle.verify_inclusion(path[0], own.root(), ours)
    old = data.draw(st.integers(1, size - 1))
    # pymerkle splits an old tree that ends at a subtree further than RFC 6962 does, so that its proofs
    # have other hashes; ours are put in where its own layout asks for them.
    rule, subset, ranges = _consistency_path_layout(old, size)
    hashes = [range_root(own, first, end) for first, end in ranges]
    consistent = ConsistencyProof("sha256", True, size, old, rule, subset, hashes)
    pymerkle.verify_consistency(tree_root(own, old), own.root(), consistent)


# -- what does not hold ---------------------------------------------------------------------------


@given(st.integers(2, 400), st.data())
@settings(max_examples=60, deadline=None)
def test_no_bit_of_an_inclusion_proof_can_change(size: int, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    tree = tree_of(leaves)
    root, leaf = tree.root(), leaves[position]
    proof = inclusion_proof(tree, size, position)
    wrong = flipped(proof, data.draw(st.integers(0, 256 * len(proof) - 1)))
    wrong_leaf = flipped([leaf], data.draw(st.integers(0, 255)))[0]
    with pytest.raises(ProofError):
        verify_inclusion(leaf, position, size, wrong, root)
    with pytest.raises(ProofError):
        verify_inclusion(wrong_leaf, position, size, proof, root)
    for bad in (proof[:-1], [*proof, root], proof[1:]):
        with pytest.raises(ProofError):
            verify_inclusion(leaf, position, size, bad, root)
    other = data.draw(st.integers(0, size - 1))
    if other != position:
        with pytest.raises(ProofError):
            verify_inclusion(leaf, other, size, proof, root)


@given(st.integers(2, 400), st.data())
@settings(max_examples=60, deadline=None)
def test_no_bit_of_a_consistency_proof_can_change(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    tree = tree_of(leaves_of(size))
    old_root, root = tree_root(tree, old), tree.root()
    proof = consistency_proof(tree, old, size)
    wrong = flipped(proof, data.draw(st.integers(0, 256 * len(proof) - 1)))
    for bad in (wrong, proof[:-1], [*proof, root], []):
        with pytest.raises(ProofError):
            verify_consistency(old, size, old_root, root, bad)
    forked = tree_of(leaves_of(size, seed=1))
    with pytest.raises(ProofError):
        verify_consistency(old, size, old_root, forked.root(), consistency_proof(forked, old, size))


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (2, 1, []),
        (-1, 1, []),
        (0, 1, [b"1" * 32]),
        (1, 1, [b"1" * 32]),
        (1, MAX_SIZE + 1, []),
        (1, 2, [b"short"]),
    ],
)
def test_consistency_of_what_cannot_be(old: int, new: int, proof: list[bytes]) -> None:
    with pytest.raises(ProofError):
        verify_consistency(old, new, EMPTY_ROOT, EMPTY_ROOT, proof)


# -- many leaves at once --------------------------------------------------------------------------


def plain_batch_proof(leaves: Sequence[bytes], known: set[int]) -> list[bytes]:
    """Level by level over plain lists: the neighbours that are there and not known."""
    row, proof = list(leaves), []
    while len(row) > 1:
        proof += [row[i] for i in sorted({i ^ 1 for i in known} - known) if i < len(row)]
        known = {i // 2 for i in known}
        row = [
            node_hash(row[i], row[i + 1]) if i + 1 < len(row) else row[i]
            for i in range(0, len(row), 2)
        ]
    return proof


@given(st.integers(1, 300), st.data())
@settings(max_examples=100, deadline=None)
def test_a_batch_proof_is_what_is_missing_and_leads_to_the_root(
    size: int, data: st.DataObject
) -> None:
    chosen = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=size))
    leaves = leaves_of(size)
    tree = tree_of(leaves)
    positions = sorted(chosen)
    proof = batch_proof(tree, size, positions)
    assert proof == b"".join(plain_batch_proof(leaves, chosen))
    own = [leaves[p] for p in positions]
    assert batch_root(size, positions, own, proof) == tree.root()
    with pytest.raises(ProofError):
        batch_root(size, positions, own, proof + bytes(32))
    if proof:
        with pytest.raises(ProofError):
            batch_root(size, positions, own, proof[:-32])
        bit = data.draw(st.integers(0, 8 * len(proof) - 1))
        wrong = b"".join(flipped([proof], bit))
        assert batch_root(size, positions, own, wrong) != tree.root()
    bit = data.draw(st.integers(0, 256 * len(own) - 1))
    assert batch_root(size, positions, flipped(own, bit), proof) != tree.root()


@pytest.mark.parametrize(
    "positions", [[], [1, 1], [2, 1], [-1, 2], [0, 8], [0.5], ["x"], [1 << 70], [[0, 1]]]
)
def test_positions_that_are_none(positions: Any) -> None:
    leaves = leaves_of(8)
    with pytest.raises(ProofError):
        batch_root(8, positions, leaves[: max(len(positions), 1)], b"")


def test_one_position_is_an_inclusion_proof() -> None:
    tree = tree_of(leaves_of(33))
    for position in range(33):
        assert batch_proof(tree, 33, [position]) == b"".join(inclusion_proof(tree, 33, position))


def test_many_positions_of_many() -> None:
    size = 20_000
    leaves = np.random.default_rng(1).integers(0, 256, (size, 32), dtype=np.uint8)
    tree = MemoryTree(leaves)
    positions = np.array(sorted(random.Random(1).sample(range(size), size // 10)))
    proof = batch_proof(tree, size, positions)
    assert batch_root(size, positions, leaves[positions], proof) == tree.root()
    # Fewer hashes than one path for each would take.
    assert len(proof) // 32 < len(positions) * 4
