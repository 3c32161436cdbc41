"""What details.json says of a campaign's past and of reviewers' verdicts, where a hunt was given them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stillhunt.records.findings import ACCOUNT_CHANGES
from stillhunt.report import wording
from stillhunt.report.reader import Reader


@dataclass(frozen=True)
class Lifecycle:
    """What became of a campaign since an earlier hunt.

    Attributes:
        state: one of records.findings.CAMPAIGN_CHANGES; other: the other campaign, where there is one.
        counts: accounts by records.findings.ACCOUNT_CHANGES.
        first_named: when a hunt first named one of its accounts.
        days_median, days_longest: from an account's first exchange to its being named.
    """

    state: str
    other: str | None
    counts: Mapping[str, int]
    first_named: datetime
    days_median: float
    days_longest: float

    @property
    def in_words(self) -> str:
        """State and changes of accounts, as one phrase."""
        changes = wording.account_changes(self.counts)
        state = wording.campaign_state(self.state, self.other)
        return f"{state}; accounts: {changes}" if changes else state


@dataclass(frozen=True)
class Review:
    """A reviewer's verdict; ``holds`` is False where it had expired by the last exchange."""

    subject: str
    name: str
    verdict: str
    reviewer: str
    time: datetime
    reason: str
    expires: datetime | None
    holds: bool


def read_lifecycle(read: Reader) -> Lifecycle:
    """Take a lifecycle apart.

    Raises:
        InputError: a value is missing or wrong.
    """
    return Lifecycle(
        state=read.text("state"),
        other=read.maybe_text("other"),
        counts={change: read.whole(change) for change in ACCOUNT_CHANGES},
        first_named=read.moment("first_named"),
        days_median=read.number("days_to_named_median"),
        days_longest=read.number("days_to_named_longest"),
    )


def read_review(read: Reader) -> Review:
    """Take a verdict apart.

    Raises:
        InputError: a value is missing or wrong.
    """
    return Review(
        subject=read.text("subject"),
        name=read.text("name"),
        verdict=read.text("verdict"),
        reviewer=read.text("reviewer"),
        time=read.moment("time"),
        reason=read.text("reason"),
        expires=read.maybe_moment("expires"),
        holds=read.flag("holds"),
    )
