"""Makes an empty log, with its first key and a signed head of no leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from stillhunt.errors import OutputError, UsageError
from stillhunt.evidence.canonical import encode
from stillhunt.evidence.checkpoint import Checkpoint
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.keys import Signer, new_signer, write_signer
from stillhunt.evidence.log.files import put, sync
from stillhunt.evidence.log.layout import LOG_VERSION, Layout
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.merkle import EMPTY_ROOT
from stillhunt.evidence.note import ED25519, Note


def create_log(root: Path, origin: str, signer: Signer | None = None) -> Log:
    """Make an empty log.

    Args:
        root: a folder that does not exist, or is empty.
        origin: the log's name, an address without its scheme; it is the name of its key, too.
        signer: its key; None: a new one.

    Raises:
        UsageError: the origin is no name of a key.
        OutputError: the folder holds something, or cannot be made.
    """
    try:
        signer = signer or new_signer(origin)
    except EvidenceError as error:
        raise UsageError(error.problem, error.remedy) from error
    if signer.key.name != origin or signer.key.kind != ED25519:
        raise UsageError(
            "The key of a log has the log's origin for its name.", "Let stillhunt make the key."
        )
    layout = Layout(root)
    try:
        if root.is_dir() and any(root.iterdir()):
            raise OutputError(f"{root} holds files already.", "Name a new or empty folder.")
        layout.keys.mkdir(parents=True, mode=0o700)
        layout.private.chmod(0o700)
        for folder in {path.parent for path in (*layout.batch_files(1), layout.head(0))}:
            folder.mkdir()
        write_signer(layout.key(1), signer)
        put(layout.key(1).with_suffix(".vkey"), f"{signer.key}\n".encode())
        text = Checkpoint(origin, 0, EMPTY_ROOT).text
        head = Note(text, (signer.sign(text),)).encode()
        put(layout.head(0), head)
        put(layout.checkpoint, head)
        for folder in (layout.private, root, root.absolute().parent):
            sync(folder)
        # Last: what has no header is no log.
        now = datetime.now(UTC).isoformat(timespec="seconds")
        put(layout.header, encode({"created": now, "log": LOG_VERSION, "origin": origin}))
    except OSError as error:
        raise OutputError(
            f"The log {root} cannot be made: {error.strerror}.", "Name another folder."
        ) from error
    return Log(root)
