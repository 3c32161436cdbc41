"""What a witness does: it cosigns heads of logs, never two of one log that contradict one another.

C2SP tlog-witness (https://c2sp.org/tlog-witness), without the network: a request's body goes in, a
reply comes out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from stillhunt.evidence.checkpoint import (
    Checkpoint,
    decode_proof,
    encode_proof,
    open_checkpoint,
    parse_checkpoint,
    parse_number,
)
from stillhunt.evidence.failures import EvidenceError, NoteError, ProofError, SignatureError
from stillhunt.evidence.keys import Signer
from stillhunt.evidence.merkle import EMPTY_ROOT, NodeReader, consistency_proof, verify_consistency
from stillhunt.evidence.note import COSIGNATURE, MAX_NOTE, Note, VerifierKey, parse_note
from stillhunt.evidence.split_view import same_size

MAX_REQUEST = MAX_NOTE + 8192
"""Bytes of a request."""
MAX_PROOF = 63
"""Hashes of a consistency proof, by the specification."""
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Reply:
    """Attributes:
    status: of HTTP; body, content_type: what is sent.
    """

    status: int
    body: bytes
    content_type: str = TEXT_TYPE


class Heads(Protocol):
    """What a witness must never forget: the last head of each log that it cosigned."""

    def latest(self, origin: str) -> bytes | None:
        """The note; None: it never cosigned one of this log.

        Raises:
            EvidenceError: that cannot be told.
        """
        ...

    def keep(self, origin: str, note: bytes) -> None:
        """Replace it; on the disk before this returns."""
        ...

    def accuse(self, origin: str, size: int, proof: bytes) -> None:
        """Keep a proof of a split view."""
        ...


REPEATED = 3600
"""Seconds for which a head that is asked for again gets the cosignature that it has."""


class Witness:
    """Cosigns heads of the logs that it knows.

    Attributes:
        key: its public key.
    """

    def __init__(
        self,
        signer: Signer,
        logs: Iterable[VerifierKey],
        heads: Heads,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Args:
        signer: its key, of type COSIGNATURE.
        logs: keys of logs; a log's origin is its keys' name, and it may have several.
        heads: what it remembers; clock: seconds since 1970.
        """
        if signer.key.kind != COSIGNATURE:
            raise ValueError("a witness signs with a key for cosignatures")
        self.key = signer.key
        self._signer = signer
        self._heads = heads
        self._clock = clock
        self._logs: dict[str, list[VerifierKey]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        self._one_at_a_time = threading.Lock()
        self._made: dict[str, tuple[int, str]] = {}

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer a request to cosign.

        The new head is on the disk before the cosignature is made, and two requests are never
        checked against one old head: whatever happens in between, no two heads that this witness
        ever cosigned contradict one another.

        Args:
            body: old size, consistency proof, empty line, checkpoint.
        """
        try:
            old, proof, note = parse_request(body)
            head = parse_checkpoint(note.text)
        except EvidenceError as error:
            return _refusal(400, error.problem)
        keys = self._logs.get(head.origin)
        if keys is None:
            return _refusal(404, "This witness does not know the log.")
        try:
            signed = open_checkpoint(note, keys, origin=head.origin)
        except SignatureError as error:
            return _refusal(403, error.problem)
        if old > head.size:
            return _refusal(400, "The old size is larger than the new one.")
        with self._one_at_a_time:
            return self._cosign(old, proof, signed.checkpoint, note)

    def _cosign(self, old: int, proof: Sequence[bytes], head: Checkpoint, note: Note) -> Reply:
        kept = self._heads.latest(head.origin)
        last = parse_checkpoint(parse_note(kept).text) if kept is not None else None
        size = last.size if last is not None else 0
        if kept is not None and last is not None and size == head.size and last.root != head.root:
            accusation = same_size(kept, note.encode())
            if accusation is not None:
                self._heads.accuse(head.origin, size, accusation)
        if old != size or (last is not None and size == head.size and last.root != head.root):
            return Reply(409, f"{size}\n".encode("ascii"), SIZE_TYPE)
        root = last.root if last is not None else EMPTY_ROOT
        try:
            verify_consistency(old, head.size, root, head.root, proof)
        except ProofError as error:
            return _refusal(422, error.problem)
        if last is None or last != head:
            self._heads.keep(head.origin, note.encode())
        return Reply(200, self._line(note.text, int(self._clock())).encode("utf-8"))

    def _line(self, text: str, now: int) -> str:
        """The cosignature of a head: for so long the same one.

        Audits are drawn from cosignatures; who could have many of one head would choose among them.
        """
        made, line = self._made.get(text, (0, ""))
        if not made <= now < made + REPEATED or not line:
            self._made = {t: kept for t, kept in self._made.items() if now < kept[0] + REPEATED}
            line = self._signer.sign(text, now).line()
            self._made[text] = (now, line)
        return line


def make_request(nodes: NodeReader, note: Note, old: int) -> bytes:
    """The body that asks a witness to cosign.

    Args:
        nodes: of the log; note: its head; old: size that the witness cosigned last, 0: none.
    """
    head = parse_checkpoint(note.text)
    lines = [f"old {old}", *encode_proof(consistency_proof(nodes, old, head.size)), "", ""]
    return "\n".join(lines).encode("ascii") + note.encode()


def parse_request(body: bytes) -> tuple[int, list[bytes], Note]:
    """Old size, proof and checkpoint of a request.

    Raises:
        NoteError: it is none.
    """
    if len(body) > MAX_REQUEST:
        raise NoteError("A request is longer than any should be.")
    top, blank, rest = body.partition(b"\n\n")
    try:
        lines = top.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise NoteError("A request is malformed.") from error
    if not blank or not lines[0].startswith("old "):
        raise NoteError("A request does not begin with an old size.")
    old = parse_number(lines[0].removeprefix("old "))
    return old, decode_proof(lines[1:], MAX_PROOF), parse_note(rest)


def _refusal(status: int, reason: str) -> Reply:
    return Reply(status, f"{reason}\n".encode())
