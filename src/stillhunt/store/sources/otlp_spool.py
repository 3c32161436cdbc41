"""What a collector sent, on the disk before it is acknowledged, until the store has it.

A segment is a file of requests, each after its length in 4 bytes (highest first), which the reader of
OTLP files reads. New calls go into the open segment. When it is turned, it settles: what comes late
about its calls (the events of a span, the span of events) still goes into it, until the next turn
closes it, and it waits to be taken in. A crash costs only what was never acknowledged: the broken end
of a segment is cut off at the next start.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
from pathlib import Path

from stillhunt.errors import OutputError, UsageError
from stillhunt.readers.otlp.split import Keys, split_request
from stillhunt.store.durable import sync

SEGMENT_BYTES = 64 << 20
"""A segment that has become so long is turned."""

_CLOSED, _OPEN = ".otlp", ".open"


class FullError(Exception):
    """So much waits to be taken in that no more is accepted for now."""


class _Segment:
    """A file under way; all but ``sync`` only for who holds the spool's lock."""

    def __init__(self, folder: Path, number: int) -> None:
        self.path = folder / f"{number:08d}{_OPEN}"
        self.size = 0
        self.calls: set[tuple[str, str]] = set()
        self._synced = 0
        self._syncing = threading.Lock()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._handle = os.open(self.path, flags, 0o600)
        sync(folder)

    def write(self, data: bytes) -> int:
        """Append a request, or nothing that will be read; returns where it ends."""
        left = memoryview(struct.pack(">I", len(data)) + data)
        whole = len(left)
        try:
            while left:
                left = left[os.write(self._handle, left) :]
        except OSError:
            os.ftruncate(self._handle, self.size)
            raise
        self.size += whole
        return self.size

    def sync(self, end: int) -> None:
        """Have everything before a place on the disk; one sync serves all who wait for it."""
        with self._syncing:
            if self._synced < end:
                reached = self.size
                os.fsync(self._handle)
                self._synced = reached

    def close(self) -> None:
        """Sync, and give it the name of those that wait."""
        with self._syncing:
            os.fsync(self._handle)
            os.close(self._handle)
            self._synced = self.size
            self.path.rename(self.path.with_suffix(_CLOSED))
        sync(self.path.parent)


class Spool:
    """The folder of segments; append may be called from many threads."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Lock the folder, and close what a crash left open.

        Args:
            folder: made where there is none, for nobody else to read.
            most_bytes: what may wait, at most.

        Raises:
            UsageError: another process has it.
            OutputError: it cannot be written.
        """
        self._folder = folder
        self._most = most_bytes
        self._lock = threading.Lock()
        self._failed = False
        self._current: _Segment | None = None
        self._settling: _Segment | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._owned = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._owned, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(self._owned)
                raise UsageError(
                    f"Another process receives OTLP for the store of {folder}.",
                    "Stop it, or name another store.",
                ) from error
            for path in sorted(folder.glob(f"*{_OPEN}")):
                _mend(path)
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._next = max((int(p.stem) for p in self.closed()), default=0) + 1
        self._bytes = sum(path.stat().st_size for path in self.closed())

    @property
    def failed(self) -> bool:
        """The disk refused to keep something: nothing is accepted any more."""
        return self._failed

    def closed(self) -> list[Path]:
        """Segments that wait to be taken in, oldest first."""
        return sorted(p for p in self._folder.glob(f"*{_CLOSED}") if p.stem.isdecimal())

    def append(self, data: bytes, calls: Keys = frozenset(), *, is_json: bool = False) -> None:
        """Keep a request. When this returns it is on the disk.

        Args:
            data: the request, which is not empty.
            calls: trace and span ids of its calls.
            is_json: or protobuf; which it is matters only where it must be divided.

        Raises:
            FullError: too much is waiting.
            OutputError: the disk does not take it; after a failed sync nothing is taken any more.
        """
        settling = self._settling
        late = calls & settling.calls if settling is not None else frozenset()
        before, rest = b"", data
        if late:
            before, rest = split_request(data, frozenset(late), is_json=is_json)
        written: list[tuple[_Segment, int]] = []
        with self._lock:
            if self._failed:
                raise _unwritable(self._folder, None)
            if self._bytes + len(data) > self._most:
                raise FullError
            try:
                if before and settling is self._settling and settling is not None:
                    written.append((settling, settling.write(before)))
                    self._bytes += len(before) + 4
                else:
                    rest = data  # it was closed in between
                if rest:
                    current = self._opened()
                    written.append((current, current.write(rest)))
                    current.calls |= calls - late
                    self._bytes += len(rest) + 4
            except OSError as error:
                raise _unwritable(self._folder, error) from error
        try:
            for segment, end in written:
                segment.sync(end)
        except OSError as error:
            # What a failed sync left behind is unknown, and a second one would not tell.
            self._failed = True
            raise _unwritable(self._folder, error) from error

    def turn(self) -> None:
        """Close the segment that settles, so that it can be taken in, and have the open one settle."""
        with self._lock:
            self._turn()

    def taken(self, segment: Path) -> None:
        """Delete a segment: the store has committed what is in it."""
        size = segment.stat().st_size
        segment.unlink()
        with self._lock:
            self._bytes = max(0, self._bytes - size)

    def close(self) -> None:
        """Close what is open and let go of the folder."""
        self.turn()
        self.turn()
        os.close(self._owned)

    def _opened(self) -> _Segment:
        """The segment for new calls; holds the lock."""
        if self._current is not None and self._current.size >= SEGMENT_BYTES:
            self._turn()
        if self._current is None:
            self._current = _Segment(self._folder, self._next)
            self._next += 1
        return self._current

    def _turn(self) -> None:
        try:
            if self._settling is not None:
                self._settling.close()
        except OSError as error:
            self._failed = True
            raise _unwritable(self._folder, error) from error
        self._settling, self._current = self._current, None


def _mend(path: Path) -> None:
    """Cut off what is no whole request, and close the segment."""
    end = whole_end(path)
    if end == 0:
        path.unlink()
    else:
        os.truncate(path, end)
        sync(path)
        path.rename(path.with_suffix(_CLOSED))
    sync(path.parent)


def whole_end(path: Path) -> int:
    """Return where the last whole request of a segment ends."""
    total = path.stat().st_size
    at = 0
    with path.open("rb") as file:
        while at + 4 <= total:
            file.seek(at)
            (size,) = struct.unpack(">I", file.read(4))
            if size == 0 or at + 4 + size > total:  # the disk may have kept a length and no content
                break
            at += 4 + size
    return at


def _unwritable(folder: Path, error: OSError | None) -> OutputError:
    why = f": {error.strerror}" if error is not None and error.strerror else ""
    return OutputError(
        f"What was received cannot be kept in {folder}{why}.",
        "Make room or mend the disk, and start again; what was acknowledged is there.",
    )
