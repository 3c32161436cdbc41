"""What a simulation is made of: plain data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Place = Literal["home", "hosting", "site", "exits", "proxies"]
Beat = Literal["sessions", "service", "runs", "nightly", "throttled", "steady"]


@dataclass(frozen=True, slots=True)
class Writing:
    """What is asked.

    Attributes:
        kinds: kinds of template (``texts.kinds.KINDS``), drawn in turn; empty: free-form only.
        templates: how many templates each group phrases for itself.
        free: share of exchanges that are free-form all the same.
        pool: number of items a group keeps coming back to; 0: every item is new.
        systems: probability that a template comes with a system prompt.
    """

    kinds: tuple[str, ...] = ()
    templates: int = 0
    free: float = 0.0
    pool: int = 0
    systems: float = 0.4


@dataclass(frozen=True, slots=True)
class Network:
    """Where requests come from.

    Attributes:
        place: the kind of network.
        shared: addresses that a group shares; 0: none.
        used: how many of the shared ones an account uses, lowest and highest.
        own: how many addresses of its own an account uses besides, lowest and highest.
    """

    place: Place = "home"
    shared: int = 0
    used: tuple[int, int] = (0, 0)
    own: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who stands behind an account, as far as the provider was told.

    Attributes:
        declared: the group's accounts name one organization.
        payment: one instrument per account, per group, or per bundle of two to six accounts.
        email: a mixture of webmail and private domains, webmail only, or the group's own domain.
        tier: the tier, or none to draw one.
        declared_use: what the customer said it does.
        licence: set where harvesting is permitted.
    """

    declared: bool = False
    payment: Literal["account", "group", "bundle"] = "account"
    email: Literal["mixed", "webmail", "group"] = "mixed"
    tier: str | None = None
    declared_use: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Persona:
    """One sort of customer, lawful or not.

    Attributes:
        name: as it stands in the truth tables.
        share: weight of its exchanges among all.
        groups: number of groups (organizations, sites, tools) at 100,000 exchanges.
        accounts: accounts in a group, lowest and highest.
        spread: sigma of the log-normal volume per account; 0: all accounts send equally much.
        beat: when they send.
        client: a client program per account, or one per group.
        adoption: probability that an exchange after a model release goes to the new model.
        lifetime_days: accounts live about this long and are then replaced; None: they stay.
        campaign: name of the planted campaign; None: lawful.
    """

    name: str
    share: float
    groups: int
    accounts: tuple[int, int]
    spread: float
    writing: Writing
    network: Network
    beat: Beat
    ownership: Ownership = Ownership()
    client: Literal["account", "group"] = "account"
    adoption: float = 0.25
    lifetime_days: float | None = None
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Two weeks at one provider, unless told otherwise."""

    personas: tuple[Persona, ...]
    start: datetime = datetime(2026, 3, 2, tzinfo=UTC)
    days: int = 14
    release_day: float = 8.6

    @property
    def seconds(self) -> float:
        """Length of the simulated period."""
        return self.days * 86_400.0


REFERENCE_EXCHANGES = 100_000
"""The size that the numbers of groups and accounts in a Persona refer to."""

MIN_EXCHANGES = 2_000
"""Below this, personas would shrink to groups that no longer are what their names say."""
