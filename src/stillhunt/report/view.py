"""What the page says, worked out before it is laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stillhunt.report import wording
from stillhunt.report.details import CampaignDetails
from stillhunt.report.extras import load_extra
from stillhunt.report.facts import facts
from stillhunt.report.findings import Findings
from stillhunt.report.price import Price
from stillhunt.scoring.calibration import estimative_word

MOST_CAMPAIGNS = 20
"""Campaigns shown in full; the summary table has all. It keeps the page a few megabytes small."""

MOST_LINKS = 8
MOST_INPUTS = 100


@dataclass(frozen=True)
class CampaignView:
    """One campaign on the page. ``number`` counts from 1 and names its anchors."""

    number: int
    row: Mapping[str, Any]
    word: str
    kinds: str
    cost: float | None
    details: CampaignDetails | None
    charts: Mapping[str, Any]
    links: Sequence[Mapping[str, Any]]
    more_links: int

    @property
    def in_full(self) -> bool:
        """Whether the campaign has a section of its own."""
        return self.number <= MOST_CAMPAIGNS


@dataclass(frozen=True)
class ReportView:
    """Everything the page says. ``accounts`` counts each account once."""

    campaigns: Sequence[CampaignView]
    accounts: int
    exchanges: int
    exchanges_low: int
    exchanges_high: int
    input_tokens: int | None
    output_tokens: int | None
    price: Price | None
    cost: float | None
    coverage: Sequence[Mapping[str, Any]]
    counts: Sequence[tuple[str, str]]
    prior: Sequence[tuple[str, str]]
    smallest: Sequence[tuple[str, str]]
    smallest_sentence: str | None
    parameters: Sequence[tuple[str, str]]
    timings: Sequence[tuple[str, str]]
    seeds: Sequence[tuple[str, str]]
    lifecycle: Sequence[tuple[str, str]]
    calibration: Sequence[tuple[str, str]]
    inputs: Sequence[Mapping[str, Any]]
    more_inputs: int
    about: Mapping[str, str]


def report_view(findings: Findings, price: Price | None) -> ReportView:
    """Work out the page: totals, costs, words, charts, and hunt.json as rows.

    Raises:
        MissingExtraError: the ``report`` extra is not installed.
    """
    rows = findings.campaigns
    hunt = findings.hunt
    input_tokens = _total(rows, "input_tokens")
    output_tokens = _total(rows, "output_tokens")
    smallest = hunt.get("smallest_detectable")
    inputs = hunt.get("inputs")
    listed = [row for row in inputs if isinstance(row, dict)] if isinstance(inputs, list) else []
    return ReportView(
        campaigns=[
            _campaign(findings, row, number, price) for number, row in enumerate(rows, start=1)
        ],
        accounts=findings.named_accounts(),
        exchanges=sum(row["exchanges"] for row in rows),
        exchanges_low=sum(row["exchanges_low"] for row in rows),
        exchanges_high=sum(row["exchanges_high"] for row in rows),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        price=price,
        cost=price.of(input_tokens, output_tokens) if price and rows else None,
        coverage=findings.coverage,
        counts=facts(hunt.get("counts", {})),
        prior=facts(hunt.get("prior", {})),
        smallest=[row for row in facts(smallest or {}) if row[0] != "sentence"],
        smallest_sentence=_sentence(smallest),
        parameters=facts(hunt.get("parameters", {})),
        timings=facts(hunt.get("timings", {})),
        seeds=facts(hunt["seeds"]) if hunt.get("seeds") else [],
        lifecycle=_lifecycle(hunt.get("lifecycle")),
        calibration=facts(hunt["calibration"]) if hunt.get("calibration") else [],
        inputs=listed[:MOST_INPUTS],
        more_inputs=max(0, len(listed) - MOST_INPUTS),
        about={key: _plain(hunt.get(key)) for key in ("package", "version", "started", "finished")},
    )


def _campaign(
    findings: Findings, row: Mapping[str, Any], number: int, price: Price | None
) -> CampaignView:
    details = findings.details.get(row["campaign"])
    full = number <= MOST_CAMPAIGNS
    charts: Mapping[str, Any] = {}
    if details is not None and full:
        charts = load_extra("stillhunt.report.charts.campaign").campaign_charts(details)
    links = findings.links_of(row["campaign"]) if full else []
    return CampaignView(
        number=number,
        row=row,
        word=details.word if details else estimative_word(row["probability"]),
        kinds=", ".join(dict.fromkeys(wording.kind_name(kind) for kind in row["kinds"])),
        cost=price.of(row["input_tokens"], row["output_tokens"]) if price else None,
        details=details,
        charts=charts,
        links=links[:MOST_LINKS],
        more_links=max(0, len(links) - MOST_LINKS),
    )


def _total(rows: Sequence[Mapping[str, Any]], column: str) -> int | None:
    known = [row[column] for row in rows if row[column] is not None]
    return sum(known) if known or not rows else None


def _sentence(smallest: object) -> str | None:
    sentence = smallest.get("sentence") if isinstance(smallest, Mapping) else None
    return sentence if isinstance(sentence, str) else None


def _lifecycle(value: object) -> list[tuple[str, str]]:
    """Rows on an earlier hunt, without the list of all ids, which is for the next hunt."""
    if not isinstance(value, Mapping):
        return []
    return facts({key: inner for key, inner in value.items() if key != "ids"})


def _plain(value: object) -> str:
    if not isinstance(value, str):
        return "not recorded"
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment.strftime("%Y-%m-%d %H:%M %Z").strip()
