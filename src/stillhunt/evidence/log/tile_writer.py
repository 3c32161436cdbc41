"""Writes a log's tiles and bundles of entries as its tree grows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stillhunt.evidence.merkle import HASH_BYTES, Rows
from stillhunt.evidence.tiles import ENTRIES, HEIGHT, TILE_BYTES, WIDTH, tile_path


class TileWriter:
    """What of each tile's level is not yet a whole tile, and the files written since the last head.

    Files are written where they belong at once: no head covers them yet, so nobody reads them.

    Attributes:
        written: files since ``settled`` was called.
    """

    def __init__(self, public: Path, size: int) -> None:
        """Args:
        public: folder that is served; size: leaves of the tree so far, whose tiles are there.
        """
        self._public = public
        self._size = size
        self._hashes: dict[int, bytes] = {}
        self._bundle = b""
        self._folders: set[Path] = set()
        self._outgrown: list[Path] = []
        self.written: list[Path] = []
        for level in range(-(-max(size.bit_length(), 1) // HEIGHT)):
            on_level = size >> HEIGHT * level
            if on_level % WIDTH:
                path = tile_path(level, on_level // WIDTH, on_level % WIDTH)
                self._hashes[level] = (public / path).read_bytes()
        if size % WIDTH:
            self._bundle = (public / tile_path(ENTRIES, size // WIDTH, size % WIDTH)).read_bytes()

    def grow(self, entries: Rows, nodes: list[tuple[int, Rows]]) -> None:
        """Take in what one extension of the tree's frontier made complete.

        Args:
            entries: (n, w); nodes: as of ``Frontier.extend``, called with their leaf hashes.
        """
        self._grow_bundles(entries)
        for level in range(0, len(nodes), HEIGHT):
            first, row = nodes[level]
            self._grow_level(level // HEIGHT, first, row.tobytes())
        self._size += len(entries)

    def finish(self) -> None:
        """Write the last, partial tiles."""
        for level, held in self._hashes.items():
            if held:
                index = (self._size >> HEIGHT * level) // WIDTH
                self._write(tile_path(level, index, len(held) // HASH_BYTES), held)
        if self._size % WIDTH:
            path = tile_path(ENTRIES, self._size // WIDTH, self._size % WIDTH)
            self._write(path, self._bundle)

    def settled(self) -> None:
        """A head covers what was written: partial tiles whose full ones are there may go."""
        for folder in self._outgrown:
            shutil.rmtree(folder, ignore_errors=True)
        self._outgrown = []
        self.written = []

    def _grow_level(self, level: int, first: int, row: bytes) -> None:
        held = self._hashes.get(level, b"")
        index = first // WIDTH
        data = held + row
        at = 0
        while len(data) - at >= TILE_BYTES:
            self._full(tile_path(level, index), data[at : at + TILE_BYTES])
            at += TILE_BYTES
            index += 1
        self._hashes[level] = data[at:]

    def _grow_bundles(self, entries: Rows) -> None:
        n, width = entries.shape
        packed = np.empty((n, 2 + width), dtype=np.uint8)
        packed[:, 0], packed[:, 1] = divmod(width, 256)
        packed[:, 2:] = entries
        start, index = 0, self._size // WIDTH
        need = WIDTH - self._size % WIDTH
        while n - start >= need:
            self._full(
                tile_path(ENTRIES, index), self._bundle + packed[start : start + need].tobytes()
            )
            start, index, need, self._bundle = start + need, index + 1, WIDTH, b""
        self._bundle += packed[start:].tobytes()

    def _full(self, path: str, data: bytes) -> None:
        self._write(path, data)
        self._outgrown.append(self._public / f"{path}.p")

    def _write(self, path: str, data: bytes) -> None:
        whole = self._public / path
        if whole.parent not in self._folders:
            whole.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(whole.parent)
        # Emptied for a moment, a tile that a head covers would be lost to a kill.
        if not (whole.exists() and whole.read_bytes() == data):
            with whole.open("wb") as out:
                out.write(data)
        self.written.append(whole)


def cut_off(public: Path, size: int) -> None:
    """Remove tiles and bundles beyond a size: what a killed writer left, which no head covers."""
    folder = public / "tile"
    levels: list[int | str] = [ENTRIES]
    levels += [int(p.name) for p in folder.iterdir() if p.name.isdigit()] if folder.is_dir() else []
    for level in levels:
        on_level = size >> (0 if level == ENTRIES else HEIGHT * int(level))
        index, width = divmod(on_level, WIDTH)
        partial = public / f"{tile_path(level, index)}.p"
        if partial.is_dir():
            for path in partial.iterdir():
                if not path.name.isdigit() or int(path.name) > width:
                    path.unlink()
            if not any(partial.iterdir()):
                partial.rmdir()
        for path in _full_from(public, level, index):
            path.unlink()


def _full_from(public: Path, level: int | str, index: int) -> Iterator[Path]:
    """Full tiles that are there from an index on; partial ones behind them are written over anyway."""
    while (path := public / tile_path(level, index)).is_file():
        yield path
        index += 1
