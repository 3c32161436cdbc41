"""How much of everything there is at a scale, and the scenario that it is modelled on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stillhunt_simulator.scenario import Persona, Scenario
from stillhunt_simulator.scenarios import load

LAWFUL_EXCHANGES = 100_000_000
LAWFUL_ENTITIES = 1_000_000
MIN_CAMPAIGN_ACCOUNTS = 12

CAMPAIGNS: dict[str, tuple[int, int]] = {
    "grading": (150_000, 800),
    "reasoning": (3_400_000, 3_200),
    "agents": (13_000_000, 20_000),
}
"""Planted at scale 1: exchanges and accounts, by name of the simulator's campaign at level E3."""

FULL_SIZE = LAWFUL_EXCHANGES + sum(exchanges for exchanges, _ in CAMPAIGNS.values())

# Each wording of a campaign's templates is an account's in the library; E3 itself has one only.
_WORDINGS = 24
_REWORDED = 0.15
_TEMPLATES = {"grading": 4, "reasoning": 8, "agents": 12}


@dataclass(frozen=True, slots=True)
class Size:
    """How large a log is.

    Attributes:
        scale: of the headline's size.
        lawful: exchanges of lawful customers; entities: about how many these are.
        campaigns: exchanges and accounts of each planted campaign.
    """

    scale: float
    lawful: int
    entities: int
    campaigns: dict[str, tuple[int, int]]

    @property
    def exchanges(self) -> int:
        """All together."""
        return self.lawful + sum(exchanges for exchanges, _ in self.campaigns.values())


def size_at(scale: float) -> Size:
    """The headline at a scale; campaigns keep a dozen accounts."""
    return Size(
        scale,
        round(LAWFUL_EXCHANGES * scale),
        round(LAWFUL_ENTITIES * scale),
        {
            name: (round(exchanges * scale), max(MIN_CAMPAIGN_ACCOUNTS, round(accounts * scale)))
            for name, (exchanges, accounts) in CAMPAIGNS.items()
        },
    )


def bulk_scenario(days: int) -> Scenario:
    """The simulator's level E3 over ``days``, its campaigns with more templates, and reworded ones."""
    e3 = load("e3")
    return replace(
        e3,
        days=days,
        release_day=days * e3.release_day / e3.days,
        personas=tuple(_many_wordings(p) if p.campaign else p for p in e3.personas),
        name="bulk",
    )


def _many_wordings(persona: Persona) -> Persona:
    writing = replace(
        persona.writing, templates=_TEMPLATES[str(persona.campaign)], reword=_REWORDED
    )
    return replace(persona, writing=writing)


def library_scenario(days: int) -> Scenario:
    """What the library is simulated from: as many accounts in a campaign as it has wordings."""
    bulk = bulk_scenario(days)
    return replace(
        bulk,
        personas=tuple(
            replace(p, accounts=(_WORDINGS, _WORDINGS), grows="nothing") if p.campaign else p
            for p in bulk.personas
        ),
    )


def groups_of(scenario: Scenario, size: Size) -> list[int]:
    """Number of groups of each persona; a campaign is one, and so is what grows by accounts."""
    growth = size.entities / sum(_entities(p) for p in scenario.lawful)
    return [
        max(1, round(p.groups * growth)) if p.grows == "groups" and not p.campaign else p.groups
        for p in scenario.personas
    ]


def growth_of(scenario: Scenario, size: Size) -> float:
    """How many times as many entities as in the simulator's own scenario."""
    return size.entities / sum(_entities(p) for p in scenario.lawful)


def _entities(persona: Persona) -> float:
    each = 1.0 if persona.ownership.declared else sum(persona.accounts) / 2
    return persona.groups * each


def twin(days: int, size: Size) -> Scenario:
    """A scenario for the simulator with the same accounts and volumes as a store made in bulk.

    Its own size is chosen so that a simulation of ``size.exchanges`` grows as the store does.
    """
    bulk = bulk_scenario(days)
    growth = growth_of(bulk, size)
    lawful = sum(p.share for p in bulk.lawful)
    personas = list(bulk.lawful)
    for persona in bulk.campaigns:
        exchanges, accounts = size.campaigns[str(persona.campaign)]
        before = round(accounts / growth)
        shared = persona.network.shared * before / persona.accounts[1]
        personas.append(
            replace(
                persona,
                share=exchanges / size.lawful * lawful,
                accounts=(before, before),
                network=replace(persona.network, shared=round(shared)),
            )
        )
    return replace(bulk, personas=tuple(personas), exchanges=round(size.exchanges / growth))
