"""Tiles: how a tree and its entries lie in files that any web server can serve.

C2SP tlog-tiles (https://c2sp.org/tlog-tiles): tiles of 256 hashes, of every eighth level of the tree,
and bundles of 256 entries. A last, partial tile has its width in its path.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from stillhunt.evidence.failures import ProofError
from stillhunt.evidence.merkle import HASH_BYTES, HashRows, Rows, hash_rows, pair_hashes

WIDTH = 256
HEIGHT = 8
ENTRIES = "entries"
"""In place of a level: bundles of entries."""

TILE_BYTES = WIDTH * HASH_BYTES

_PATH = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?",
    re.ASCII,
)
_KEPT = 4096

Read = Callable[[str], bytes]
"""Content of a file of the log, by its path below the log's prefix; FileNotFoundError: none."""


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Path of a tile or bundle below the log's prefix.

    Args:
        level: of the tile (0 for leaf hashes), or ``ENTRIES``; index: of the tile on its level.
        width: hashes in it; less than 256: a partial tile.
    """
    if not 1 <= width <= WIDTH or index < 0 or (level != ENTRIES and not 0 <= int(level) <= 63):
        raise ValueError("there is no such tile")
    name = f"{index % 1000:03d}"
    index //= 1000
    while index:
        name = f"x{index % 1000:03d}/{name}"
        index //= 1000
    return f"tile/{level}/{name}" + (f".p/{width}" if width < WIDTH else "")


def parse_tile_path(path: str) -> tuple[int | str, int, int]:
    """Level (or ``ENTRIES``), index and width of a path.

    Raises:
        ProofError: it is none.
    """
    match = _PATH.fullmatch(path)
    if match is None or len(path) > 80:
        raise ProofError("That is no path of a tile.")
    level: int | str = match[1] if match[1] == ENTRIES else int(match[1])
    index = int(match[2].replace("/", "").replace("x", ""))
    width = int(match[3] or WIDTH)
    if match[3] == str(WIDTH) or width > WIDTH or tile_path(level, index, width) != path:
        raise ProofError("That is no path of a tile.")
    return level, index, width


def tile_width(size: int, level: int | str, index: int) -> int:
    """Width of a tile in a tree of so many leaves; 0: there is no such tile."""
    on_level = size >> (HEIGHT * (0 if level == ENTRIES else int(level)))
    return max(0, min(WIDTH, on_level - index * WIDTH))


def read_tile(read: Read, size: int, level: int | str, index: int) -> bytes:
    """Content of a tile as of a tree of so many leaves; hashes or entries beyond it are cut off.

    Raises:
        ProofError: there is none, or it is too short.
    """
    width = tile_width(size, level, index)
    if width == 0:
        raise ProofError(f"A tree of {size:,} leaves has no tile {index:,} on level {level}.")
    for path in dict.fromkeys((tile_path(level, index, width), tile_path(level, index))):
        try:
            return read(path)
        except FileNotFoundError:
            continue
    raise ProofError(
        f"The log has no {tile_path(level, index, width)}.", "Copy the log again as a whole."
    )


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """A bundle: each entry behind its length as an unsigned 16-bit integer, big-endian."""
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def unpack_entries(bundle: bytes, most: int = WIDTH) -> list[bytes]:
    """Entries of a bundle, at most so many.

    Raises:
        ProofError: it ends within an entry, or holds more than 256.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(bundle) and len(entries) < most:
        length = int.from_bytes(bundle[at : at + 2], "big")
        entry = bundle[at + 2 : at + 2 + length]
        if at + 2 > len(bundle) or len(entry) != length:
            raise ProofError("A bundle of entries ends within an entry.")
        entries.append(entry)
        at += 2 + length
    if at < len(bundle) and most == WIDTH:
        raise ProofError("A bundle holds more than 256 entries.")
    return entries


class TileReader:
    """A tree in tiles. Reads as a ``merkle.NodeReader``.

    Nothing read is believed here: whoever proves something from it compares with a signed root.
    """

    def __init__(self, read: Read, size: int, hasher: HashRows = hash_rows) -> None:
        """Args:
        read: a file's content; size: leaves of the tree.
        """
        self.size = size
        self._read = read
        self._hasher = hasher
        self._tiles: OrderedDict[tuple[int, int], Rows] = OrderedDict()

    def hash_at(self, level: int, index: int) -> bytes:
        """As of ``NodeReader``."""
        return bytes(self.hashes_at(level, np.array([index], dtype=np.int64))[0])

    def hashes_at(self, level: int, indices: npt.NDArray[np.int64]) -> Rows:
        """As of ``NodeReader``.

        Raises:
            ProofError: a tile is missing or too short.
        """
        if not len(indices):
            return np.empty((0, HASH_BYTES), dtype=np.uint8)
        if int(indices.min()) < 0 or int(indices.max()) >= self.size >> level:
            raise ProofError("A tree was asked for a node that it does not have.")
        height = level % HEIGHT
        # The node's own leaves in its tile: 2**height hashes side by side.
        width = 1 << height
        row = np.empty((len(indices) * width, HASH_BYTES), dtype=np.uint8)
        first = indices << height
        tile_of = first // WIDTH
        edges = np.flatnonzero(np.append(True, tile_of[1:] != tile_of[:-1]))
        for start, end in zip(edges, np.append(edges[1:], len(indices)), strict=True):
            tile = self._tile(level // HEIGHT, int(tile_of[start]))
            places = (first[start:end] % WIDTH)[:, None] + np.arange(width)
            row[start * width : end * width] = tile[places.reshape(-1)]
        for _ in range(height):
            row = pair_hashes(row, self._hasher)
        return row

    def _tile(self, level: int, index: int) -> Rows:
        kept = self._tiles.get((level, index))
        if kept is not None:
            self._tiles.move_to_end((level, index))
            return kept
        data = read_tile(self._read, self.size, level, index)
        needed = tile_width(self.size, level, index) * HASH_BYTES
        if len(data) < needed or len(data) > TILE_BYTES or len(data) % HASH_BYTES:
            raise ProofError("A tile of the log has a wrong length.", "Copy the log again.")
        tile = np.frombuffer(data[:needed], dtype=np.uint8).reshape(-1, HASH_BYTES)
        self._tiles[level, index] = tile
        if len(self._tiles) > _KEPT:
            self._tiles.popitem(last=False)
        return tile
