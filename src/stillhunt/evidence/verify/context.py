"""What checks hand on to one another while a bundle is verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stillhunt.evidence.checkpoint import SignedCheckpoint
from stillhunt.evidence.dsse import Envelope
from stillhunt.evidence.log.batches import Batch
from stillhunt.evidence.note import VerifierKey
from stillhunt.evidence.opened.member import Whole
from stillhunt.evidence.report import NOT_APPLICABLE, PASSED
from stillhunt.evidence.seed import Seed
from stillhunt.evidence.statement import Statement
from stillhunt.evidence.totals.member import ShownTotals
from stillhunt.evidence.verify.audit_walk import Answers, Committed
from stillhunt.evidence.verify.shown import ShownLeaves
from stillhunt.evidence.verify.trust import Trust


@dataclass
class Context:
    """A bundle on its way through the checks.

    Attributes:
        members: of the bundle; trust: whom the verifier trusts.
        envelope, statement, before, after, commit, seed, answers, batches: what checks have read so far.
        log_keys: of the log, as trusted or as the bundle names them.
        leaves: that the bundle shows, where it shows all; totals: degree totals, where it shows them.
        opened: exchanges that were opened whole.
        shown, not_shown, figures: for the report.
    """

    members: dict[str, memoryview]
    trust: Trust
    envelope: Envelope | None = None
    read: Statement | None = None
    log_keys: tuple[VerifierKey, ...] = ()
    before: SignedCheckpoint | None = None
    heads: tuple[SignedCheckpoint, SignedCheckpoint] | None = None
    leaves: ShownLeaves | None = None
    seed: Seed | None = None
    answers: Answers | None = None
    batches: tuple[Batch, ...] | None = None
    totals: ShownTotals | None = None
    opened: list[Whole] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    not_shown: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def statement(self) -> Statement:
        """The statement, once it was read."""
        if self.read is None:
            raise RuntimeError("checks run in their order")
        return self.read

    @property
    def after(self) -> SignedCheckpoint:
        """Checkpoint that covers the claimed leaves."""
        return self._heads[0]

    @property
    def commit(self) -> SignedCheckpoint:
        """Checkpoint that covers the statement's leaf."""
        return self._heads[1]

    @property
    def _heads(self) -> tuple[SignedCheckpoint, SignedCheckpoint]:
        if self.heads is None:
            raise RuntimeError("checks run in their order")
        return self.heads

    def body(self, name: str) -> bytes:
        """A member's bytes."""
        return bytes(self.members[name])

    @property
    def committed(self) -> Committed:
        """What the claim fixed before any audit."""
        statement, period = self.statement, self.statement.predicate["period"]
        return Committed(
            statement.accounts,
            statement.weights,
            statement.root,
            period["first"],
            period["last"],
            statement.predicate["log"]["before"],
            self.after.checkpoint.size,
            self.after.checkpoint.root,
            self.leaves if statement.depth == "pseudonymous" else None,
        )


@dataclass(frozen=True)
class Outcome:
    """What a check that did not fail came to.

    Attributes:
        result: PASSED or NOT_APPLICABLE; reason: one sentence.
    """

    result: str
    reason: str


def passed(reason: str) -> Outcome:
    """The check holds."""
    return Outcome(PASSED, reason)


def not_applicable(reason: str) -> Outcome:
    """There is nothing to check, or nothing to check it by."""
    return Outcome(NOT_APPLICABLE, reason)


@dataclass(frozen=True)
class Numbered:
    """A check as it is listed.

    Attributes:
        number, name, source: see ``report.Check``; run: raises Refused where it fails.
    """

    number: int
    name: str
    source: str
    run: Callable[[Context], Outcome]
