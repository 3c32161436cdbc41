"""details.json: what the hunt keeps about each campaign for people. Schema 1.

Strings are kept exactly as they came; whoever shows them makes them visible first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from stillhunt.errors import InputError

DETAILS_VERSION = 1

# Floating-point sums in another order differ by this much at most; more is another waterfall.
_SUM_TOLERANCE = 1e-6

_T = TypeVar("_T")


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
    """A recurring prompt skeleton, with redacted prompts that show it in use."""

    template: str
    entities: int
    exchanges: int
    items: int
    parts: tuple[Part, ...]
    exemplars: tuple[str, ...]


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
    """Everything details.json says about one campaign. ``score`` is the posterior log-odds."""

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


def parse_details(value: Mapping[str, Any]) -> dict[str, CampaignDetails]:
    """Check and take apart the content of details.json.

    Returns:
        Details by campaign.

    Raises:
        InputError: another schema, a missing or wrong value (named by its path), or a waterfall
            that does not sum to its score.
    """
    if value.get("schema") != DETAILS_VERSION:
        raise _bad("schema", f"not {DETAILS_VERSION}")
    campaigns = _object(value.get("campaigns"), "campaigns")
    return {
        str(name): _campaign(_Reader(body, f"campaigns.{name}")) for name, body in campaigns.items()
    }


def _bad(where: str, what: str) -> InputError:
    return InputError(
        f"details.json is not what this version reads: {where[:120]!a} is {what}.",
        "Run the hunt again with the version of stillhunt that makes the report.",
    )


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _bad(where, "not an object")
    return value


class _Reader:
    """Takes typed values out of a JSON object and names the path of a wrong one."""

    def __init__(self, value: object, where: str) -> None:
        self._value = _object(value, where)
        self._where = where

    def _wrong(self, key: str, what: str) -> InputError:
        return _bad(f"{self._where}.{key}", what)

    def text(self, key: str) -> str:
        value = self._value.get(key)
        if not isinstance(value, str):
            raise self._wrong(key, "not a text")
        return value

    def number(self, key: str) -> float:
        value = self._value.get(key)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise self._wrong(key, "not a number")
        return float(value)

    def whole(self, key: str, default: int | None = None) -> int:
        value = self._value.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._wrong(key, "not a whole number from 0 up")
        return value

    def flag(self, key: str) -> bool:
        value = self._value.get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "neither true nor false")
        return value

    def day(self, key: str) -> date:
        try:
            return date.fromisoformat(self.text(key))
        except ValueError as error:
            raise self._wrong(key, "not a date") from error

    def moment(self, key: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text(key))
        except ValueError as error:
            raise self._wrong(key, "not a time") from error
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    def maybe_moment(self, key: str) -> datetime | None:
        return None if self._value.get(key) is None else self.moment(key)

    def array(self, key: str) -> list[Any]:
        value = self._value.get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "not a list")
        return value

    def each(self, key: str, make: Callable[[_Reader], _T]) -> tuple[_T, ...]:
        return tuple(
            make(_Reader(value, f"{self._where}.{key}[{index}]"))
            for index, value in enumerate(self.array(key))
        )

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.array(key)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "not a list of texts")
        return tuple(values)

    def object(self, key: str) -> _Reader:
        return _Reader(self._value.get(key), f"{self._where}.{key}")


def _campaign(read: _Reader) -> CampaignDetails:
    score = read.number("score")
    waterfall = read.each("waterfall", _step)
    difference = math.fsum(step.log_odds for step in waterfall) - score
    if abs(difference) > _SUM_TOLERANCE:
        raise read._wrong("waterfall", f"off its score by {difference:g}")
    hours = read.array("hours")
    if len(hours) != 24 or not all(type(value) is int and value >= 0 for value in hours):
        raise read._wrong("hours", "not a list of 24 whole numbers")
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
    )


def _step(read: _Reader) -> Step:
    return Step(
        signal=read.text("signal"),
        label=read.text("label"),
        evidence=read.text("evidence"),
        log_odds=read.number("log_odds"),
    )


def _active_day(read: _Reader) -> ActiveDay:
    return ActiveDay(read.day("day"), read.whole("exchanges"), read.whole("accounts"))


def _kind(read: _Reader) -> KindShare:
    return KindShare(read.text("kind"), read.whole("exchanges"), read.number("share"))


def _template(read: _Reader) -> Template:
    return Template(
        template=read.text("template"),
        entities=read.whole("entities"),
        exchanges=read.whole("exchanges"),
        items=read.whole("items"),
        parts=read.each("parts", lambda part: Part(part.text("text"), part.flag("slot"))),
        exemplars=read.texts("exemplars"),
    )


def _network(read: _Reader) -> Network:
    nodes = read.each("nodes", _node)
    return Network(
        nodes=nodes,
        edges=read.each("edges", lambda edge: (edge.text("source"), edge.text("target"))),
        shown=read.whole("shown", len(nodes)),
        of=read.whole("of", len(nodes)),
    )


def _node(read: _Reader) -> Node:
    return Node(read.text("id"), read.text("kind"), read.text("label"), read.whole("exchanges", 0))


def _account(read: _Reader) -> AccountSpan:
    return AccountSpan(
        account=read.text("account"),
        created_at=read.maybe_moment("created_at"),
        first_seen=read.moment("first_seen"),
        last_seen=read.moment("last_seen"),
        campaign_exchanges=read.whole("campaign_exchanges"),
        exchanges=read.whole("exchanges"),
    )


def _spared(read: _Reader) -> Spared:
    return Spared(read.text("account"), read.text("why"))
