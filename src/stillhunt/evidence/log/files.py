"""Writing a log's files so that what is said to be there survives a crash; one writer at a time."""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from stillhunt.errors import OutputError, UsageError

_FEW = 8
"""Files up to which each is synced by itself."""


def sync(path: Path) -> None:
    """Have a file's content, or a folder's list of names, on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(root: Path, paths: Sequence[Path]) -> None:
    """Have many files, and their names, on the disk.

    Args:
        root: a folder above all of them; paths: files.
    """
    folders = {folder for path in paths for folder in path.relative_to(root).parents}
    every = [*paths, *(root / folder for folder in folders)]
    if len(every) > _FEW and _sync_filesystem(root):
        return
    for path in every:
        sync(path)


def _sync_filesystem(root: Path) -> bool:
    """One ``syncfs`` (Linux) in place of thousands of ``fsync``; False: there is none here.

    Raises:
        OSError: something could not be written.
    """
    function = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if function is None:
        return False
    handle = os.open(root, os.O_RDONLY)
    try:
        if function(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)
    return True


def put(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put a file in place in one step, on the disk before it returns: its old content or its new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.tmp")
    with suppress(FileNotFoundError):
        beside.unlink()
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    sync(path.parent)


@contextmanager
def held(root: Path, what: str) -> Iterator[None]:
    """Hold a folder for writing; a process that is killed holds none.

    Args:
        root: the folder; what: it is, in words.

    Raises:
        UsageError: another process holds it.
        OutputError: it cannot be written to.
    """
    try:
        handle = os.open(root / ".writer.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputError(
            f"The {what} {root} cannot be written: {error.strerror}.",
            "Check its name and the permissions of its folder.",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Another process is writing to the {what} {root}.",
                "Wait until it is done, or stop it; there is one writer at a time.",
            ) from error
        yield
    finally:
        os.close(handle)
