"""What became of campaigns and their accounts between an earlier hunt and this one. Rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from stillhunt.campaigns.replacement import Span, Value, find_replacements, is_gone
from stillhunt.records.findings import ACCOUNT_CHANGES

Row = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """One account of one campaign, as far as hunts have followed it. See ``records.findings.HISTORY``."""

    campaign: str
    account: str
    entity: str
    first_seen: datetime
    last_seen: datetime
    exchanges_per_day: float
    first_named: datetime
    last_named: datetime
    left_at: datetime | None = None
    replaced_by: str | None = None
    merged_into: str | None = None

    @property
    def span(self) -> Span:
        """When it was at work."""
        return Span(
            self.account, self.entity, self.first_seen, self.last_seen, self.exchanges_per_day
        )


@dataclass(frozen=True)
class Before:
    """What an earlier hunt handed on.

    Attributes:
        now: its last exchange.
        history: accounts ever named.
        active: ids of the campaigns it named.
    """

    now: datetime
    history: tuple[Known, ...]
    active: frozenset[str]


@dataclass(frozen=True)
class Now:
    """What this hunt found, ids already carried on.

    Attributes:
        now: its last exchange.
        named: campaign to its accounts, with spans over all they sent in these logs.
        first_seen, last_seen: of each campaign.
        spans: of accounts in ``before.history`` that these logs hold, named or not.
        merged: earlier id to the id it went into; split: new id to the earlier id it came out of.
        values: indicator values of accounts, without templates.
    """

    now: datetime
    named: Mapping[str, Mapping[str, Span]]
    first_seen: Mapping[str, datetime]
    last_seen: Mapping[str, datetime]
    spans: Mapping[str, Span]
    merged: Mapping[str, str] = field(default_factory=dict)
    split: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Set[Value]] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """What changed.

    Attributes:
        changes: rows of the table of that name; history: what to hand on.
        campaigns: campaign, also one that ended, to its ``lifecycle`` in details.json.
    """

    changes: tuple[Row, ...]
    history: tuple[Known, ...]
    campaigns: dict[str, Row]


def tell(before: Before, now: Now) -> Story:
    """Compare two hunts; see docs/guides/over-time.md for what each change means."""
    history: dict[str, dict[str, Known]] = {}
    retired = [k for k in before.history if k.merged_into is not None]
    for known in before.history:
        if known.merged_into is None:
            history.setdefault(known.campaign, {})[known.account] = known
    earlier = _earlier(before.history)
    homes: dict[str, list[str]] = {}
    for campaign in sorted(now.named):
        for account in now.named[campaign]:
            homes.setdefault(account, []).append(campaign)
    changes: list[Row] = []
    handed_on: list[Known] = list(retired)
    told: dict[str, Row] = {}
    for campaign in sorted(history.keys() | now.named.keys()):
        past = history.get(campaign, {})
        present = now.named.get(campaign, {})
        followed, rows = _accounts(campaign, past, present, before, now, earlier, homes, history)
        followed, rows = _replace(followed, rows, past, now)
        state, at, other = _state(campaign, past, followed, before, now)
        if state == "merged_into":
            followed = {a: replace(k, merged_into=other) for a, k in followed.items()}
        handed_on += followed.values()
        if state is None:
            continue
        changes.append(_row(campaign, None, state, at, other))
        changes += sorted(rows, key=lambda r: (r["account"], ACCOUNT_CHANGES.index(r["change"])))
        told[campaign] = _lifecycle(state, at, other, rows, followed)
    handed_on.sort(key=lambda k: (k.campaign, k.account))
    return Story(tuple(changes), tuple(handed_on), told)


def _accounts(
    campaign: str,
    past: Mapping[str, Known],
    present: Mapping[str, Span],
    before: Before,
    now: Now,
    earlier: Mapping[str, Known],
    homes: Mapping[str, list[str]],
    history: Mapping[str, Mapping[str, Known]],
) -> tuple[dict[str, Known], list[Row]]:
    """Every account of a campaign as it now stands, and what changed."""
    followed: dict[str, Known] = {}
    rows: list[Row] = []
    for account in sorted(past.keys() | present.keys()):
        known = past.get(account)
        span = present.get(account) or now.spans.get(account)
        if known is None:
            known, other = _begin(campaign, present[account], earlier.get(account), now.now)
            rows.append(_row(campaign, account, "joined", known.first_seen, other))
            if is_gone(known.last_seen, known.exchanges_per_day, now.now):
                known = replace(known, left_at=known.last_seen)
                rows.append(_row(campaign, account, "left", known.left_at, None))
            followed[account] = known
            continue
        was_named = known.last_named == before.now
        if span is not None:
            known = _follow(known, span)
        elsewhere = [
            c for c in homes.get(account, []) if c != campaign and account not in history.get(c, {})
        ]
        if account in present:
            known = replace(known, last_named=now.now)
            change = _presence(known, now.now)
        elif elsewhere:
            change = "moved_to"
        elif is_gone(known.last_seen, known.exchanges_per_day, now.now):
            change = _presence(known, now.now)
        else:
            change = "no_longer_named" if was_named else None
        if change is not None:
            other = elsewhere[0] if change == "moved_to" else None
            rows.append(_row(campaign, account, change, known.last_seen, other))
        if change == "left":
            known = replace(known, left_at=known.last_seen)
        elif change == "returned":
            known = replace(known, left_at=None, replaced_by=None)
        followed[account] = known
    return followed, rows


def _presence(known: Known, now: datetime) -> str | None:
    """What a member does: None where it had left and is still silent."""
    gone = is_gone(known.last_seen, known.exchanges_per_day, now)
    if known.left_at is None:
        return "left" if gone else "kept"
    if known.last_seen <= known.left_at:
        return None
    return "left" if gone else "returned"


def _replace(
    followed: dict[str, Known], rows: list[Row], past: Mapping[str, Known], now: Now
) -> tuple[dict[str, Known], list[Row]]:
    """Say of accounts that left who stepped in for them."""
    came = {r["account"] for r in rows if r["change"] == "joined" and r["other"] is None}
    newcomers = [k.span for a, k in followed.items() if a in came and a not in past]
    gone = [k.span for k in followed.values() if k.left_at is not None and k.replaced_by is None]
    values = {a: now.values[a] for a in followed if a in now.values}
    found = find_replacements(gone, newcomers, values)
    followed = {
        a: replace(k, replaced_by=found[a]) if a in found else k for a, k in followed.items()
    }
    campaign = next(iter(followed.values())).campaign
    rows = [r for r in rows if not (r["change"] == "left" and r["account"] in found)]
    rows += [
        _row(campaign, a, "replaced_by", followed[successor].first_seen, successor)
        for a, successor in sorted(found.items())
    ]
    return followed, rows


def _state(
    campaign: str,
    past: Mapping[str, Known],
    followed: Mapping[str, Known],
    before: Before,
    now: Now,
) -> tuple[str | None, datetime | None, str | None]:
    """(change, at, other) of a campaign; no change where it was lost before and still is."""
    last = max(k.last_seen for k in followed.values())
    all_left = all(k.left_at is not None for k in followed.values())
    if campaign in now.named:
        began, last = now.first_seen[campaign], now.last_seen[campaign]
        if all_left:
            return "ended", last, None
        if past:
            return ("kept" if campaign in before.active else "returned"), last, None
        origin = now.split.get(campaign)
        return ("split_from" if origin else "new"), began, origin
    if campaign in now.merged:
        return "merged_into", last, now.merged[campaign]
    if campaign in before.active:
        return ("ended" if all_left else "no_longer_named"), last, None
    return None, None, None


def _lifecycle(
    state: str,
    at: datetime | None,
    other: str | None,
    rows: list[Row],
    followed: Mapping[str, Known],
) -> Row:
    """A campaign's ``lifecycle``: counts, and days from first exchange to first being named."""
    counts = {c: sum(r["change"] == c for r in rows) for c in ACCOUNT_CHANGES}
    # An account that was named before its first exchange in these logs was seen earlier elsewhere.
    days = [
        max(k.first_named - k.first_seen, timedelta()) / timedelta(days=1)
        for k in followed.values()
    ]
    return {
        "state": state,
        "at": at,
        "other": other,
        "first_named": min(k.first_named for k in followed.values()),
        "accounts_ever": len(followed),
        **counts,
        "days_to_named_median": round(median(days), 3),
        "days_to_named_longest": round(max(days), 3),
    }


