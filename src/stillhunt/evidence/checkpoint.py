"""Checkpoints: signed heads of a log (C2SP tlog-checkpoint, https://c2sp.org/tlog-checkpoint)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stillhunt.evidence.canonical import decode_base64, encode_base64
from stillhunt.evidence.failures import EvidenceError, NoteError, SignatureError
from stillhunt.evidence.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE
from stillhunt.evidence.note import (
    COSIGNATURE,
    ED25519,
    Note,
    Verified,
    VerifierKey,
    parse_note,
    verify_note,
)

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log.

    Attributes:
        origin: whose; size: leaves; root: 32 bytes; extensions: further lines, which nobody audits.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is signed."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint whose signatures were checked.

    Attributes:
        checkpoint: what they sign; note: as it came.
        signed: by keys of the log, at least one; cosigned: by witnesses.
    """

    checkpoint: Checkpoint
    note: Note
    signed: tuple[Verified, ...]
    cosigned: tuple[Verified, ...]

    def witnesses(self) -> set[str]:
        """Names of the witnesses that cosigned; a witness counts once, whatever keys it has."""
        return {verified.key.name for verified in self.cosigned}


def parse_number(text: str) -> int:
    """A size: decimal, no leading zeroes, below 2**63.

    Raises:
        NoteError: it is none.
    """
    if not _NUMBER.fullmatch(text) or int(text) > MAX_SIZE:
        raise NoteError("A size is no number, or too large.")
    return int(text)


def parse_checkpoint(text: str) -> Checkpoint:
    """A checkpoint from a note's text.

    Raises:
        NoteError: it is none.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "" or not all(lines):
        raise NoteError("A checkpoint has fewer than three lines, or an empty one.")
    try:
        root = decode_base64(lines[2])
    except EvidenceError as error:
        raise NoteError("The root of a checkpoint is not in canonical base64.") from error
    size = parse_number(lines[1])
    if len(root) != HASH_BYTES or (size == 0 and root != EMPTY_ROOT):
        raise NoteError("The root of a checkpoint is no SHA-256 hash of such a tree.")
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))


def open_checkpoint(
    data: bytes | Note,
    keys: Iterable[VerifierKey],
    witnesses: Iterable[VerifierKey] = (),
    origin: str | None = None,
) -> SignedCheckpoint:
    """Read a checkpoint and check it.

    Args:
        data: a signed note; keys: of the log, of which one at least must have signed.
        witnesses: keys whose cosignatures count; origin: that is expected; None: any.

    Raises:
        NoteError: it is no checkpoint, or of another log.
        SignatureError: a signature by one of these keys does not verify, or none of the log's is
            there.
    """
    note = data if isinstance(data, Note) else parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    if origin is not None and checkpoint.origin != origin:
        raise NoteError("A checkpoint is of another log than was expected.")
    signed = verify_note(
        note, [k for k in keys if k.kind == ED25519 and k.name == checkpoint.origin]
    )
    if not signed:
        raise SignatureError("A checkpoint is signed by none of the log's keys that are trusted.")
    cosigned = verify_note(note, [key for key in witnesses if key.kind == COSIGNATURE])
    return SignedCheckpoint(checkpoint, note, tuple(signed), tuple(cosigned))


def quorum_met(checkpoint: SignedCheckpoint, quorum: int) -> bool:
    """Whether so many different witnesses cosigned."""
    return len(checkpoint.witnesses()) >= quorum


def encode_proof(hashes: Sequence[bytes]) -> list[str]:
    """Hashes of a proof as text, one in base64 each."""
    return [encode_base64(value) for value in hashes]


def decode_proof(lines: Sequence[str], most: int = 64) -> list[bytes]:
    """The opposite.

    Raises:
        NoteError: there are too many, or one is no hash.
    """
    try:
        hashes = [decode_base64(line) for line in lines[: most + 1]]
    except EvidenceError as error:
        raise NoteError("A hash of a proof is not in canonical base64.") from error
    if len(hashes) > most or any(len(value) != HASH_BYTES for value in hashes):
        raise NoteError("A proof has too many hashes, or one of a wrong length.")
    return hashes
