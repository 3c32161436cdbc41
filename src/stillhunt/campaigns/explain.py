"""Why an account was named, or was not; what one exchange showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.campaigns.outputs import has_table, read_json, read_table
from stillhunt.fingerprints.cues import cue_names
from stillhunt.fingerprints.intent import OUTCOMES, harvest_log_odds, kind_log_odds
from stillhunt.fingerprints.observe import Observer
from stillhunt.linking.families import FAMILIES
from stillhunt.readers import LogReader, Quarantine, ReadOptions
from stillhunt.scoring.features import MIN_VOLUME


@dataclass(frozen=True)
class Signal:
    """One thing that was looked at.

    Attributes:
        name: what; seen: what was seen, in words; log_odds: what it was worth, or None.
    """

    name: str
    seen: str
    log_odds: float | None = None


@dataclass(frozen=True)
class Explanation:
    """What a hunt knows of one account.

    Attributes:
        account: its name; entity: the organization or account it counts as.
        verdict: one sentence.
        signals: what was looked at; missing: what could not be.
        links: links that hold its entity, surest first (rows of the ``links`` table).
        membership: reasons for its membership, where it was named.
        waterfall: the terms of its cluster, where it is in one.
    """

    account: str
    verdict: str
    signals: tuple[Signal, ...]
    missing: tuple[str, ...]
    links: tuple[dict[str, Any], ...]
    membership: tuple[Signal, ...]
    waterfall: tuple[Signal, ...]


@dataclass(frozen=True)
class ExchangeSignals:
    """What one exchange's text showed.

    Attributes:
        exchange_id, account: whose it is; words: tokens of the prompt.
        cues: names of the cue groups seen; harvest: log-odds that it asks for training material.
        kinds: (outcome, probability), likeliest first.
        text: False where the log carries none.
    """

    exchange_id: str
    account: str
    words: int
    cues: tuple[str, ...]
    harvest: float
    kinds: tuple[tuple[str, float], ...]
    text: bool


def explain_account(findings: Path, account: str) -> Explanation | None:
    """What a hunt knows of an account; None where it never saw it.

    Args:
        findings: folder of a hunt.
        account: as the findings name it.

    Raises:
        InputError: the folder is not a hunt's.
    """
    profile = _where(read_table(findings, "profiles"), "account", account)
    if not profile:
        return None
    row = profile[0]
    details = read_json(findings / "details.json")
    named = _where(read_table(findings, "accounts"), "account", account)
    entity = row["entity"]
    links = _links(findings, entity)
    cluster = details["clusters"].get(row["cluster"]) if row["cluster"] else None
    campaigns = {r["campaign"] for r in named}
    return Explanation(
        account=account,
        verdict=_verdict(row, named, cluster, linked=bool(links)),
        signals=(*_signals(row), *_past(findings, account), *_reviews(findings, row, campaigns)),
        missing=_missing(findings, row),
        links=tuple(links),
        membership=tuple(
            Signal(r["signal"], r["evidence"], r["log_odds"])
            for finding in named
            for r in finding["reasons"]
        ),
        waterfall=tuple(
            Signal(t["label"], t["evidence"], t["log_odds"])
            for t in (cluster["waterfall"] if cluster else ())
        ),
    )


def owner_of_exchange(findings: Path, exchange_id: str) -> str | None:
    """Account of an exchange that was attributed to a campaign; None for any other."""
    rows = _where(read_table(findings, "exchanges"), "exchange_id", exchange_id)
    return rows[0]["account"] if rows else None


def find_exchange(
    logs: Sequence[Path], options: ReadOptions, exchange_id: str, quarantine: Quarantine
) -> ExchangeSignals | None:
    """Read logs until an exchange is found, and fingerprint it alone."""
    observer = Observer()
    for batch in LogReader(logs, options, quarantine):
        at = pc.index(batch.exchanges.column("exchange_id"), exchange_id).as_py()
        if at < 0:
            continue
        row = batch.exchanges.slice(at, 1)
        seen = observer.observe(row)
        mask = seen.column("cues")[0].as_py()
        text = mask is not None
        cues = np.array([mask or 0], dtype=np.int64)
        chances = np.exp(kind_log_odds(cues)[0])
        order = np.argsort(-chances, kind="stable")
        return ExchangeSignals(
            exchange_id=exchange_id,
            account=row.column("account")[0].as_py(),
            words=seen.column("words")[0].as_py() or 0,
            cues=tuple(cue_names(int(cues[0]))),
            harvest=float(harvest_log_odds(cues)[0]),
            kinds=tuple((OUTCOMES[i], float(chances[i])) for i in order[:4]),
            text=text,
        )
    return None


def _where(table: pa.Table, column: str, value: str) -> list[dict[str, Any]]:
    if table.num_rows == 0:
        return []
    rows: list[dict[str, Any]] = table.filter(pc.equal(table.column(column), value)).to_pylist()
    return rows


def _links(findings: Path, entity: str) -> list[dict[str, Any]]:
    members = _where(read_table(findings, "link_members"), "entity", entity)
    links = read_table(findings, "links")
    rows: list[dict[str, Any]] = (
        links.take([m["link"] for m in members]).to_pylist() if members else []
    )
    return sorted(rows, key=lambda r: (r["p_value"], -r["entities"]))


def _verdict(
    row: dict[str, Any],
    named: list[dict[str, Any]],
    cluster: dict[str, Any] | None,
    *,
    linked: bool,
) -> str:
    if named:
        finding = named[0]
        return (
            f"Named in campaign {finding['campaign']} with membership probability "
            f"{finding['membership_probability']:.3f}: {finding['campaign_exchanges']:,} of "
            f"{finding['exchanges']:,} exchanges are the campaign's."
        )
    if row["licensed"]:
        return "Not named: its entity holds a licence."
    if cluster is None and linked:
        return (
            "Not named: it is in no cluster; it is on the allow list, or those it is linked to are, or "
            "hold a licence, or too little holds them together."
        )
    if cluster is None:
        return (
            "Not named: it is in no cluster; nothing it shares is more than strangers would share."
        )
    if cluster["is_campaign"]:
        return f"Not named: linked to campaign {row['cluster']}, but too little speaks for its membership."
    return (
        f"Not named: its cluster of {cluster['entities']} entities is no campaign, for "
        + "; and ".join(cluster["why_not"])
        + "."
    )


def _signals(row: dict[str, Any]) -> tuple[Signal, ...]:
    out = [
        Signal("exchanges", f"{row['exchanges']:,} from {row['first_seen']} to {row['last_seen']}")
    ]
    if row["sweep"] is not None and row["length"] is not None:
        whose = "of its cluster's" if row["cluster"] else "of its"
        out.append(
            Signal(
                "new answers",
                f"{row['sweep']:.0%} {whose} templated exchanges put a new item through; typical "
                f"answer {row['length']:,.0f} tokens",
            )
        )
    if row["intent"] is not None:
        out.append(
            Signal(
                "intent",
                f"mean log-odds that a prompt asks for training material {row['intent']:+.2f}",
            )
        )
    for family in FAMILIES:
        values = row[f"{family}_values"] or 0
        if values:
            shared = row[f"{family}_shared"] or 0
            most = row[f"{family}_most"] or 1
            out.append(
                Signal(
                    family.replace("_", " "),
                    f"{values:,} used, {shared:,} of them by others too"
                    + (f" (the most shared by {most:,} entities)" if shared else ""),
                )
            )
    return tuple(out)


def _past(findings: Path, account: str) -> list[Signal]:
    """When hunts first named the account, and what became of it; only after an earlier hunt."""
    if not has_table(findings, "history"):
        return []
    out = []
    for row in _where(read_table(findings, "history"), "account", account):
        days = max((row["first_named"] - row["first_seen"]).total_seconds(), 0.0) / 86_400
        became = ""
        if row["replaced_by"] is not None:
            became = f"; left on {row['left_at']:%Y-%m-%d}, {row['replaced_by']} stepped in"
        elif row["left_at"] is not None:
            became = f"; left on {row['left_at']:%Y-%m-%d}"
        out.append(
            Signal(
                "first named",
                f"{row['first_named']:%Y-%m-%d}, {days:.1f} days after its first exchange, in campaign "
                f"{row['campaign']}{became}",
            )
        )
    return out


def _reviews(findings: Path, row: dict[str, Any], campaigns: set[str]) -> list[Signal]:
    """Reviewers' verdicts on the account, its organization, or a campaign it is or was named in."""
    if not has_table(findings, "verdicts"):
        return []
    about = {("account", row["account"]), ("organization", row["entity"])}
    about |= {("campaign", c) for c in (*campaigns, row["cluster"]) if c}
    return [
        Signal(
            "reviewer",
            f"{v['subject']} judged {v['verdict']} by {v['reviewer']} on {v['time']:%Y-%m-%d}"
            + (f" until {v['expires']:%Y-%m-%d}" if v["expires"] else "")
            + f": {v['reason']}",
        )
        for v in read_table(findings, "verdicts").to_pylist()
        if (v["subject"], v["name"]) in about
    ]


def _missing(findings: Path, row: dict[str, Any]) -> tuple[str, ...]:
    lost = [
        f"{r['signal']}: {r['consequence']}"
        for r in read_table(findings, "coverage").to_pylist()
        if not r["available"]
    ]
    lost += [
        f"{family.replace('_', ' ')}: none known for this account"
        for family in FAMILIES
        if not row[f"{family}_values"]
    ]
    if row["intent"] is None and row["exchanges"] < MIN_VOLUME:
        lost.append(
            f"comparison with others: fewer than {MIN_VOLUME} exchanges are too few for shares to mean much"
        )
    elif row["sweep"] is None and row["intent"] is None:
        lost.append("comparison with others: none of the clusters tested is of like volume")
    return tuple(lost)
