"""Whom a verifier trusts: keys, and how many witnesses it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from stillhunt.errors import InputError
from stillhunt.evidence.canonical import decode_loose
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.note import COSIGNATURE, ED25519, VerifierKey, parse_vkey


@dataclass(frozen=True)
class Trust:
    """Whom, and what, a verifier goes by.

    Attributes:
        log: keys of the log; none: the ones that the bundle names are taken, and that is said.
        claimants: keys of who signs claims; none: the log's.
        witnesses: keys of witnesses; quorum: how many of them have to have cosigned.
        origin: name of the log; None: any.
        seed: value that the verifier gave the claimant for the audit, 64 hexadecimal digits.
        authorities: PEM files of time-stamping authorities' roots.
        most_error, least_confidence: an audit at weaker rates than these is refused.
        now: by the verifier's clock.
    """

    log: tuple[VerifierKey, ...] = ()
    claimants: tuple[VerifierKey, ...] = ()
    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int = 0
    origin: str | None = None
    seed: str | None = None
    authorities: tuple[bytes, ...] = ()
    most_error: float = 0.05
    least_confidence: float = 0.95
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


_REMEDY = (
    'Write it as {"log": ["name+id+key"], "witnesses": ["name+id+key"], "quorum": 1}; see'
    " docs/guides/claims.md."
)
_KEYS = {
    "origin", "log", "claimants", "witnesses", "quorum", "authorities", "most_error",
    "least_confidence",
}  # fmt: skip


def read_trust(path: Path, seed: str | None = None) -> Trust:
    """Read a trust file: JSON with lists of verifier keys.

    Args:
        path: of the file; paths of certificates in it are relative to its folder.
        seed: that the verifier gave for the audit.

    Raises:
        InputError: it cannot be read or says what means nothing.
    """
    try:
        value = decode_loose(path.read_bytes())
        if not isinstance(value, dict) or not set(value) <= _KEYS:
            raise InputError(f"The trust file {path} has keys that mean nothing.", _REMEDY)
        log = _keys(value.get("log", []), ED25519)
        claimants = _keys(value.get("claimants", []), ED25519)
        witnesses = _keys(value.get("witnesses", []), COSIGNATURE)
        quorum = value.get("quorum", min(len(witnesses), 1))
        origin = value.get("origin")
        authorities = tuple(
            (path.parent / name).read_bytes() for name in value.get("authorities", [])
        )
    except (OSError, ValueError, TypeError, AttributeError, EvidenceError) as error:
        problem = getattr(error, "problem", "") or "It cannot be read."
        raise InputError(f"The trust file {path} is of no use: {problem}", _REMEDY) from error
    if origin is not None and not isinstance(origin, str):
        raise InputError(f"The trust file {path} names no log.", _REMEDY)
    if type(quorum) is not int or not 0 <= quorum <= len({key.name for key in witnesses}):
        raise InputError(f"The trust file {path} asks for more witnesses than it names.", _REMEDY)
    rates = (value.get("most_error", Trust.most_error),
             value.get("least_confidence", Trust.least_confidence))  # fmt: skip
    if not all(isinstance(rate, float) and 0 < rate < 1 for rate in rates):
        raise InputError(f"The trust file {path} has rates that are no shares.", _REMEDY)
    return Trust(log, claimants, witnesses, quorum, origin, seed, authorities, *rates)


def _keys(rows: list[str], kind: int) -> tuple[VerifierKey, ...]:
    keys = tuple(parse_vkey(row.strip()) for row in rows)
    if any(key.kind != kind for key in keys):
        raise EvidenceError("a key is of the wrong kind (a log's is 01, a witness's 04)", _REMEDY)
    return keys
