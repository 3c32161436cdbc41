"""trees.json: roots, inclusion, consistency and batch proofs, and paths of tiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from stillhunt.evidence.batch_proof import batch_proof
from stillhunt.evidence.merkle import (
    MemoryTree,
    as_hashes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
)
from stillhunt.evidence.tiles import ENTRIES, pack_entries, tile_path

# Those of the Certificate Transparency code base, whose roots are known from elsewhere.
CT_LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
             "606162636465666768696a6b6c6d6e6f")  # fmt: skip
SIZES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 256, 257, 1000)
INCLUSION = ((1, 0), (2, 1), (3, 2), (5, 4), (7, 2), (8, 0), (8, 5), (9, 8), (17, 16), (33, 32),
             (100, 77), (257, 255), (257, 256), (1000, 0), (1000, 999))  # fmt: skip
CONSISTENCY = ((0, 5), (1, 1), (1, 8), (2, 5), (3, 7), (4, 8), (6, 8), (7, 9), (8, 8), (16, 33),
               (31, 100), (256, 257), (255, 1000), (999, 1000))  # fmt: skip
BATCHES = ((1, (0,)), (2, (0, 1)), (5, (4,)), (7, (0, 6)), (8, (2, 3, 6)), (9, (8,)),
           (9, (0, 1, 2, 3, 4, 5, 6, 7, 8)), (17, (1, 15, 16)), (100, (0, 1, 31, 32, 33, 98, 99)),
           (257, (254, 255, 256)), (1000, tuple(range(0, 1000, 97))))  # fmt: skip
TILES = ((0, 0, 256), (0, 0, 3), (0, 999, 256), (0, 1234067, 256), (1, 5, 17), (2, 1000, 255))


def entry(i: int) -> bytes:
    """Entry of a made-up leaf: its number, eight bytes, big-endian."""
    return i.to_bytes(8, "big")


def tree(size: int) -> MemoryTree:
    return MemoryTree(as_hashes([leaf_hash(entry(i)) for i in range(size)]))


def document() -> dict[str, Any]:
    ct = [leaf_hash(bytes.fromhex(leaf)) for leaf in CT_LEAVES]
    whole = tree(max(SIZES))
    return {
        "ct": [
            {"leaf": leaf, "leaf_hash": ct[i].hex(), "root": MemoryTree(as_hashes(ct[: i + 1])).root().hex()}
            for i, leaf in enumerate(CT_LEAVES)
        ],
        "roots": [{"size": size, "root": whole.root(size).hex()} for size in SIZES],
        "inclusion": [
            {"size": size, "position": position, "proof": _hex(inclusion_proof(whole, size, position))}
            for size, position in INCLUSION
        ],
        "consistency": [
            {"old": old, "new": new, "proof": _hex(consistency_proof(whole, old, new))}
            for old, new in CONSISTENCY
        ],
        "batch": [
            {"size": size, "positions": positions, "proof": _proof(whole, size, positions)}
            for size, positions in BATCHES
        ],
        "tiles": [
            {"level": level, "index": index, "width": width, "path": tile_path(level, index, width)}
            for level, index, width in TILES
        ],
        "entry_bundle": {
            "path": tile_path(ENTRIES, 0, 3),
            "entries": [entry(i).hex() for i in range(3)],
            "bundle": pack_entries([entry(i) for i in range(3)]).hex(),
        },
    }  # fmt: skip


def _proof(whole: MemoryTree, size: int, positions: tuple[int, ...]) -> list[str]:
    proof = batch_proof(whole, size, np.array(positions, dtype=np.int64))
    return [proof[at : at + 32].hex() for at in range(0, len(proof), 32)]


def _hex(hashes: list[bytes]) -> list[str]:
    return [value.hex() for value in hashes]
