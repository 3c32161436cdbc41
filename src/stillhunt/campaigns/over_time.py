"""Ties a hunt to an earlier one and to reviewers' verdicts; does nothing where neither is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.campaigns.identity import Identities, carry_ids, hashes
from stillhunt.campaigns.investigate import Investigation
from stillhunt.campaigns.lifecycle import Before, Known, Now, Story, tell
from stillhunt.campaigns.previous import Previous, read_previous, without
from stillhunt.campaigns.replacement import Span, Value, pace
from stillhunt.campaigns.request import HuntRequest
from stillhunt.campaigns.reviews import Reviews, calibrate, review, with_verdicts
from stillhunt.campaigns.tables import Names
from stillhunt.campaigns.verdicts import ReviewerVerdict, from_rows, read_verdicts
from stillhunt.engines.base import Engine
from stillhunt.errors import InputError, UsageError
from stillhunt.fingerprints.hashing import hash64
from stillhunt.records.findings import (
    ACCOUNT_CHANGES,
    CAMPAIGN_CHANGES,
    CHANGES,
    HISTORY,
    VERDICTS,
)


@dataclass
class OverTime:
    """What came before this hunt, and what follows from it. Steps are to be taken in this order.

    Attributes:
        request: the hunt's; previous: the earlier hunt; verdicts: reviewers'.
    """

    request: HuntRequest
    previous: Previous | None
    verdicts: tuple[ReviewerVerdict, ...]
    _now: datetime | None = None
    _before: Before | None = None
    _identities: Identities | None = None
    _reviews: Reviews | None = None
    _story: Story | None = None
    _record: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, request: HuntRequest) -> OverTime:
        """Read what is given, before anything else is done.

        Raises:
            InputError: an earlier hunt or verdicts that cannot be read.
            UsageError: names that cannot be compared, or nothing to calibrate on.
        """
        pseudonymiser = request.read.pseudonymiser
        previous = None
        if request.previous is not None:
            key_id = pseudonymiser.key_id if pseudonymiser else None
            previous = read_previous(request.previous, key_id, request.allow)
        verdicts: tuple[ReviewerVerdict, ...] = ()
        if request.verdicts is not None:
            verdicts = read_verdicts(request.verdicts, pseudonymiser)
        elif previous is not None:
            remembered = from_rows(previous.verdicts)
            verdicts = tuple(
                v for v in remembered if v.subject == "campaign" or v.name not in previous.hidden
            )
        if request.calibrate_on_verdicts and not verdicts:
            raise UsageError(
                "There are no verdicts to calibrate on.",
                "Name them with --verdicts, or an earlier hunt that remembers some with --previous.",
            )
        return cls(request, previous, verdicts)

    def check(self, engine: Engine) -> None:
        """Compare these logs with the earlier hunt's, as soon as they are read.

        Raises:
            InputError: they end before the earlier ones did, or have no account in common with them.
        """
        if self.previous is None and not self.verdicts:
            return
        self._now = engine.query("SELECT MAX(time) AS now FROM observations").column(0)[0].as_py()
        if self.previous is None:
            return
        if self._now < self.previous.before.now:
            raise InputError(
                f"These logs end at {self._now:%Y-%m-%d %H:%M:%S} UTC, before those of "
                f"{self.previous.folder} did ({self.previous.before.now:%Y-%m-%d %H:%M:%S}).",
                "Give the earlier of the two hunts with --previous, or none.",
            )
        theirs = hash64(self.previous.accounts, "account")
        ours = engine.query("SELECT DISTINCT account FROM observations").column(0)
        if not np.isin(np.asarray(theirs), np.asarray(ours)).any():
            raise InputError(
                f"None of the {len(theirs):,} accounts of the hunt in {self.previous.folder} is in these "
                "logs: accounts are named otherwise, or they are another provider's.",
                "Name an earlier hunt over the same provider's accounts, or hunt without --previous.",
            )

    def conclude(self, engine: Engine, found: Investigation) -> Investigation:
        """Carry on ids; put verdicts to clusters; calibrate on them where that is asked for."""
        merged: dict[str, str] = {}
        if self.previous is not None:
            before = self.previous.before
            hidden = _allowed_names(engine, before.history) if self.request.allow else frozenset()
            self._before = replace(before, history=without(before.history, hidden))
            found, self._identities = carry_ids(engine, found, self.previous, self._before.history)
            merged = {
                k.campaign: k.merged_into for k in before.history if k.merged_into is not None
            } | dict(self._identities.merged)
        if self.verdicts and self._now is not None:
            self._reviews = review(engine, found, self.verdicts, merged, self._now)
            self._record["verdicts"] = self._reviews.record(engine)
            if self.request.calibrate_on_verdicts:
                found, told = calibrate(found, self._reviews, self.request.fdr, self.request.prior)
                self._record["calibration"] = told
                self._record["prior"] = {
                    "probability": told["prior_after"],
                    "source": f"reviewers' verdicts ({told['confirmed']} confirmed, {told['lawful']} "
                    f"lawful), with the stated prior of {self.request.prior:g} as "
                    f"{told['pseudo_verdicts']:g} more; of a cluster's own verdict no use is made",
                }
        return found

    def tables(
        self, engine: Engine, found: Investigation, names: Names, tables: dict[str, pa.Table]
    ) -> dict[str, pa.Table]:
        """The tables to write beside, or in place of, those that a hunt by itself writes."""
        out: dict[str, pa.Table] = {}
        if self._reviews is not None:
            out["campaigns"] = with_verdicts(tables["campaigns"], found, self._reviews)
            out["verdicts"] = pa.Table.from_pylist([v.row() for v in self.verdicts], VERDICTS)
        if self.previous is None or self._before is None or self._identities is None:
            return out
        now = _now(self._now, self._before, self._identities, tables)
        now = replace(now, values=_values(engine, names, self.previous, self._before, now))
        self._story = tell(self._before, now)
        out["changes"] = pa.Table.from_pylist(list(self._story.changes), CHANGES)
        out["history"] = pa.Table.from_pylist(
            [{name: getattr(k, name) for name in HISTORY.names} for k in self._story.history],
            HISTORY,
        )
        self._record["lifecycle"] = self._lifecycle(self._story, now)
        return out

    def told(
        self, found: Investigation
    ) -> tuple[dict[str, dict[str, Any]], dict[str, list[dict[str, Any]]]]:
        """By campaign: its lifecycle, and verdicts on it and on its accounts; after ``tables``."""
        lifecycles, reviews = {}, {}
        for i, verdict in found.campaigns:
            if self._story is not None:
                lifecycles[verdict.campaign] = self._story.campaigns[verdict.campaign]
            shown = self._reviews.shown(i) if self._reviews is not None else []
            if shown:
                reviews[verdict.campaign] = shown
        return lifecycles, reviews

    def annotate(self, details: dict[str, Any], found: Investigation) -> dict[str, Any]:
        """Add to details.json what is known of campaigns from before, and of clusters from reviewers."""
        lifecycles, _ = self.told(found)
        for campaign, lifecycle in lifecycles.items():
            details["campaigns"][campaign]["lifecycle"] = lifecycle
        for i, verdict in enumerate(found.verdicts):
            if self._reviews is not None:
                shown = self._reviews.shown(i)
                details["clusters"][verdict.campaign]["verdicts"] = shown
                if verdict.is_campaign:
                    details["campaigns"][verdict.campaign]["verdicts"] = shown
        return details

    def record(self) -> dict[str, Any]:
        """What hunt.json says: ``lifecycle``, ``verdicts``, ``calibration``, ``prior``, as they apply."""
        return self._record

    def _lifecycle(self, story: Story, now: Now) -> dict[str, Any]:
        whole = Counter(r["change"] for r in story.changes if r["account"] is None)
        single = Counter(r["change"] for r in story.changes if r["account"] is not None)
        given = self._identities.given if self._identities else frozenset()
        return {
            "previous": str(self.request.previous),
            "previous_last_exchange": self._before.now if self._before else None,
            "last_exchange": now.now,
            "campaigns": {change: whole[change] for change in CAMPAIGN_CHANGES},
            "accounts": {change: single[change] for change in ACCOUNT_CHANGES},
            "no_campaign_now": [
                {"campaign": c, "state": t["state"], "at": t["at"], "other": t["other"]}
                for c, t in story.campaigns.items()
                if c not in now.named
            ],
            "ids": sorted(given),
        }


def _now(
    moment: datetime | None, before: Before, identities: Identities, tables: dict[str, pa.Table]
) -> Now:
    accounts = tables["accounts"].select(["account", "entity", "campaign"]).to_pylist()
    wanted = {row["account"] for row in accounts} | {k.account for k in before.history}
    profiles = tables["profiles"]
    seen = profiles.filter(pc.is_in(profiles.column("account"), pa.array(wanted, pa.string())))
    spans = {
        row["account"]: Span(
            account=row["account"],
            entity=row["entity"],
            first_seen=row["first_seen"],
            last_seen=row["last_seen"],
            per_day=pace(row["exchanges"], row["first_seen"], row["last_seen"]),
        )
        for row in seen.to_pylist()
    }
    named: dict[str, dict[str, Span]] = {}
    for row in accounts:
        named.setdefault(row["campaign"], {})[row["account"]] = spans[row["account"]]
    campaigns = tables["campaigns"].to_pylist()
    return Now(
        now=moment if moment is not None else before.now,
        named=named,
        first_seen={row["campaign"]: row["first_seen"] for row in campaigns},
        last_seen={row["campaign"]: row["last_seen"] for row in campaigns},
        spans=spans,
        merged={p: c for p, c in identities.merged.items() if c in named},
        split={c: p for c, p in identities.split.items() if c in named},
    )


def _values(
    engine: Engine, names: Names, previous: Previous, before: Before, now: Now
) -> dict[str, frozenset[Value]]:
    """Values of accounts named now or before: from these logs, else as the earlier hunt had them."""
    wanted = hashes(
        {k.account for k in before.history} | {a for spans in now.named.values() for a in spans},
        "account",
    )
    engine.load(
        "followed",
        pa.table(
            {
                "name": pa.array(list(wanted), pa.string()),
                "account": pa.array(list(wanted.values()), pa.int64()),
            }
        ),
    )
    rows = engine.query(
        """
        SELECT f.name, i.family, i.value
        FROM followed AS f
        JOIN account_entity AS m ON m.account = f.account
        JOIN incidence AS i ON i.entity = m.entity
        WHERE i.family <> 'template'
        """
    )
    carried: dict[str, set[Value]] = {}
    for name, family, value in zip(*(c.to_pylist() for c in rows.columns), strict=True):
        carried.setdefault(name, set()).add((family, names.value(family, value)))
    return previous.values | {name: frozenset(values) for name, values in carried.items()}


def _allowed_names(engine: Engine, history: Iterable[Known]) -> frozenset[str]:
    """Accounts and organizations of a history that are on the allow list, or belong to those."""
    known = list(history)
    account = hashes((k.account for k in known), "account")
    owner = hashes((k.entity for k in known), "organization")
    engine.create(
        "allowed_entity",
        """
        SELECT value AS entity FROM allowed
        UNION
        SELECT m.entity FROM account_entity AS m JOIN allowed AS a ON a.value = m.account
        """,
    )
    rows = engine.query(
        """
        SELECT value AS hidden FROM allowed
        UNION
        SELECT m.account FROM account_entity AS m JOIN allowed_entity AS a ON a.entity = m.entity
        UNION
        SELECT entity FROM allowed_entity
        """
    )
    hidden = set(rows.column("hidden").to_pylist())
    return frozenset(
        name for known_as in (account, owner) for name, h in known_as.items() if h in hidden
    )
