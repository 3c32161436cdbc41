"""Payload files: what a batch's leaves commit to, compressed in frames that open one by one.

A file is Zstandard frames of at most 4,096 rows (observations first, then rows of the accounts table),
each with its bytes column by column; then the end of each frame as an unsigned 64-bit integer; then
their number (32 bits) and the letters ``SHPAYLD1``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import zstandard

from stillhunt.evidence.entries import ACCOUNT_BYTES, LEAF_BYTES
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.merkle import Rows

FRAME = 4096
_MAGIC = b"SHPAYLD1"
_TAIL = struct.Struct(">I8s")


class PayloadWriter:
    """Writes a batch's rows as they come; observations first."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._out = path.open("wb")
        path.chmod(0o600)
        self._ends: list[int] = []
        self._compressor = zstandard.ZstdCompressor(level=1)

    def __enter__(self) -> PayloadWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        with self._out:
            if kind is None:
                self._out.write(struct.pack(f">{len(self._ends)}Q", *self._ends))
                self._out.write(_TAIL.pack(len(self._ends), _MAGIC))

    def add(self, rows: Rows) -> None:
        """Write rows of one kind (n, w). All calls but the last of a kind bring multiples of FRAME."""
        for first in range(0, len(rows), FRAME):
            # Column by column, for what one column holds is alike.
            frame = np.ascontiguousarray(rows[first : first + FRAME].T)
            self._out.write(self._compressor.compress(frame.data))
            self._ends.append(self._out.tell())


class PayloadReader:
    """Reads rows of a payload file by their place in the batch."""

    def __init__(self, path: Path, observations: int, accounts: int) -> None:
        """Args:
        path: the file; observations, accounts: how many rows of each.

        Raises:
            EvidenceError: it is no such file.
        """
        self._path = path
        frames = -(-observations // FRAME)
        self._frames = {LEAF_BYTES: (0, observations), ACCOUNT_BYTES: (frames, accounts)}
        data = np.memmap(path, dtype=np.uint8, mode="r")
        count, magic = _TAIL.unpack(bytes(data[-_TAIL.size :]))
        table = data[len(data) - _TAIL.size - 8 * count : len(data) - _TAIL.size]
        if magic != _MAGIC or count != frames + -(-accounts // FRAME) or len(table) != 8 * count:
            raise self._damaged()
        self._ends = [0, *np.frombuffer(bytes(table), dtype=">u8").tolist()]
        self._data = data
        self._decompressor = zstandard.ZstdDecompressor()

    def rows(self, width: int, places: np.ndarray) -> Rows:
        """Rows by their places among those of one kind.

        Args:
            width: LEAF_BYTES or ACCOUNT_BYTES; places: int64 (n,), ascending.

        Returns:
            uint8 (n, width).
        """
        out = np.empty((len(places), width), dtype=np.uint8)
        frame_of = places // FRAME
        edges = np.flatnonzero(np.append(True, frame_of[1:] != frame_of[:-1]))
        for start, end in zip(edges, np.append(edges[1:], len(places)), strict=True):
            frame = self._frame(width, int(frame_of[start]))
            out[start:end] = frame[places[start:end] % FRAME]
        return out

    def frames(self, width: int) -> Iterator[Rows]:
        """All rows of one kind, 4,096 at a time."""
        for frame in range(-(-self._frames[width][1] // FRAME)):
            yield self._frame(width, frame)

    def _frame(self, width: int, frame: int) -> Rows:
        first, count = self._frames[width]
        rows = min(FRAME, count - frame * FRAME)
        start, end = self._ends[first + frame], self._ends[first + frame + 1]
        try:
            plain = self._decompressor.decompress(
                bytes(self._data[start:end]), max_output_size=rows * width
            )
            return np.frombuffer(plain, dtype=np.uint8).reshape(width, rows).T
        except (zstandard.ZstdError, ValueError) as error:
            raise self._damaged() from error

    def _damaged(self) -> EvidenceError:
        return EvidenceError(
            f"The log's payload {self._path} is damaged.", "Restore it from a backup of the log."
        )
