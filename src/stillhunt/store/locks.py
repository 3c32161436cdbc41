"""One writer at a time; and nothing is deleted under a reader's hands."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stillhunt.errors import OutputError, UsageError

# Locks of the kernel's: a process that is killed holds none.


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold a store for writing.

    Raises:
        UsageError: another process writes to it.
        OutputError: it cannot be written to.
    """
    try:
        handle = os.open(root / ".writer.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputError(
            f"The store {root} cannot be written: {error.strerror}.",
            "Check the permissions of its folder.",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            writer = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            raise UsageError(
                f"Another process{f' ({writer})' if writer.isdigit() else ''} is writing to the store "
                f"{root}.",
                "Wait until it is done, or stop it; a store has one writer at a time.",
            ) from error
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


@contextmanager
def reading(root: Path) -> Iterator[None]:
    """Keep files that are being read from being deleted. A store that may not be written needs no lock."""
    try:
        handle = os.open(root / ".readers.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


@contextmanager
def deleting(root: Path) -> Iterator[bool]:
    """True where nobody reads, and nobody will begin to until the end; False: not now."""
    handle = os.open(root / ".readers.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)
