"""What a simulation is made of: plain data, no behaviour.

A scenario file has the same tables and keys; what may stand in them is read off the types here,
off the limits beside the defaults, and, for the published schema, off the docstrings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Place = Literal["home", "hosting", "site", "exits", "proxies"]
Beat = Literal["sessions", "service", "runs", "nightly", "throttled", "steady"]
Items = Literal["new", "drawn", "repeated", "swept"]

_SHARE = (0.0, 1.0)
_COUNT = (0, 1_000_000)


def _limited(default: Any, limits: tuple[float, float]) -> Any:
    return field(default=default, metadata={"limits": limits})


@dataclass(frozen=True, slots=True)
class Writing:
    """What is asked.

    Attributes:
        kinds: kinds of template that a group words for itself, in turn; none: free-form only.
        templates: how many templates each group words for itself.
        public: templates that anybody may copy, as "kind:name"; the same name is the same text.
        free: share of exchanges that are free-form all the same.
        systems: probability that a template comes with a system prompt.
        reword: how much each account rewords its group's templates, from 0 to 1.
        items: new in every exchange, drawn from a pool, the pool over and over, or the pool swept
            once by the whole group, each account a part of its own.
        pool: number of items in a pool that is drawn from or repeated.
        pool_name: pools of one name are one pool; none: every group has its own.
        topics: a group keeps to vocabulary of its own, so does each account, or nobody does.
    """

    kinds: tuple[str, ...] = ()
    templates: int = _limited(0, (0, 50))
    public: tuple[str, ...] = ()
    free: float = _limited(0.0, _SHARE)
    systems: float = _limited(0.4, _SHARE)
    reword: float = _limited(0.0, _SHARE)
    items: Items = "new"
    pool: int = _limited(0, _COUNT)
    pool_name: str | None = None
    topics: Literal["group", "account", "none"] = "account"


@dataclass(frozen=True, slots=True)
class Network:
    """Where requests come from.

    Attributes:
        place: households, rented machines, one site, the exits of a service, or households whose
            line a proxy service uses too.
        shared: addresses that a group shares.
        used: how many of the shared ones an account uses, lowest and highest.
        own: how many addresses of its own an account uses besides, lowest and highest.
    """

    place: Place = "home"
    shared: int = _limited(0, _COUNT)
    used: tuple[int, int] = _limited((0, 0), _COUNT)
    own: tuple[int, int] = _limited((0, 0), (0, 1_000))


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who stands behind an account, as far as the provider was told.

    Attributes:
        declared: the group's accounts name one organization.
        payment: one instrument for each account, for the group, or for bundles of two to six.
        email: webmail and private domains as everybody has them, or the group's own domain.
        tier: the tier; none: drawn as for everybody.
        declared_use: what the customer said it does.
        licence: the licence under which harvesting is permitted.
    """

    declared: bool = False
    payment: Literal["account", "group", "bundle"] = "account"
    email: Literal["mixed", "group"] = "mixed"
    tier: str | None = None
    declared_use: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Persona:
    """One sort of customer, lawful or not.

    Attributes:
        share: weight of its exchanges among all.
        groups: number of groups (organizations, sites, tools) at the scenario's own size.
        accounts: accounts in a group, lowest and highest.
        grows: what there is more of in a larger simulation: groups, accounts in them, or neither.
        spread: sigma of the log-normal volume per account; 0: all accounts send equally much.
        beat: when they send.
        zone: each account keeps the hours of its own time zone, or all of a group keep the same.
        waves: sigma of the log-normal activity that a group's days share; 0: none share any.
        client: a client program for each account, one for the group, or one of a handful.
        joined: accounts are as old as anybody's, a few months old at most, or were opened within
            days of their first use.
        adoption: share of exchanges that goes to the new model in the end.
        adoption_days: mean days from a model's release to an account's move; below a day it is a
            pivot.
        lifetime_days: accounts live about this long and are then replaced; none: they stay.
        keys: credentials side by side, or each replaced by the next.
        resold: share of a campaign account's exchanges that are honest customers' of a reseller.
        name: as it stands in the truth tables.
        campaign: name of the planted campaign; none: lawful.
    """

    share: float = _limited(1.0, (0.0, 1e9))
    groups: int = _limited(1, (1, 1_000_000))
    accounts: tuple[int, int] = _limited((1, 1), (1, 1_000_000))
    grows: Literal["groups", "accounts", "nothing"] = "groups"
    spread: float = _limited(0.6, (0.0, 3.0))
    beat: Beat = "sessions"
    zone: Literal["account", "group"] = "account"
    waves: float = _limited(0.0, (0.0, 3.0))
    client: Literal["account", "group", "handful"] = "account"
    joined: Literal["long_ago", "recently", "for_this"] = "long_ago"
    adoption: float = _limited(0.25, _SHARE)
    adoption_days: float = _limited(4.0, (0.01, 1_000.0))
    lifetime_days: float | None = _limited(None, (0.1, 1_000.0))
    keys: Literal["side_by_side", "rotated"] = "side_by_side"
    resold: float = _limited(0.0, (0.0, 0.95))
    writing: Writing = Writing()
    network: Network = Network()
    ownership: Ownership = Ownership()
    name: str = ""
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who there is, and for how long they are watched.

    Attributes:
        title: what the scenario is, in a sentence.
        exchanges: its own size, which numbers of groups and accounts refer to.
        days: length of the period.
        start: its first moment, UTC.
        release_day: days after the start at which the provider releases a model.
        personas: lawful customers, then campaigns.
        name: of the built-in, or of the file.
    """

    title: str
    personas: tuple[Persona, ...]
    exchanges: int = _limited(100_000, (2_000, 1_000_000_000))
    days: int = _limited(14, (1, 3_650))
    start: datetime = datetime(2026, 3, 2, tzinfo=UTC)
    release_day: float = _limited(8.6, (0.0, 3_650.0))
    name: str = ""

    @property
    def seconds(self) -> float:
        """Length of the simulated period."""
        return self.days * 86_400.0

    @property
    def campaigns(self) -> tuple[Persona, ...]:
        """The planted campaigns."""
        return tuple(persona for persona in self.personas if persona.campaign)

    @property
    def lawful(self) -> tuple[Persona, ...]:
        """Everybody else."""
        return tuple(persona for persona in self.personas if not persona.campaign)


MIN_EXCHANGES = 2_000
"""Below this, personas would shrink to groups that no longer are what their names say."""