def _earlier(history: Iterable[Known]) -> dict[str, Known]:
    """Account to what is known of it over all campaigns; its campaign is the one it was last named in."""
    out: dict[str, Known] = {}
    for known in sorted(history, key=lambda k: (k.account, k.last_named, k.campaign)):
        first = out.get(known.account, known)
        out[known.account] = replace(
            known,
            first_seen=min(first.first_seen, known.first_seen),
            first_named=min(first.first_named, known.first_named),
        )
    return out


def _begin(
    campaign: str, span: Span, earlier: Known | None, now: datetime
) -> tuple[Known, str | None]:
    """An account that is new to a campaign, and the campaign it came from."""
    known = Known(
        campaign=campaign,
        account=span.account,
        entity=span.entity,
        first_seen=span.first_seen,
        last_seen=span.last_seen,
        exchanges_per_day=span.per_day,
        first_named=now,
        last_named=now,
    )
    if earlier is None:
        return known, None
    return (
        replace(
            known,
            first_seen=min(known.first_seen, earlier.first_seen),
            first_named=earlier.first_named,
        ),
        earlier.campaign,
    )


def _follow(known: Known, span: Span) -> Known:
    """What is known, with what these logs add; they may hold a later or an overlapping period."""
    return replace(
        known,
        entity=span.entity,
        first_seen=min(known.first_seen, span.first_seen),
        last_seen=max(known.last_seen, span.last_seen),
        exchanges_per_day=span.per_day,
    )


def _row(
    campaign: str, account: str | None, change: str, at: datetime | None, other: str | None
) -> Row:
    return {"campaign": campaign, "account": account, "change": change, "at": at, "other": other}
