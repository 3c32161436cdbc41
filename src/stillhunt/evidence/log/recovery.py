"""What a writer does first: undo or finish what a killed one had begun."""

from __future__ import annotations

import shutil
from hashlib import sha256

from stillhunt.evidence.checkpoint import SignedCheckpoint
from stillhunt.evidence.keys import read_signer
from stillhunt.evidence.log.files import put, sync
from stillhunt.evidence.log.layout import Layout, numbers

WORK = ".work-"
"""Prefix of folders in ``private`` that live as long as a run."""


def sweep(layout: Layout) -> None:
    """Remove what a killed writer had half written, or was working on."""
    for folder in (layout.root, layout.public, layout.private, layout.public / "keys"):
        for path in folder.glob(".*.tmp"):
            path.unlink()
    for folder in (path for path in layout.private.iterdir() if path.is_dir()):
        if folder.name.startswith(WORK):
            shutil.rmtree(folder)
        else:
            for path in folder.glob(".*.tmp"):
                path.unlink()


def cut_off_batches(layout: Layout, batches: int) -> None:
    """Remove files of batches that no head covers.

    Args:
        layout: of the log; batches: how many the latest head covers.
    """
    for folder in {path.parent for path in layout.batch_files(1)}:
        for number in numbers(folder):
            if number > batches:
                for path in layout.batch_files(number):
                    path.unlink(missing_ok=True)


def settle_rotation(layout: Layout, head: SignedCheckpoint) -> None:
    """Finish a rotation of keys that the latest head signs; undo one that it does not.

    Args:
        layout: of the log; head: the latest.
    """
    for number in numbers(layout.keys, ".new"):
        path = layout.key(number).with_suffix(".new")
        statement = path.with_suffix(".statement")
        key = read_signer(path).key
        if any(key.made(signature) for signature in head.note.signatures):
            said = statement.read_bytes()
            put(layout.statement(sha256(said).digest()), said)
            put(path.with_suffix(".vkey"), f"{key}\n".encode())
            path.rename(path.with_suffix(".key"))
        else:
            path.unlink()
            statement.unlink(missing_ok=True)
        sync(layout.keys)
