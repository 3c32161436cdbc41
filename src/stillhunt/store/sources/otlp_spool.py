"""What a collector sent, on the disk before it is acknowledged, until the store has it.

A segment is a file of requests, each after its length in 4 bytes (highest first), which the reader of
OTLP files reads. One segment is open; what is in closed ones waits to be taken in. A crash costs only
what was never acknowledged: the broken end of the open segment is cut off at the next start.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
from pathlib import Path

from stillhunt.errors import OutputError, UsageError
from stillhunt.store.durable import sync

SEGMENT_BYTES = 64 << 20
"""A segment that has become so long is closed."""

_CLOSED, _OPEN = ".otlp", ".open"


class FullError(Exception):
    """So much waits to be taken in that no more is accepted for now."""


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
        self._writing = threading.Lock()
        self._syncing = threading.Lock()
        self._written = self._synced = self._size = 0
        self._failed = False
        self._handle: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(self._lock)
                raise UsageError(
                    f"Another process receives OTLP for the store of {folder}.",
                    "Stop it, or name another store.",
                ) from error
            for path in sorted(folder.glob(f"*{_OPEN}")):
                _mend(path)
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._next = max((int(p.stem) for p in self.closed()), default=0) + 1
        self._waiting = sum(path.stat().st_size for path in self.closed())

    @property
    def failed(self) -> bool:
        """The disk refused to keep something: nothing is accepted any more."""
        return self._failed

    @property
    def open_bytes(self) -> int:
        """Bytes in the open segment."""
        return self._size

    def closed(self) -> list[Path]:
        """Segments that wait to be taken in, oldest first."""
        return sorted(p for p in self._folder.glob(f"*{_CLOSED}") if p.stem.isdecimal())

    def append(self, data: bytes) -> None:
        """Keep a request. When this returns it is on the disk.

        Raises:
            FullError: too much is waiting.
            OutputError: the disk does not take it; after a failed sync nothing is taken any more.
        """
        with self._writing:
            if self._failed:
                raise _unwritable(self._folder, None)
            if self._waiting + self._size + len(data) > self._most:
                raise FullError
            if self._size >= SEGMENT_BYTES:
                self._close()
            self._write(struct.pack(">I", len(data)) + data)
            self._written += 1
            ticket = self._written
        self._sync(ticket)

    def rotate(self) -> None:
        """Close the open segment, if there is anything in it, so that it can be taken in."""
        with self._writing:
            self._close()

    def taken(self, segment: Path) -> None:
        """Delete a segment: the store has committed what is in it."""
        size = segment.stat().st_size
        segment.unlink()
        with self._writing:
            self._waiting -= size

    def close(self) -> None:
        """Close the open segment and let go of the folder."""
        self.rotate()
        os.close(self._lock)

    def _write(self, data: bytes) -> None:
        """Write all of it, or nothing that will be read; holds the lock."""
        handle = self._opened() if self._handle is None else self._handle
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(handle, left) :]
        except OSError as error:
            os.ftruncate(handle, self._size)
            raise _unwritable(self._folder, error) from error
        self._size += len(data)

    def _opened(self) -> int:
        """Begin a segment; holds the lock."""
        path = self._folder / f"{self._next:08d}{_OPEN}"
        try:
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            sync(self._folder)
        except OSError as error:
            self._failed = self._handle is not None
            raise _unwritable(self._folder, error) from error
        return self._handle

    def _sync(self, ticket: int) -> None:
        """Have what was written up to a ticket on the disk; one sync serves all who wait for it."""
        with self._syncing:
            if self._synced >= ticket:
                return
            with self._writing:
                if self._synced >= ticket:
                    return
                target = self._written
                handle = os.dup(self._handle) if self._handle is not None else None
            if handle is None:  # closed, hence synced, in between
                return
            try:
                os.fsync(handle)
            except OSError as error:
                # What a failed sync left behind is unknown, and a second one would not tell.
                self._failed = True
                raise _unwritable(self._folder, error) from error
            finally:
                os.close(handle)
            with self._writing:
                self._synced = max(self._synced, target)

    def _close(self) -> None:
        """Sync and close the open segment; holds the lock."""
        if self._handle is None:
            return
        try:
            os.fsync(self._handle)
            os.close(self._handle)
            self._handle = None
            path = self._folder / f"{self._next:08d}{_OPEN}"
            path.rename(path.with_suffix(_CLOSED))
            sync(self._folder)
        except OSError as error:
            self._failed = True
            raise _unwritable(self._folder, error) from error
        self._synced = self._written
        self._waiting += self._size
        self._size = 0
        self._next += 1


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
