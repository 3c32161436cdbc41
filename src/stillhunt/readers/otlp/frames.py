"""Files that hold OTLP requests as binary: one request alone, or many, each after its length.

The length is a varint (protobuf's own convention for delimited messages), or 4 bytes, the highest
first, as the collector's file exporter writes with ``format: proto`` and wherever it compresses. What
follows 4 bytes may be JSON as well, and each part may be a Zstandard frame of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import zstandard

from stillhunt.readers.compression import ZSTD_MAGIC, BrokenStreamError, ByteStream
from stillhunt.readers.lines import LONGEST_LINE, LOST
from stillhunt.readers.otlp.wire import WireError, varint

Framing = Literal["request", "varint", "4 bytes"]

LONGEST = LONGEST_LINE
"""Bytes of the longest request, or of the longest resource in a request alone; more is passed over."""

TOO_LONG = "request too long"
BOMB = "compressed request that unpacks to too much, or does not unpack"
"""Reasons."""

_RESOURCES = b"\x0a"
# Frames of no bytes, by the million in a bomb, are passed over together.
_EMPTY = {
    "request": re.compile(rb"(?:\x0a\x00)+"),
    "varint": re.compile(rb"\x00+"),
    "4 bytes": re.compile(rb"(?:\x00{4})+"),
}
_INNER = frozenset({0x0A, 0x12, 0x1A})


@dataclass(frozen=True)
class Frame:
    """A request, a resource of a request alone, or a gap.

    Attributes:
        data: its bytes; empty where there is a problem.
        place: number of its first byte in the (unpacked) file, from 0.
        resource: it is one ResourceSpans or ResourceLogs, not a request of several.
        problem: why it cannot be used, or None.
    """

    data: bytes
    place: int
    resource: bool = False
    problem: str | None = None


def framing_of(head: bytes) -> Framing | None:
    """Tell from a file's first bytes how it holds OTLP requests; None: not at all."""
    if _is_request(head, 0, None):
        return "request"
    try:
        size, at = varint(head, 0, len(head))
        if 0 < size <= LONGEST and _is_request(head, at, size):
            return "varint"
    except WireError:
        pass
    size = int.from_bytes(head[:4], "big")
    if len(head) > 5 and 0 < size <= LONGEST:
        if _is_request(head, 4, size) or head[4:8] == ZSTD_MAGIC:
            return "4 bytes"
        if head[4:5] == b"{" and b'"resource' in head[4:64]:
            return "4 bytes"
    return None


def _is_request(head: bytes, at: int, size: int | None) -> bool:
    """Whether what lies there begins as a request does: a resource, in it one of its three fields."""
    if head[at : at + 1] != _RESOURCES:
        return False
    try:
        length, inner = varint(head, at + 1, len(head))
        if length < 2 or (size is not None and inner - at + length > size):
            return False
        if inner >= len(head) or head[inner] not in _INNER:
            return False
        deeper, first = varint(head, inner + 1, len(head))
    except WireError:
        return False
    return first - inner + deeper <= length


class _Bytes:
    """A stream from which so many bytes are taken at a time."""

    def __init__(self, stream: ByteStream) -> None:
        self._pieces = iter(stream)
        self._held = bytearray()
        self.place = 0
        self.broken: str | None = None

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them; fewer at the end."""
        while len(self._held) < size and self._more():
            pass
        return bytes(self._held[:size])

    def take(self, size: int) -> bytes:
        """Take bytes; fewer at the end."""
        data = self.peek(size)
        del self._held[: len(data)]
        self.place += len(data)
        return data

    def skip(self, size: int) -> int:
        """Pass over bytes without holding them; returns how many there were."""
        left = size
        while left:
            if not self._held and not self._more():
                break
            step = min(left, len(self._held))
            del self._held[:step]
            left -= step
            self.place += step
        return size - left

    def skip_all(self, pattern: re.Pattern[bytes]) -> None:
        """Pass over what matches, as far as it is held."""
        if match := pattern.match(self._held):
            del self._held[: match.end()]
            self.place += match.end()

    def _more(self) -> bool:
        try:
            piece = next(self._pieces, None)
        except BrokenStreamError as error:
            self.broken, piece = str(error.args[0]), None
        if piece is None:
            self._pieces = iter(())
            return False
        self._held += piece
        return True


def read_frames(stream: ByteStream, framing: Framing) -> Iterator[Frame]:
    """Give every request of a file, in bounded memory; the last Frame may be a break."""
    source = _Bytes(stream)
    while source.peek(1):
        source.skip_all(_EMPTY[framing])
        if not source.peek(1):
            break
        place = source.place
        size = _length(source, framing)
        if size is None:
            reason = source.broken or "no length where one should be"
            yield Frame(b"", place, problem=reason + LOST)
            return
        if size == 0:
            continue
        if size > LONGEST:
            there = source.skip(size)
            yield Frame(
                b"", place, problem=TOO_LONG if there == size else f"{TOO_LONG}, and cut off"
            )
            continue
        data = source.take(size)
        if len(data) < size:
            yield Frame(b"", place, problem=(source.broken or "the file is cut off") + LOST)
            return
        if framing != "request" and data[:4] == ZSTD_MAGIC:
            unpacked = _unpacked(data)
            yield Frame(unpacked or b"", place, problem=BOMB if unpacked is None else None)
        else:
            yield Frame(data, place, resource=framing == "request")
    if source.broken is not None:
        yield Frame(b"", source.place, problem=source.broken + LOST)


def _length(source: _Bytes, framing: Framing) -> int | None:
    """Take what precedes a frame and return how long it is; None where that cannot be."""
    if framing == "4 bytes":
        head = source.take(4)
        return int.from_bytes(head, "big") if len(head) == 4 else None
    if framing == "request" and source.take(1) != _RESOURCES:
        return None
    head = source.peek(10)
    try:
        size, taken = varint(head, 0, len(head))
    except WireError:
        return None
    source.take(taken)
    return size


def _unpacked(data: bytes) -> bytes | None:
    """Unpack a Zstandard frame, if it becomes no longer than a request may be."""
    parts: list[bytes] = []
    size = 0
    unpacking = zstandard.ZstdDecompressor().decompressobj()
    try:
        # Small bites bound what one call returns: 4 bytes may stand for 128 KiB.
        for start in range(0, len(data), 1 << 11):
            if unpacking.eof:
                return None
            part = unpacking.decompress(data[start : start + (1 << 11)])
            size += len(part)
            if size > LONGEST:
                return None
            parts.append(part)
    except (zstandard.ZstdError, MemoryError):
        return None
    return b"".join(parts) if unpacking.eof else None
