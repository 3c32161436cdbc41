"""Signed notes (C2SP signed-note, https://c2sp.org/signed-note): a text and lines of signatures.

Ed25519 (type 0x01) and timestamped cosignatures of witnesses (type 0x04,
https://c2sp.org/tlog-cosignature).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from stillhunt.evidence.canonical import decode_base64, encode_base64
from stillhunt.evidence.failures import EvidenceError, NoteError, SignatureError
from stillhunt.evidence.primitives import is_signature

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
KINDS = (ED25519, COSIGNATURE)
"""Signature types that are understood."""

MAX_NOTE = 1 << 17
"""Bytes of a note."""
MAX_SIGNATURES = 64
MAX_NAME = 256
MAX_TIME = (1 << 63) - 1

_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True)
class Signature:
    """One line of signature.

    Attributes:
        name: of the key; key_id: 4 bytes; value: what the key made, with its time where it is a
            cosignature.
    """

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """As it stands in a note."""
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True)
class Note:
    """A text with its signatures.

    Attributes:
        text: ends with a newline; signatures: in their order.
    """

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """As it is written."""
        return (self.text + "\n" + "".join(s.line() for s in self.signatures)).encode("utf-8")

    def having(self, more: Iterable[Signature]) -> Note:
        """The note with more signatures; of one key only the latest that is given stays."""
        held = {(s.name, s.key_id): s for s in (*self.signatures, *more)}
        return replace(self, signatures=tuple(held.values()))


@dataclass(frozen=True)
class VerifierKey:
    """A public key by name (a *vkey*).

    Attributes:
        name: of the log or witness; kind: ED25519 or COSIGNATURE; public: 32 bytes.
    """

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in KINDS or len(self.public) != 32 or _is_weak(self.public):
            raise NoteError("A key is of no known type, or can be signed for by anyone.")

    @property
    def key_id(self) -> bytes:
        """First 4 bytes of SHA-256 over name, newline, type and key."""
        named = self.name.encode("utf-8") + b"\n" + bytes([self.kind]) + self.public
        return sha256(named).digest()[:4]

    def __str__(self) -> str:
        """``name+id+key``, as it is handed about."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.kind]) + self.public)}"

    def made(self, signature: Signature) -> bool:
        """Whether a signature says that it is this key's."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)

    def check(self, text: str, signature: Signature) -> int | None:
        """Check one of this key's signatures.

        Returns:
            The time of a cosignature, seconds since 1970; None for other signatures.

        Raises:
            SignatureError: it does not verify.
        """
        value, time, message = signature.value, None, text.encode("utf-8")
        if self.kind == COSIGNATURE:
            time = int.from_bytes(value[:8], "big")
            value = value[8:]
            message = cosigned(text, time)
        in_time = time is None or time <= MAX_TIME
        if len(value) != 64 or not in_time or not is_signature(self.public, value, message):
            raise SignatureError(f"A signature of {self.name} does not verify.")
        return time


@dataclass(frozen=True)
class Verified:
    """A signature that was checked.

    Attributes:
        key: whose; time: of a cosignature, seconds since 1970; None for others.
    """

    key: VerifierKey
    time: int | None


def check_name(name: str) -> None:
    """Raise NoteError where something is no name of a key."""
    if (
        not 0 < len(name) <= MAX_NAME
        or "+" in name
        or _CONTROL.search(name)
        or any(c.isspace() for c in name)
    ):
        raise NoteError(
            "A name of a key is empty, too long, or has spaces or a plus sign.",
            "Name it like an address without its scheme, such as example.com/log.",
        )


def parse_vkey(text: str) -> VerifierKey:
    """A public key from ``name+id+key``.

    Raises:
        NoteError: it is none, of no known type, or its id is not its own.
    """
    match = _VKEY.fullmatch(text) if len(text) <= MAX_NAME + 128 else None
    if match is None:
        raise NoteError("That is no verifier key (name+id+key).", "Copy the whole line again.")
    try:
        coded = decode_base64(match[3])
    except EvidenceError as error:
        raise NoteError("A verifier key is not in canonical base64.") from error
    key = VerifierKey(match[1], coded[0], coded[1:])
    if key.key_id.hex() != match[2]:
        raise NoteError("The id of a verifier key is not that of its name and key.")
    return key


def parse_note(data: bytes) -> Note:
    """Read a note strictly: what is read, written again, has the same bytes.

    Raises:
        NoteError: it is none, too long, or has too many signatures.
    """
    if len(data) > MAX_NOTE:
        raise NoteError("A signed note is longer than any should be.")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("A signed note is no UTF-8.") from error
    if _CONTROL.search(whole):
        raise NoteError("A signed note has control characters.")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not text or not lines.endswith("\n"):
        raise NoteError("A signed note has no signatures, or no text.")
    return Note(text + "\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Lines of signatures, at least one.

    Raises:
        NoteError: one is malformed, or there are too many.
    """
    if not lines.endswith("\n") or lines.count("\n") > MAX_SIGNATURES:
        raise NoteError("Lines of signatures are too many, or the last one is cut off.")
    return tuple(_signature(line) for line in lines[:-1].split("\n"))


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if not line.startswith(_DASH) or len(parts) != 3:
        raise NoteError("A line of signature is malformed.")
    check_name(parts[1])
    try:
        value = decode_base64(parts[2])
    except EvidenceError as error:
        raise NoteError("A signature is not in canonical base64.") from error
    if len(value) < 5:
        raise NoteError("A signature is too short.")
    return Signature(parts[1], value[:4], value[4:])


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> list[Verified]:
    """Check every signature that says it is of one of some keys; others are passed over.

    Returns:
        What verified, one for each such line; may be empty.

    Raises:
        SignatureError: one of them does not verify.
    """
    trusted = {(key.name, key.key_id): key for key in keys}
    found = []
    for signature in note.signatures:
        key = trusted.get((signature.name, signature.key_id))
        if key is not None:
            found.append(Verified(key, key.check(note.text, signature)))
    return found


def cosigned(text: str, time: int) -> bytes:
    """What a witness signs: C2SP tlog-cosignature, "Ed25519 signed message"."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


# Points of small order and their other spellings: for such a key anybody can make signatures
# (Cremers and Jackson 2019, "Prime, order please!").
_Y = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)
_WEAK = frozenset(bytes.fromhex(y) for y in _Y)


def _is_weak(public: bytes) -> bool:
    return public[:31] + bytes([public[31] & 0x7F]) in _WEAK
