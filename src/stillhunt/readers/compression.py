"""Opens plain, gzip and Zstandard files as one stream of bytes, in bounded memory.

Compression is told from the first bytes, not from the name. A stream that breaks off gives all
bytes before the break, then raises BrokenStreamError.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

PARQUET_MAGIC = b"PAR1"
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

_CHUNK = 1 << 16
_OUTPUT = 1 << 22
# A Zstandard block of 4 bytes may stand for 128 KiB: small bites bound what one call can return.
_ZSTD_BITE = 1 << 11


class BrokenStreamError(Exception):
    """The compressed stream ends or breaks here; ``args[0]`` says how, in a short sentence."""


class ByteStream:
    """Iterates over a file's decompressed bytes, in pieces of at most some MiB.

    Attributes:
        consumed: bytes of the file (compressed) read so far.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.consumed = 0

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic[:2] == GZIP_MAGIC:
                yield from self._gzip(file)
            elif magic == ZSTD_MAGIC:
                yield from self._zstd(file)
            else:
                while chunk := self._take(file, _CHUNK):
                    yield chunk

    def _take(self, file: BinaryIO, size: int) -> bytes:
        data = file.read(size)
        self.consumed += len(data)
        return data

    def _gzip(self, file: BinaryIO) -> Iterator[bytes]:
        data = b""
        while True:  # one gzip member per round
            data = data.lstrip(b"\0")  # padding between or after members
            if not data:
                data = self._take(file, _CHUNK)
                if not data:
                    return
                continue
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                if not data:
                    data = self._take(file, _CHUNK)
                    if not data:
                        yield member.flush()
                        if member.eof:
                            break
                        raise BrokenStreamError("the gzip stream is cut off")
                before = member.copy()
                try:
                    out = member.decompress(data, _OUTPUT)
                except zlib.error:
                    yield from _until_break(before, data)
                    raise BrokenStreamError(
                        f"the gzip stream is damaged near byte {self.consumed - len(data)}"
                    ) from None
                data = member.unused_data if member.eof else member.unconsumed_tail
                if out:
                    yield out

    def _zstd(self, file: BinaryIO) -> Iterator[bytes]:
        data = b""
        while True:  # one frame per round
            data = data or self._take(file, _ZSTD_BITE)
            if not data:
                return
            frame = zstandard.ZstdDecompressor().decompressobj()
            while not frame.eof:
                if not data:
                    data = self._take(file, _ZSTD_BITE)
                    if not data:
                        raise BrokenStreamError("the Zstandard stream is cut off")
                try:
                    out = frame.decompress(data)
                except (zstandard.ZstdError, MemoryError):
                    raise BrokenStreamError(
                        f"the Zstandard stream is damaged near byte {self.consumed - len(data)}"
                    ) from None
                data = frame.unused_data if frame.eof else b""
                if out:
                    yield out


def _until_break(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Give what decompresses before the damage, byte by byte: the failed call's output is lost."""
    for i in range(len(data)):
        try:
            out = member.decompress(data[i : i + 1])
        except zlib.error:
            return
        if out:
            yield out
