"""Verifies a bundle for its page, and takes from report and statement what the page says."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from stillhunt.errors import InputError
from stillhunt.evidence import container
from stillhunt.evidence.dsse import open_envelope
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.report import NOT_APPLICABLE, PASSED, Report
from stillhunt.evidence.statement import Statement, read_statement
from stillhunt.evidence.verify import Trust, verify
from stillhunt.report.claim_facts import Audit, Checked, ClaimFacts

_OF = {"positions": ("exchange", "exchanges"), "accounts": ("account", "accounts")}
_SEEDS = {
    "witness": "a witness's cosignature of the log with this claim in it",
    "own": "the claim's own digest, with samples so large that trying for a good one is hopeless",
}
_MOST_DATE = 253_402_300_799_000_000
"""The last microsecond of the year 9999."""


def read_claim(bundle: Path, trust: Trust) -> ClaimFacts:
    """Verify a bundle and take from it what its page says.

    Args:
        bundle: a ``.claim`` file; hostile.
        trust: whom the reader of the page trusts.

    Returns:
        What is claimed, and what is known of it. Of a bundle that is refused the claim is as it
        says it is, and ``accepted`` is false.

    Raises:
        InputError: it cannot be read, or is refused before there is a statement to show.
    """
    report = verify(bundle, trust=trust)
    try:
        members = container.read(bundle)
        statement = read_statement(open_envelope(bytes(members["statement.dsse"])).payload)
    except EvidenceError as error:
        raise InputError(
            f"{bundle} is refused before anything of it can be shown: {report.code}.",
            "Do not rely on it; ask for it again.",
        ) from error
    return _facts(bundle, trust, report, statement)


def _facts(bundle: Path, trust: Trust, report: Report, statement: Statement) -> ClaimFacts:
    said, found, figures = statement.predicate, statement.predicate["finding"], report.figures
    counts, lost = said["counts"], said["not_covered"]
    log, witnesses = figures.get("log", {}), figures.get("witnesses", {})
    own = set(said["not_seen"])
    return ClaimFacts(
        accepted=report.ok,
        campaign=said["campaign"],
        claimant=said["claimant"],
        signed_at=_signed_at(said["signed_at"]),
        depth=statement.depth,
        origin=said["origin"],
        period=(_moment(said["period"]["first"]), _moment(said["period"]["last"])),
        kinds=tuple(found["kinds"]),
        accounts=counts["accounts"],
        exchanges=counts["exchanges"],
        exchanges_low=counts["exchanges_low"],
        exchanges_high=counts["exchanges_high"],
        input_tokens=counts["input_tokens"],
        output_tokens=counts["output_tokens"],
        probability=found["probability"],
        prior=found["prior"],
        link_p=found["link_p"],
        q_value=found["q_value"],
        harvest_p=found["harvest_p"],
        harvest_p_floor=found["harvest_p_floor"],
        left_out=(lost["accounts"], lost["exchanges"]),
        opened=figures.get("proven", {}).get("exchanges", 0) if report.ok else 0,
        audits=_audits(figures.get("audit", {})) if report.ok else (),
        seed=_seed(figures, trust),
        key=str(log.get("key") or said["keys"]["log"][0]),
        pinned=log.get("key_source") == "pinned",
        witnesses=tuple(witnesses.get("names", ())),
        quorum=trust.quorum,
        stamps=tuple(
            (datetime.fromisoformat(stamp["time"]), stamp["authority"])
            for stamp in figures.get("timestamps", ())
        ),
        checks=tuple(
            Checked(
                check.number,
                check.name,
                None if check.result == NOT_APPLICABLE else check.result == PASSED,
                check.reason,
                check.source,
            )
            for check in report.checks
        ),
        shown=tuple(report.shown),
        not_shown=tuple(text for text in report.not_shown if text not in own),
        not_seen=tuple(said["not_seen"]),
        method=_method(said["method"]),
        file=bundle.name,
        bundle_sha256=sha256(bundle.read_bytes()).hexdigest(),
        statement_sha256=statement.digest.hex(),
    )


def _audits(figures: dict[str, Any]) -> tuple[Audit, ...]:
    return tuple(
        Audit(
            of,
            figures[name]["population"],
            figures[name]["sampled"],
            figures[name]["bad"],
            figures[name]["confidence"],
            figures[name]["good_at_least"],
        )
        for name, of in _OF.items()
        if name in figures
    )


def _seed(figures: dict[str, Any], trust: Trust) -> str:
    kind = figures.get("seed")
    if kind == "auditor":
        return (
            "the value that the verifier gave"
            if trust.seed
            else "an auditor's value that the verifier did not name"
        )
    return _SEEDS.get(str(kind), "")


def _method(method: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Program, parameters, then other plain values; digests stay in the bundle."""
    first = ("package", "version", "parameters")
    names = [name for name in first if name in method]
    names += [name for name in method if name not in first]
    rows: list[tuple[str, str]] = []
    for name in names:
        value = method[name]
        inner = value.items() if isinstance(value, dict) else [(name, value)]
        rows += [
            (str(what).replace("_", " "), f"{one:,}" if isinstance(one, int) else str(one))
            for what, one in inner
            if isinstance(one, str | int | float) and not _is_digest(one)
        ]
    return tuple(rows)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) >= 32 and value.isalnum()


def _signed_at(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(
            "The claim is signed at a time that there is not.", "Ask for it again."
        ) from error


def _moment(microseconds: int) -> datetime:
    """A time of the log; what no calendar holds is the nearest that one does."""
    return datetime.fromtimestamp(min(max(microseconds, 0), _MOST_DATE) / 1e6, UTC)
