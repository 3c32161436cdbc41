"""Batch records: what was sealed together, in a chain that the log itself holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from stillhunt.errors import UsageError
from stillhunt.evidence.canonical import decode, encode
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.refusal import Refused

MOST = 1 << 20
"""Bytes of a record."""


@dataclass(frozen=True)
class Batch:
    """What was sealed together.

    Attributes:
        batch: its number, from 1; first: position of its first leaf.
        observations, accounts: how many leaves of each; one leaf of the record itself follows.
        period: earliest and latest time, microseconds since 1970 (UTC); None without observations.
        source: where they are from, as the layer above says.
        totals: what a layer above says about the batch; None: nothing.
        previous: SHA-256 of the record before, hexadecimal; empty for the first.
    """

    batch: int
    first: int
    observations: int
    accounts: int
    period: tuple[int, int] | None
    source: dict[str, Any]
    totals: dict[str, Any] | None
    previous: str

    @property
    def leaf(self) -> int:
        """Position of the record's own leaf, the last of the batch."""
        return self.first + self.observations + self.accounts

    @property
    def end(self) -> int:
        """Position after its last leaf."""
        return self.leaf + 1

    def encode(self) -> bytes:
        """Canonical JSON; its SHA-256 is in the log.

        Raises:
            UsageError: source or totals say more than a record may hold.
        """
        data = encode(asdict(self))
        if len(data) > MOST:
            raise UsageError(
                "What is said of a batch is longer than a record may be.",
                "Name digests, not content.",
            )
        return data

    def digest(self) -> bytes:
        """SHA-256 of the record."""
        return sha256(self.encode()).digest()


def parse_batch(data: bytes) -> Batch:
    """A batch record.

    Raises:
        EvidenceError: it is none.
    """
    wrong = EvidenceError("A batch record is malformed.", "Restore it from a backup of the log.")
    try:
        document = decode(data, MOST)
    except Refused as error:
        raise wrong from error
    if not isinstance(document, dict) or document.keys() != Batch.__dataclass_fields__.keys():
        raise wrong
    counts = [document[name] for name in ("batch", "first", "observations", "accounts")]
    period = document["period"]
    if not all(type(count) is int and count >= 0 for count in counts):
        raise wrong
    if period is not None:
        if not (isinstance(period, list) and [type(t) for t in period] == [int, int]):
            raise wrong
        document["period"] = tuple(period)
    if not isinstance(document["totals"], dict | None):
        raise wrong
    if not isinstance(document["source"], dict) or not isinstance(document["previous"], str):
        raise wrong
    return Batch(**document)


def read_batch(path: Path) -> Batch:
    """A batch record from its file.

    Raises:
        EvidenceError: it cannot be read, or is none.
    """
    try:
        return parse_batch(path.read_bytes())
    except OSError as error:
        raise EvidenceError(
            f"The log's batch record {path} cannot be read.", "Restore it from a backup of the log."
        ) from error
