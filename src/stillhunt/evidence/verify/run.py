"""Verifying a bundle from end to end."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path

from stillhunt.errors import InputError
from stillhunt.evidence import container
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.report import FAILED, PASSED, Check, Report
from stillhunt.evidence.verify.audit_checks import check_audit, check_seed
from stillhunt.evidence.verify.context import Context, Numbered
from stillhunt.evidence.verify.extra_checks import (
    check_batches,
    check_openings,
    check_timestamps,
)
from stillhunt.evidence.verify.leaf_checks import check_leaves
from stillhunt.evidence.verify.log_checks import (
    check_checkpoints,
    check_commitment,
    check_consistency,
    check_witnesses,
)
from stillhunt.evidence.verify.statement_checks import (
    check_members,
    check_signature,
    check_statement,
)
from stillhunt.evidence.verify.totals_checks import check_totals
from stillhunt.evidence.verify.trust import Trust
from stillhunt.evidence.verify.words import NEVER_SHOWN

CHECKS: tuple[Numbered, ...] = (
    Numbered(2, "statement", "in-toto Statement v1", check_statement),
    Numbered(3, "signature", "DSSE v1, RFC 8032", check_signature),
    Numbered(4, "members", "docs/evidence.md", check_members),
    Numbered(5, "checkpoints", "C2SP tlog-checkpoint", check_checkpoints),
    Numbered(6, "witnesses", "C2SP tlog-cosignature", check_witnesses),
    Numbered(7, "consistency", "RFC 9162 2.1.4.2", check_consistency),
    Numbered(8, "commitment", "RFC 9162 2.1.3.2", check_commitment),
    Numbered(9, "leaves", "RFC 6962 2.1, docs/evidence.md", check_leaves),
    Numbered(10, "seed", "docs/evidence.md", check_seed),
    Numbered(11, "audit", "docs/evidence.md", check_audit),
    Numbered(12, "batch records", "RFC 6962 2.1.1", check_batches),
    Numbered(13, "degree totals", "RFC 6962 2.1, docs/evidence.md", check_totals),
    Numbered(14, "time stamps", "RFC 3161", check_timestamps),
    Numbered(15, "openings", "docs/evidence.md", check_openings),
)
"""Every check after the first, the container's, in their order."""


def verify(path: Path, *, trust: Trust) -> Report:
    """Check a bundle; nothing is looked up anywhere.

    Args:
        path: of the bundle; hostile.
        trust: whom the verifier trusts.

    Returns:
        The report; ``report.ok`` is false where a check failed. Checks after a failed one are not
        run.

    Raises:
        InputError: the file cannot be read.
    """
    return examine(path, trust=trust)[0]


def examine(path: Path, *, trust: Trust) -> tuple[Report, Context | None]:
    """As ``verify``, with what was read on the way, for whoever goes on with it.

    Returns:
        The report, and what the checks read; None where it is no bundle at all.
    """
    report = Report(figures={"bundle_sha256": _digest(path)})
    try:
        members = container.read(path)
    except Refused as error:
        report.checks.append(_failed(1, "container", "PKWARE APPNOTE 6.3", error))
        return report, None
    report.checks.append(
        Check(
            1,
            "container",
            PASSED,
            f"{len(members)} members, stored canonically.",
            "PKWARE APPNOTE 6.3",
        )
    )
    context = Context(members, trust, figures=report.figures)
    for check in CHECKS:
        try:
            found = check.run(context)
        except Refused as error:
            report.checks.append(_failed(check.number, check.name, check.source, error))
            return report, context
        except EvidenceError as error:
            # What no check expected is refused all the same.
            refusal = Refused(Code.STATEMENT_MALFORMED, error.problem, error.remedy)
            report.checks.append(_failed(check.number, check.name, check.source, refusal))
            return report, context
        report.checks.append(
            Check(check.number, check.name, found.result, found.reason, check.source)
        )
    report.shown = context.shown
    predicate = context.statement.predicate
    claimed = [f"The claimant says: {sentence}" for sentence in predicate["not_seen"]]
    report.not_shown = [*context.not_shown, *claimed, *NEVER_SHOWN]
    return report, context


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its name.") from error


def _failed(number: int, name: str, source: str, error: Refused) -> Check:
    return Check(number, name, FAILED, error.problem, source, error.code)
