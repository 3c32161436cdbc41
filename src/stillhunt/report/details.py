"""details.json: what the hunt keeps about each campaign for people. Schema 1.

Strings are kept exactly as they came; whoever shows them makes them visible first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from stillhunt.report.over_time import Lifecycle, Review, read_lifecycle, read_review
from stillhunt.report.reader import Reader, as_object, bad

DETAILS_VERSION = 1

# Floating-point sums in another order differ by this much at most; more is another waterfall.
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall: what a signal adds to the log-odds (natural logarithm)."""

    signal: str
    label: str
    evidence: str
    log_odds: float


@dataclass(frozen=True)
class ActiveDay:
    """Exchanges and accounts of a campaign on one UTC day."""

    day: date
    exchanges: int
    accounts: int


@dataclass(frozen=True)
class KindShare:
    """How much of a campaign is one kind of harvest; ``share`` of 1."""

    kind: str
    exchanges: int
    share: float


@dataclass(frozen=True)
class Part:
    """A fixed run of a template's words, or a slot."""

    text: str
    slot: bool


@dataclass(frozen=True)
class Template:
    """A recurring prompt skeleton, with redacted prompts that show it in use.

    ``gone`` counts prompts whose logs were no longer where they had been.
    """

    template: str
    entities: int
    exchanges: int
    items: int
    parts: tuple[Part, ...]
    exemplars: tuple[str, ...]
    gone: int


@dataclass(frozen=True)
class Node:
    """An account or an indicator in the picture of the network."""

    id: str
    kind: str
    label: str
    exchanges: int


@dataclass(frozen=True)
class Network:
    """What the picture shows: ``shown`` of ``of`` nodes; edges join node ids."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]
    shown: int
    of: int


@dataclass(frozen=True)
class AccountSpan:
    """When an account was made, first seen and last seen, and how much of it is the campaign's."""

    account: str
    created_at: datetime | None
    first_seen: datetime
    last_seen: datetime
    campaign_exchanges: int
    exchanges: int


@dataclass(frozen=True)
class Spared:
    """An account seen beside a campaign that must not be acted on."""

    account: str
    why: str


@dataclass(frozen=True)
class CampaignDetails:
    """Everything details.json says about one campaign. ``score`` is the posterior log-odds.

    ``lifecycle`` is None without an earlier hunt.
    """

    score: float
    word: str
    waterfall: tuple[Step, ...]
    activity: tuple[ActiveDay, ...]
    hours: tuple[int, ...]
    kinds: tuple[KindShare, ...]
    templates: tuple[Template, ...]
    network: Network
    accounts: tuple[AccountSpan, ...]
    innocent_if: tuple[str, ...]
    do_not_act: tuple[Spared, ...]
    lifecycle: Lifecycle | None = None
    reviews: tuple[Review, ...] = ()


def parse_details(value: Mapping[str, Any]) -> dict[str, CampaignDetails]:
    """Check and take apart the content of details.json.

    Returns:
        Details by campaign.

    Raises:
        InputError: another schema, a missing or wrong value (named by its path), or a waterfall
            that does not sum to its score.
    """
    if value.get("schema") != DETAILS_VERSION:
        raise bad("schema", f"not {DETAILS_VERSION}")
    campaigns = as_object(value.get("campaigns"), "campaigns")
    return {
        str(name): _campaign(Reader(body, f"campaigns.{name}")) for name, body in campaigns.items()
    }


def _campaign(read: Reader) -> CampaignDetails:
    score = read.number("score")
    waterfall = read.each("waterfall", _step)
    difference = math.fsum(step.log_odds for step in waterfall) - score
    if abs(difference) > _SUM_TOLERANCE:
        raise read.wrong("waterfall", f"off its score by {difference:g}")
    hours = read.array("hours")
    if len(hours) != 24 or not all(type(value) is int and value >= 0 for value in hours):
        raise read.wrong("hours", "not a list of 24 whole numbers")
    return CampaignDetails(
        score=score,
        word=read.text("word"),
        waterfall=waterfall,
        activity=tuple(sorted(read.each("activity", _active_day), key=lambda row: row.day)),
        hours=tuple(hours),
        kinds=read.each("kinds", _kind),
        templates=read.each("templates", _template),
        network=_network(read.object("network")),
        accounts=read.each("accounts", _account),
        innocent_if=read.texts("innocent_if"),
        do_not_act=read.each("do_not_act", _spared),
        lifecycle=read_lifecycle(read.object("lifecycle")) if read.has("lifecycle") else None,
        reviews=read.each("verdicts", read_review) if read.has("verdicts") else (),
    )


def _step(read: Reader) -> Step:
    return Step(
        signal=read.text("signal"),
        label=read.text("label"),
        evidence=read.text("evidence"),
        log_odds=read.number("log_odds"),
    )


def _active_day(read: Reader) -> ActiveDay:
    return ActiveDay(read.day("day"), read.whole("exchanges"), read.whole("accounts"))


def _kind(read: Reader) -> KindShare:
    return KindShare(read.text("kind"), read.whole("exchanges"), read.number("share"))


def _template(read: Reader) -> Template:
    return Template(
        template=read.text("template"),
        entities=read.whole("entities"),
        exchanges=read.whole("exchanges"),
        items=read.whole("items"),
        parts=read.each("parts", lambda part: Part(part.text("text"), part.flag("slot"))),
        exemplars=read.texts("exemplars"),
        gone=read.whole("exemplars_gone", 0),
    )


def _network(read: Reader) -> Network:
    nodes = read.each("nodes", _node)
    return Network(
        nodes=nodes,
        edges=read.each("edges", lambda edge: (edge.text("source"), edge.text("target"))),
        shown=read.whole("shown", len(nodes)),
        of=read.whole("of", len(nodes)),
    )


def _node(read: Reader) -> Node:
    return Node(read.text("id"), read.text("kind"), read.text("label"), read.whole("exchanges", 0))


def _account(read: Reader) -> AccountSpan:
    return AccountSpan(
        account=read.text("account"),
        created_at=read.maybe_moment("created_at"),
        first_seen=read.moment("first_seen"),
        last_seen=read.moment("last_seen"),
        campaign_exchanges=read.whole("campaign_exchanges"),
        exchanges=read.whole("exchanges"),
    )


def _spared(read: Reader) -> Spared:
    return Spared(read.text("account"), read.text("why"))
