"""Asks witnesses to cosign a log's head: C2SP tlog-witness."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from stillhunt.errors import StillhuntError
from stillhunt.evidence.checkpoint import SignedCheckpoint, parse_number
from stillhunt.evidence.failures import EvidenceError, NoteError
from stillhunt.evidence.log.settings import WitnessAddress, read_settings
from stillhunt.evidence.log.writer import LogWriter
from stillhunt.evidence.merkle import NodeReader
from stillhunt.evidence.note import Signature, parse_signatures
from stillhunt.evidence.witness import SIZE_TYPE, make_request

PATIENCE = 10.0
"""Seconds that a witness may be silent."""
MAX_REPLY = 1 << 16


class WitnessError(StillhuntError):
    """A witness did not cosign."""


@dataclass(frozen=True)
class Asked:
    """Attributes:
    witness: who was asked; refused: why it did not cosign; empty: it did.
    """

    witness: WitnessAddress
    refused: str = ""


def collect(writer: LogWriter, patience: float = PATIENCE) -> list[Asked]:
    """Ask every witness of a log that has not cosigned its latest head to do so.

    Args:
        writer: of the log, with nothing appended since its latest head.
        patience: seconds for each answer.

    Returns:
        What each one did; those without an address are asked by hand and not named here.
    """
    settings = read_settings(writer.log.layout)
    head = writer.log.head()
    there = {verified.key for verified in head.cosigned}
    asked = []
    for witness in settings.witnesses:
        if witness.key in there or not witness.url:
            continue
        try:
            made = cosign(witness, writer.log.tree(head.checkpoint.size), head, patience)
            writer.add_cosignatures(made)
            asked.append(Asked(witness))
        except (WitnessError, EvidenceError) as error:
            asked.append(Asked(witness, error.problem))
    return asked


def cosign(
    witness: WitnessAddress, nodes: NodeReader, head: SignedCheckpoint, patience: float = PATIENCE
) -> Sequence[Signature]:
    """One witness's cosignatures of a head, checked.

    Args:
        witness: with its address; nodes: of the log; head: its latest; patience: in seconds.

    Raises:
        WitnessError: it cannot be reached, refuses, or says what makes no sense.
        SignatureError: its cosignature does not verify.
    """
    # What it cosigned last is asked for by a request that it may refuse: the specification's own way.
    old = 0
    for _ in range(2):
        status, kind, body = _post(witness, make_request(nodes, head.note, old), patience)
        if status != 409 or kind != SIZE_TYPE:
            break
        said = _size(body)
        if said > head.checkpoint.size or said == old:
            raise WitnessError(
                f"{witness.key.name} has cosigned another head of {said:,} leaves of this log, which "
                f"has {head.checkpoint.size:,}.",
                "The log was restored from an old backup, or forked: find out before sealing more.",
            )
        old = said
    if status != 200:
        reason = body[:200].decode("utf-8", "replace").strip()
        raise WitnessError(
            f"{witness.key.name} refused ({status}): {ascii(reason)[1:-1]}", "Ask it why."
        )
    try:
        signatures = parse_signatures(body.decode("utf-8"))
    except (UnicodeDecodeError, NoteError) as error:
        raise WitnessError(f"{witness.key.name} sent no cosignature.", "Ask it why.") from error
    own = [s for s in signatures if witness.key.made(s)]
    if not own:
        raise WitnessError(f"{witness.key.name} signed with another key.", "Ask for its new key.")
    for signature in own:
        witness.key.check(head.note.text, signature)
    return own


def _size(body: bytes) -> int:
    try:
        return parse_number(body.decode("ascii", "replace").removesuffix("\n"))
    except NoteError as error:
        raise WitnessError("A witness said a size that is none.", "Ask it why.") from error


def _post(witness: WitnessAddress, body: bytes, patience: float) -> tuple[int, str, bytes]:
    place = urlsplit(witness.url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    if place.scheme not in kinds or not place.hostname:
        raise WitnessError(f"{witness.url} is no address.", "Give http://… or https://….")
    began = time.monotonic()
    connection = kinds[place.scheme](place.hostname, place.port, timeout=patience)
    try:
        path = f"{place.path.rstrip('/')}/add-checkpoint"
        connection.request("POST", path, body, {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        data = b""
        while len(data) <= MAX_REPLY and (some := answer.read1(MAX_REPLY)):
            data += some
            if time.monotonic() > began + 3 * patience:
                raise TimeoutError("it sends too slowly")
        kind = answer.headers.get_content_type()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise WitnessError(
            f"{witness.key.name} cannot be reached: {ascii(str(error)[:200])[1:-1]}.",
            "Try again later.",
        ) from error
    finally:
        connection.close()
    if len(data) > MAX_REPLY:
        raise WitnessError(f"{witness.key.name} sent too much.", "Ask it why.")
    return answer.status, kind, data
