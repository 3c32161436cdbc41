"""Answers an audit: adds a seed and what it draws to a bundle that was made before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stillhunt.errors import InputError
from stillhunt.evidence import container
from stillhunt.evidence.audit import plan, seed_of
from stillhunt.evidence.checkpoint import parse_checkpoint, quorum_met
from stillhunt.evidence.claim.answer import answer
from stillhunt.evidence.claim.bundle import log_part, read_commit_proof
from stillhunt.evidence.claim.gather import LogLeaves
from stillhunt.evidence.claim.state import ClaimState
from stillhunt.evidence.dsse import open_envelope
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.settings import read_settings
from stillhunt.evidence.note import parse_note
from stillhunt.evidence.seed import Seed
from stillhunt.evidence.statement import Statement, read_statement
from stillhunt.evidence.totals.answering import answer_totals
from stillhunt.evidence.totals.audit import totals_plan
from stillhunt.evidence.totals.member import read_totals


@dataclass(frozen=True)
class Answered:
    """An audit that was answered.

    Attributes:
        bundle: written; bytes: of the answers; missing: drawn leaves that could not be opened.
    """

    bundle: Path
    bytes: int
    missing: int


def statement_of(bundle: Path) -> Statement:
    """The statement in a bundle; nothing else of it is checked.

    Raises:
        Refused: it is no bundle.
    """
    return statement_in(container.read(bundle))


def statement_in(members: Mapping[str, memoryview]) -> Statement:
    """The statement among a bundle's members; nothing else of them is checked."""
    return read_statement(open_envelope(bytes(members["statement.dsse"])).payload)


def commit_size(bundle: Path) -> int:
    """Size of the head in which a bundle's claim is committed."""
    return _size(bytes(container.read(bundle)["log/commit"]))


def _size(note: bytes) -> int:
    return parse_checkpoint(parse_note(note).text).size


def _refreshed(log: Log, members: dict[str, memoryview]) -> dict[str, bytes | memoryview]:
    """Members with the checkpoints as the log has them now, cosigned by more witnesses perhaps."""
    fresh: dict[str, bytes | memoryview] = dict(members)
    for name in ("log/before", "log/after", "log/commit"):
        if name in members:
            fresh[name] = log.head(_size(bytes(members[name]))).note.encode()
    return fresh


def refresh(log: Log, bundle: Path, out: Path) -> None:
    """Bring a bundle's checkpoints up to date with the cosignatures that the log has by now.

    Where the head in which the claim was committed lacks the log's quorum of witnesses, the first later
    one that has it takes its place; answers to an audit, which belong to the former, then go.
    """
    members = _refreshed(log, container.read(bundle))
    size = _size(bytes(members["log/commit"]))
    wanted = max(read_settings(log.layout).quorum, 1)
    later = next((s for s in log.sizes() if s >= size and quorum_met(log.head(s), wanted)), size)
    if later != size:
        position, _ = read_commit_proof(bytes(members["log/commit.proof"]))
        sizes = [_size(bytes(members[n])) for n in ("log/before", "log/after") if n in members]
        part = log_part(
            log.tree(later),
            (sizes[0], log.head(sizes[0]).note.encode()) if len(sizes) == 2 else None,
            (sizes[-1], log.head(sizes[-1]).note.encode()),
            (later, log.head(later).note.encode()),
            position,
        )
        for name in ("seed", "audit"):
            members.pop(name, None)
        members.update(part.members())
    container.write(out, members)


def add_openings(bundle: Path, openings: list[bytes], out: Path) -> None:
    """Add openings of accounts or values to a bundle; ones that it has already stay single."""
    members: dict[str, bytes | memoryview] = dict(container.read(bundle))
    there = [bytes(members.pop(name)) for name in list(members) if name.startswith("openings/")]
    every = list(dict.fromkeys([*there, *openings]))
    members |= {f"openings/{i:06d}.json": body for i, body in enumerate(every)}
    container.write(out, members)


def add_timestamps(bundle: Path, replies: list[bytes], out: Path) -> None:
    """Add replies of time-stamping authorities (RFC 3161) over the statement's SHA-256 to a bundle."""
    members: dict[str, bytes | memoryview] = dict(container.read(bundle))
    there = [bytes(members.pop(name)) for name in list(members) if name.startswith("timestamps/")]
    every = list(dict.fromkeys([*there, *replies]))
    members |= {f"timestamps/{i:02d}.tsr": body for i, body in enumerate(every)}
    container.write(out, members)


def respond(log: Log, bundle: Path, state: ClaimState, seed: Seed, out: Path) -> Answered:
    """Answer an audit.

    Args:
        log: that the claim is about; bundle: of the claim; state: the claimant's part.
        seed: that what is opened is drawn from; out: bundle to write.

    Raises:
        InputError: the claimant's part is of another claim.
    """
    members = {
        name: body
        for name, body in container.read(bundle).items()
        if name not in ("audit", "totals.audit")
    }
    statement = statement_in(members)
    if statement.digest != state.statement:
        raise InputError(
            "The claimant's part belongs to another claim.",
            "Name the one that was written with this bundle.",
        )
    drawn_from = seed_of(statement.digest, seed.kind, seed.value)
    drawn = plan(statement.accounts, statement.weights, statement.rates, drawn_from, seed.tries)
    size = int(statement.predicate["log"]["size"])
    secret = state.secret if statement.depth == "pseudonymous" else None
    body, missing = answer(state.trees, drawn, LogLeaves(log), log.tree(size), size, secret)
    answers: dict[str, bytes] = {"audit": body, "seed": seed.encode()}
    if "totals" in members:
        shown = read_totals(bytes(members["totals"]))
        names = totals_plan(shown, statement.rates, drawn_from, seed.tries)
        answers["totals.audit"] = answer_totals(log, state.rows, state.secret, shown, names, size)
    container.write(out, {**_refreshed(log, members), **answers})
    return Answered(out, len(body), missing)
