"""Draws the accounts of a scenario, group by group."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stillhunt_simulator.clients import draw_client
from stillhunt_simulator.infrastructure import AddressBook, country, draw_hex, top_level
from stillhunt_simulator.lifetimes import Span, spans
from stillhunt_simulator.population import Account, Population
from stillhunt_simulator.scenario import Network, Persona, Scenario
from stillhunt_simulator.texts.grammar import Lexicon
from stillhunt_simulator.texts.vocabulary import LANGUAGE_SHARES
from stillhunt_simulator.writing import Desk

_DAY = 86_400.0
_HOUR = 3_600.0
_MIN_ACCOUNTS = 6
_PRIVATE_DOMAIN = 0.2
_WEBMAIL = 24
_TIERS = ("free", "paid", "startup", "education")
_TIER_SHARES = (0.3, 0.5, 0.12, 0.08)
_TEMPERATURES = (None, 0.0, 0.2, 0.3, 0.7, 0.8, 1.0)
_TEMPERATURE_SHARES = (0.3, 0.17, 0.08, 0.1, 0.17, 0.08, 0.1)
_CEILINGS = (None, 1024, 2048, 4096, 8192)
_CEILING_SHARES = (0.4, 0.14, 0.16, 0.18, 0.12)
# A mobile carrier puts many strangers behind few addresses.
_CARRIER_ADDRESSES = 24
_ON_CARRIER = 0.04
# A proxy service sells the lines of households, and the households go on using them.
_PROXIED_ADDRESSES = 700
_ON_PROXY = 0.1
_HANDFUL = 6


def populate(rng: np.random.Generator, scenario: Scenario, exchanges: int, seed: int) -> Population:
    """Draw the customers of a scenario.

    Args:
        rng: source of chance.
        scenario: the personas and the period.
        exchanges: size of the simulation; numbers of groups or accounts follow it.
        seed: of public templates, named pools and topics.

    Returns:
        A population whose accounts are grouped by persona, then by group.
    """
    population = Population(Lexicon(rng), AddressBook(rng), seed)
    scale = exchanges / scenario.exchanges
    settler = _Settler(rng, scenario, population, scale)
    for number, persona in enumerate(scenario.personas):
        settler.add(number, persona, scale)
    population.resold = settler.desk.resold(scenario)
    return population


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the accounts of one group may share."""

    organization: str | None
    domain: str
    client: tuple[str, str]
    clients: list[tuple[str, str]]
    zone: float
    addresses: list[int]
    topic: int


