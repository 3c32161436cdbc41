"""Signing keys: their files, and the statement by which one takes another's place."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from stillhunt.errors import InputError, OutputError
from stillhunt.evidence.canonical import decode_base64, encode_base64
from stillhunt.evidence.failures import EvidenceError, NoteError, SignatureError
from stillhunt.evidence.note import (
    COSIGNATURE,
    ED25519,
    MAX_TIME,
    Note,
    Signature,
    VerifierKey,
    cosigned,
    parse_note,
    parse_vkey,
    verify_note,
)
from stillhunt.evidence.primitives import public_key, sign

ROTATION = "stillhunt.dev/key-rotation/v1"
"""First line of a rotation statement. No checkpoint can be mistaken for one: its second line is a
number."""

_FILE = re.compile(r"PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})\n?")


@dataclass(frozen=True)
class Signer:
    """A private key by name.

    Attributes:
        key: the public one; seed: 32 bytes (RFC 8032).
    """

    key: VerifierKey
    seed: bytes

    def __repr__(self) -> str:
        """Without the seed."""
        return f"Signer({self.key})"

    def sign(self, text: str, time: int | None = None) -> Signature:
        """Sign a note's text.

        Args:
            text: ends with a newline; time: seconds since 1970, for cosignatures and only for those.
        """
        if (self.key.kind == COSIGNATURE) != (time is not None):
            raise ValueError("cosignatures, and nothing else, have a time")
        if time is None:
            made = sign(self.seed, text.encode("utf-8"))
            return Signature(self.key.name, self.key.key_id, made)
        if not 0 <= time <= MAX_TIME:
            raise ValueError("a time is seconds since 1970")
        value = time.to_bytes(8, "big") + sign(self.seed, cosigned(text, time))
        return Signature(self.key.name, self.key.key_id, value)


def signer_of(name: str, seed: bytes, kind: int = ED25519) -> Signer:
    """The signer of a seed of 32 bytes.

    Raises:
        NoteError: the name is no name of a key.
    """
    return Signer(VerifierKey(name, kind, public_key(seed)), seed)


def new_signer(name: str, kind: int = ED25519) -> Signer:
    """A new key, from the system's random bytes."""
    return signer_of(name, os.urandom(32), kind)


def write_signer(path: Path, signer: Signer) -> None:
    """Write a private key, readable by its owner only, where nothing is yet.

    The form is that of Go's ``sumdb/note``: ``PRIVATE+KEY+name+id+base64(type, seed)``.

    Raises:
        OutputError: there is something, or it cannot be written.
    """
    key = signer.key
    coded = encode_base64(bytes([key.kind]) + signer.seed)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(f"PRIVATE+KEY+{key.name}+{key.key_id.hex()}+{coded}\n")
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError as error:
        raise OutputError(
            f"{path} exists and is not overwritten: it may be the only copy of a key.",
            "Name another file, or move that one away.",
        ) from error
    except OSError as error:
        raise OutputError(
            f"The key {path} cannot be written: {error.strerror}.", "Name another file."
        ) from error


def read_signer(path: Path) -> Signer:
    """Read a private key.

    Raises:
        InputError: it is none, cannot be read, or others than its owner may read it.
    """
    try:
        text = path.read_text("utf-8")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The key {path} cannot be read.", "Check its name.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise InputError(
            f"The key {path} can be read by others than its owner.", f"chmod 600 {path}"
        )
    match = _FILE.fullmatch(text)
    try:
        coded = decode_base64(match[3]) if match else b""
        if match and len(coded) == 33:
            signer = signer_of(match[1], coded[1:], coded[0])
            if signer.key.key_id.hex() == match[2]:
                return signer
    except EvidenceError:
        pass
    raise InputError(f"{path} is no signing key.", "Name a file made by stillhunt or Go's note.")


def rotation_statement(origin: str, size: int, old: Signer, new: Signer) -> bytes:
    """A note by which a log's key gives way to another; both sign it.

    Args:
        origin: of the log; size: its leaves when it was made.
    """
    text = f"{ROTATION}\norigin {origin}\nsize {size}\nold {old.key}\nnew {new.key}\n"
    return Note(text, (old.sign(text), new.sign(text))).encode()


def check_rotation(data: bytes, origin: str, old: VerifierKey) -> VerifierKey:
    """The key that takes the place of one that is trusted.

    Args:
        data: a rotation statement; origin: of the log; old: the key that is trusted.

    Raises:
        NoteError: it is none, or of another log or key.
        SignatureError: it is not signed by both.
    """
    note = parse_note(data)
    lines = note.text.split("\n")
    expected = [ROTATION, f"origin {origin}", None, f"old {old}", None, ""]
    if len(lines) != len(expected) or any(
        want is not None and line != want for line, want in zip(lines, expected, strict=True)
    ):
        raise NoteError("That is no rotation of the key that is trusted for this log.")
    if not re.fullmatch(r"size (0|[1-9][0-9]{0,18})", lines[2], re.ASCII):
        raise NoteError("A rotation does not say how large the log was.")
    if not lines[4].startswith("new "):
        raise NoteError("A rotation does not name a new key.")
    new = parse_vkey(lines[4].removeprefix("new "))
    signed = {verified.key for verified in verify_note(note, [old, new])}
    if new == old or signed != {old, new}:
        raise SignatureError("A rotation is not signed by the old and by the new key.")
    return new
