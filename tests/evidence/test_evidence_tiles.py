"""Tiles: paths as C2SP tlog-tiles has them, widths, and trees read from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.evidence.failures import ProofError
from stillhunt.evidence.merkle import Frontier, MemoryTree, leaf_hashes, tree_root
from stillhunt.evidence.tiles import (
    ENTRIES,
    TileReader,
    pack_entries,
    parse_tile_path,
    tile_path,
    tile_width,
    unpack_entries,
)


def test_paths_of_the_specification() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(ENTRIES, 5) == "tile/entries/005"
    assert tile_path(1, 273, 112) == "tile/1/273.p/112"
    # "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile
    # of width 112, one full level 1 tile, one partial level 1 tile of width 17, and one partial level
    # 2 tile of width 1."
    assert [tile_width(70_000, 0, i) for i in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [tile_width(70_000, 1, i) for i in (0, 1, 2)] == [256, 17, 0]
    assert [tile_width(70_000, 2, i) for i in (0, 1)] == [1, 0]
    assert [tile_width(256, level, 0) for level in (0, 1)] == [256, 1]


@given(
    st.one_of(st.integers(0, 63), st.just(ENTRIES)),
    st.integers(0, 1 << 48),
    st.integers(1, 256),
)
def test_paths_there_and_back(level: int | str, index: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, index, width)) == (level, index, width)


@pytest.mark.parametrize(
    "path",
    ["tile/64/000", "tile/00/000", "tile/0/00", "tile/0/0000", "tile/0/x000/000", "tile/0/000.p/0",
     "tile/0/000.p/256", "tile/0/000.p/007", "tile/0/001/000", "tile/0/x001/x000", "../tile/0/000",
     "tile/0/000\n", "tile/0/\u0660\u0660\u0660", "tile/0/" + "x001/" * 40 + "000", ""],
)  # fmt: skip
def test_paths_that_are_none(path: str) -> None:
    with pytest.raises(ProofError):
        parse_tile_path(path)


def stored(leaves: np.ndarray) -> dict[str, bytes]:
    """Every tile of a tree, straight from the definition."""
    files: dict[str, bytes] = {}
    level, row = 0, leaves
    while len(row):
        for index in range(-(-len(row) // 256)):
            tile = row[256 * index : 256 * index + 256]
            files[tile_path(level, index, len(tile))] = tile.tobytes()
        row = np.array(
            [
                np.frombuffer(MemoryTree(row[256 * i : 256 * i + 256]).root(), np.uint8)
                for i in range(len(row) // 256)
            ]
        ).reshape(-1, 32)
        level += 1
    return files


@given(st.integers(1, 1500), st.data())
@settings(max_examples=25, deadline=None)
def test_a_tree_in_tiles_reads_as_one_in_memory(size: int, data: st.DataObject) -> None:
    leaves = np.random.default_rng(size).integers(0, 256, (size, 32), dtype=np.uint8)
    files, tree = stored(leaves), MemoryTree(leaves)

    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError
        return files[path]

    tiles = TileReader(read, size)
    assert tree_root(tiles, size) == tree.root()
    level = data.draw(st.integers(0, size.bit_length() - 1))
    indices = np.array(data.draw(st.lists(st.integers(0, (size >> level) - 1), max_size=20)))
    indices = indices.astype(np.int64)
    assert (tiles.hashes_at(level, indices) == tree.hashes_at(level, indices)).all()
    with pytest.raises(ProofError):
        tiles.hash_at(level, size >> level)
    # A reader of an old head finds the whole tile where the partial one is gone.
    old = data.draw(st.integers(1, size))
    files |= {path: tile for path, tile in stored(leaves[:old]).items() if path[:-4] not in files}
    files = {p: t for p, t in files.items() if ".p/" not in p or p.split(".p/")[0] not in files}
    assert tree_root(TileReader(read, old), old) == tree_root(tree, old)


def test_what_a_frontier_says_grew_is_every_node_once() -> None:
    leaves = leaf_hashes(np.arange(3000, dtype="<u4").view(np.uint8).reshape(-1, 4))
    frontier, seen = Frontier(), {}
    for start, end in [(0, 1), (1, 7), (7, 8), (8, 900), (900, 3000), (3000, 3000)]:
        for level, (first, row) in enumerate(frontier.extend(leaves[start:end])):
            for i, value in enumerate(row):
                assert seen.setdefault((level, first + i), value.tobytes()) == value.tobytes()
    tree = MemoryTree(leaves)
    assert {node[0] for node in seen} == set(range(12))
    assert len(seen) == sum(3000 >> level for level in range(12))
    for (level, index), value in seen.items():
        assert tree.hash_at(level, index) == value


@pytest.mark.parametrize("wrong", [b"", b"1" * 33, b"1" * 32 * 257, b"1" * 32])
def test_tiles_of_a_wrong_length(wrong: bytes) -> None:
    with pytest.raises(ProofError):
        TileReader(lambda _path: wrong, 300).hash_at(0, 5)


def test_bundles() -> None:
    entries = [b"", b"a", b"b" * 65535]
    assert unpack_entries(pack_entries(entries)) == entries
    for bad in (b"\x00", b"\x00\x02a", pack_entries([b"x"] * 257)):
        with pytest.raises(ProofError):
            unpack_entries(bad)