class _Settler:
    """Draws accounts, group by group, into a population."""

    def __init__(
        self, rng: np.random.Generator, scenario: Scenario, population: Population, scale: float
    ) -> None:
        self._rng = rng
        self._scenario = scenario
        self._population = population
        self.desk = Desk(rng, population)
        book = population.book
        self._carrier = [book.home() for _ in range(max(2, round(_CARRIER_ADDRESSES * scale)))]
        needed = [p.network.shared for p in scenario.personas if p.network.place == "proxies"]
        proxied = max(
            round(_PROXIED_ADDRESSES * scale), *(round(1.25 * n * scale) for n in [0, *needed])
        )
        self._proxied = [book.home() for _ in range(proxied)]
        self._webmail = [self._domain("mail", 2) for _ in range(_WEBMAIL)]
        popularity = 1.0 / np.arange(1, _WEBMAIL + 1)
        self._popular = popularity / popularity.sum()

    def add(self, number: int, persona: Persona, scale: float) -> None:
        """Draw all groups of a persona."""
        growing = persona.grows == "groups"
        groups = max(1, round(persona.groups * scale)) if growing else persona.groups
        for _ in range(groups):
            low, high = persona.accounts
            count = int(self._rng.integers(low, high + 1))
            network = persona.network
            if persona.grows == "accounts":
                count = max(min(count, _MIN_ACCOUNTS), round(count * scale))
                # As crowded as at the scenario's own size.
                shared = max(network.used[1], round(network.shared * scale))
                network = replace(network, shared=shared if network.shared else 0)
            self._group(number, replace(persona, network=network), count)

    def _group(self, number: int, persona: Persona, count: int) -> None:
        population = self._population
        group = len(population.pools)
        desk, owner = self.desk.group(persona, group), persona.ownership
        shared = self._shared(persona)
        payments = self._payments(owner.payment, count)
        lives = spans(self._rng, self._scenario, persona, count)
        mine = [self._account(number, persona, group, shared) for _ in range(count)]
        for account, payment, life in zip(mine, payments, lives, strict=True):
            account.payment = payment
            account.created, account.opened, account.closed = life.created, life.first, life.last
            account.credentials = self._credentials(persona, life)
            account.mix = self.desk.mix(desk)
        population.accounts += mine

    def _shared(self, persona: Persona) -> _Shared:
        rng = self._rng
        return _Shared(
            organization=f"org_{draw_hex(rng, 10)}" if persona.ownership.declared else None,
            domain=self._domain("-", 4),
            client=draw_client(rng),
            clients=[draw_client(rng) for _ in range(_HANDFUL)],
            zone=self._zone(),
            addresses=self._shared_addresses(persona.network),
            topic=int(rng.integers(1, 1 << 62)),
        )

    def _account(self, number: int, persona: Persona, group: int, shared: _Shared) -> Account:
        rng, owner = self._rng, persona.ownership
        user_agent, tls = self._client(persona, shared)
        topics = {"group": shared.topic, "account": int(rng.integers(1, 1 << 62)), "none": 0}
        release = self._scenario.release_day * _DAY
        moves = rng.random() < persona.adoption
        return Account(
            account=f"acct_{draw_hex(rng, 14)}",
            persona=number,
            group=group,
            mix=0,
            organization=shared.organization,
            created=0.0,
            payment="",
            email_domain=shared.domain if owner.email == "group" else self._email(),
            tier=owner.tier or str(rng.choice(_TIERS, p=_TIER_SHARES)),
            opened=0.0,
            closed=0.0,
            zone=shared.zone if persona.zone == "group" else self._zone(),
            language=int(rng.choice(len(LANGUAGE_SHARES), p=LANGUAGE_SHARES)),
            country=country(rng),
            topic=topics[persona.writing.topics],
            user_agent=user_agent,
            tls_fingerprint=tls,
            temperature=_TEMPERATURES[int(rng.choice(7, p=_TEMPERATURE_SHARES))],
            max_tokens=_CEILINGS[int(rng.choice(5, p=_CEILING_SHARES))],
            streams=float(rng.choice((0.0, 0.5, 1.0))),
            small_model=float(rng.random() ** 2),
            moves=release + float(rng.exponential(persona.adoption_days)) * _DAY
            if moves
            else np.inf,
            credentials=[],
            addresses=self._addresses(persona.network, shared.addresses),
        )

    def _client(self, persona: Persona, shared: _Shared) -> tuple[str, str]:
        if persona.client == "group":
            return shared.client
        if persona.client == "handful":
            return shared.clients[int(self._rng.integers(_HANDFUL))]
        return draw_client(self._rng)

    def _credentials(self, persona: Persona, life: Span) -> list[str]:
        """One key or a few; rotated ones last one to two days each."""
        rng = self._rng
        count = int(rng.geometric(0.5))
        if persona.keys == "rotated":
            count = max(1, round((life.last - life.first) / _DAY / float(rng.uniform(0.8, 2.5))))
        return [f"key_{draw_hex(rng, 10)}" for _ in range(min(6, count))]

    def _shared_addresses(self, network: Network) -> list[int]:
        rng, book = self._rng, self._population.book
        if network.place in ("hosting", "exits"):
            rented = [book.any_hosting_network() for _ in range(2)]
            return [book.hosting(rented[i % 2]) for i in range(network.shared)]
        if network.place == "proxies":
            picked = rng.permutation(len(self._proxied))[: network.shared].tolist()
            return [self._proxied[i] for i in picked]
        return [book.home() for _ in range(network.shared)]

    def _addresses(self, network: Network, shared: list[int]) -> list[int]:
        rng, book = self._rng, self._population.book
        used = min(len(shared), int(rng.integers(network.used[0], network.used[1] + 1)))
        if used == len(shared):
            chosen = [shared[i] for i in rng.permutation(used).tolist()]
        else:
            chosen = [shared[i] for i in rng.choice(len(shared), used, replace=False).tolist()]
        for _ in range(int(rng.integers(network.own[0], network.own[1] + 1))):
            luck = rng.random()
            if network.place == "hosting":
                chosen.append(book.hosting(book.any_hosting_network()))
            elif luck < _ON_CARRIER:
                chosen.append(self._carrier[int(rng.integers(len(self._carrier)))])
            elif luck < _ON_CARRIER + _ON_PROXY:
                chosen.append(self._proxied[int(rng.integers(len(self._proxied)))])
            else:
                chosen.append(book.home())
        return list(dict.fromkeys(chosen))

    def _payments(self, sharing: str, count: int) -> list[str]:
        if sharing == "group":
            return [self._payment()] * count
        if sharing == "account":
            return [self._payment() for _ in range(count)]
        payments: list[str] = []
        while len(payments) < count:
            payments += [self._payment()] * int(self._rng.integers(2, 7))
        payments = payments[:count]
        self._rng.shuffle(payments)
        return payments

    def _payment(self) -> str:
        return f"pm_{draw_hex(self._rng, 12)}"

    def _email(self) -> str:
        if self._rng.random() < _PRIVATE_DOMAIN:
            return self._domain("-", 4)
        return self._webmail[int(self._rng.choice(_WEBMAIL, p=self._popular))]

    def _domain(self, middle: str, digits: int) -> str:
        name = self._population.lexicon.fill(self._rng, "$E").lower()
        return f"{name}{middle}{draw_hex(self._rng, digits)}.{top_level(self._rng)}"

    def _zone(self) -> float:
        return float(self._rng.integers(-11, 13)) * _HOUR
