"""Who the customers are: accounts, what they own, where they sit, and what they write."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stillhunt_simulator.infrastructure import AddressBook, draw_client, draw_hex
from stillhunt_simulator.scenario import REFERENCE_EXCHANGES, Persona, Scenario
from stillhunt_simulator.texts.grammar import Lexicon
from stillhunt_simulator.texts.render import render
from stillhunt_simulator.texts.templates import (
    WHOLE,
    Form,
    coursework_forms,
    free_forms,
    phrase,
)
from stillhunt_simulator.texts.vocabulary import LANGUAGE_SHARES

_DAY = 86_400.0
_HOUR = 3_600.0
_MIN_ACCOUNTS = 6
_WEBMAIL = ("postbox.example", "quickmail.example", "inbox.example", "letters.example")
_WEBMAIL_SHARES = (0.4, 0.3, 0.2, 0.1)
_PRIVATE_DOMAIN = 0.2
_TIERS = ("free", "paid", "startup", "education")
_TIER_SHARES = (0.3, 0.5, 0.12, 0.08)
_TEMPERATURES = (None, 0.0, 0.2, 0.3, 0.7, 0.8, 1.0)
_TEMPERATURE_SHARES = (0.3, 0.17, 0.08, 0.1, 0.17, 0.08, 0.1)
_CEILINGS = (None, 1024, 2048, 4096, 8192)
_CEILING_SHARES = (0.4, 0.14, 0.16, 0.18, 0.12)
# A mobile carrier puts many strangers behind few addresses.
_CARRIER_ADDRESSES = 24
_ON_CARRIER = 0.04
# Strangers, too, join during the period, and leave.
_NEWCOMERS = 0.18
_LEAVERS = 0.12


@dataclass(slots=True)
class Account:
    """One account, with all that stays the same from request to request."""

    account: str
    persona: int
    group: int
    organization: str | None
    created: float
    payment: str
    email_domain: str
    tier: str
    opened: float
    closed: float
    zone: float
    language: int
    user_agent: str
    tls_fingerprint: str
    temperature: float | None
    max_tokens: int | None
    streams: float
    small_model: float
    credentials: list[str]
    addresses: list[int]


@dataclass(slots=True)
class Group:
    """Accounts of one persona that share what they write.

    Attributes:
        forms: indices of forms, with ``weights`` summing to one.
        weights: how often each form is used.
        items: the pool's items; empty where every item is new.
    """

    forms: list[int]
    weights: list[float]
    items: list[str]


@dataclass(slots=True)
class Population:
    """Everybody, and every form that anybody uses."""

    lexicon: Lexicon
    book: AddressBook
    accounts: list[Account] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)


def populate(rng: np.random.Generator, scenario: Scenario, exchanges: int) -> Population:
    """Draw the customers of a scenario.

    Args:
        rng: source of chance.
        scenario: the personas and the period.
        exchanges: size of the simulation; numbers of groups and accounts follow it.

    Returns:
        A population whose accounts are grouped by persona, then by group.
    """
    population = Population(Lexicon(rng), AddressBook(rng))
    builder = _Builder(rng, scenario, population)
    scale = exchanges / REFERENCE_EXCHANGES
    for number, persona in enumerate(scenario.personas):
        builder.add(number, persona, scale)
    return population


class _Builder:
    """Draws accounts, group by group, into a population."""

    def __init__(
        self, rng: np.random.Generator, scenario: Scenario, population: Population
    ) -> None:
        self._rng = rng
        self._scenario = scenario
        self._population = population
        self._free = self._register(free_forms())
        self._coursework = self._register(coursework_forms())
        book = population.book
        self._carrier = [book.home() for _ in range(_CARRIER_ADDRESSES)]

    def add(self, number: int, persona: Persona, scale: float) -> None:
        groups = max(1, round(persona.groups * scale))
        for _ in range(groups):
            low, high = persona.accounts
            count = int(self._rng.integers(low, high + 1))
            if persona.groups == 1:
                count = max(_MIN_ACCOUNTS, round(count * scale))
            self._group(number, persona, count)

    def _group(self, number: int, persona: Persona, count: int) -> None:
        rng, population = self._rng, self._population
        group = len(population.groups)
        population.groups.append(self._writing(persona, group))
        shared = self._shared_addresses(persona)
        owner = persona.ownership
        organization = f"org_{draw_hex(rng, 10)}" if owner.declared else None
        domain = f"{population.lexicon.fill(rng, '$E').lower()}-{draw_hex(rng, 4)}.example"
        payments = self._payments(owner.payment, count)
        client = draw_client(rng)
        zone = self._zone()
        spans = self._spans(persona, count)
        for payment, (created, opened, closed) in zip(payments, spans, strict=True):
            user_agent, tls = client if persona.client == "group" else draw_client(rng)
            population.accounts.append(
                Account(
                    account=f"acct_{draw_hex(rng, 14)}",
                    persona=number,
                    group=group,
                    organization=organization,
                    created=created,
                    payment=payment,
                    email_domain=self._email(owner.email, domain),
                    tier=owner.tier or str(rng.choice(_TIERS, p=_TIER_SHARES)),
                    opened=opened,
                    closed=closed,
                    zone=zone if persona.network.place in ("site", "hosting") else self._zone(),
                    language=int(rng.choice(len(LANGUAGE_SHARES), p=LANGUAGE_SHARES)),
                    user_agent=user_agent,
                    tls_fingerprint=tls,
                    temperature=_TEMPERATURES[int(rng.choice(7, p=_TEMPERATURE_SHARES))],
                    max_tokens=_CEILINGS[int(rng.choice(5, p=_CEILING_SHARES))],
                    streams=float(rng.choice((0.0, 0.5, 1.0))),
                    small_model=float(rng.random() ** 2),
                    credentials=[
                        f"key_{draw_hex(rng, 10)}" for _ in range(min(6, int(rng.geometric(0.5))))
                    ],
                    addresses=self._addresses(persona, shared),
                )
            )

    def _register(self, weighted: list[tuple[float, Form]]) -> list[tuple[float, int]]:
        forms = self._population.forms
        out = []
        for weight, form in weighted:
            out.append((weight, len(forms)))
            forms.append(form)
        return out

    def _writing(self, persona: Persona, group: int) -> Group:
        """Phrase a group's templates, and fill its pool of items."""
        rng, population, writing = self._rng, self._population, persona.writing
        mix = [(weight * writing.free, form) for weight, form in self._free if writing.free]
        items: list[str] = []
        if writing.kinds:
            templates = []
            for i in range(writing.templates):
                kind = writing.kinds[(group + i) % len(writing.kinds)]
                templates.append(phrase(rng, population.lexicon, kind, writing.systems))
            if writing.pool:
                template = templates[0]
                items = self._items(template, writing.pool)
                templates = [Form(template.system, ("", ""), (WHOLE,), template.answer)]
            share = (1.0 - writing.free) / len(templates)
            mix += self._register([(share, template) for template in templates])
        elif writing.pool:
            set_exercise = population.forms[self._coursework[0][1]]
            items = self._items(set_exercise, writing.pool)
            mix += [(weight * (1.0 - writing.free), form) for weight, form in self._coursework]
        return Group([form for _, form in mix], [weight for weight, _ in mix], items)

    def _items(self, form: Form, count: int) -> list[str]:
        rng = self._rng
        languages = rng.choice(len(LANGUAGE_SHARES), size=count, p=LANGUAGE_SHARES).tolist()
        nothing: list[str | None] = [None] * count
        return render(rng, self._population.lexicon, [form] * count, languages, nothing)

    def _shared_addresses(self, persona: Persona) -> list[int]:
        book, network = self._population.book, persona.network
        if network.place in ("hosting", "exits"):
            rented = [book.any_hosting_network() for _ in range(2)]
            return [book.hosting(rented[i % 2]) for i in range(network.shared)]
        return [book.home() for _ in range(network.shared)]

    def _addresses(self, persona: Persona, shared: list[int]) -> list[int]:
        rng, book, network = self._rng, self._population.book, persona.network
        used = min(len(shared), int(rng.integers(network.used[0], network.used[1] + 1)))
        chosen = [shared[i] for i in rng.permutation(len(shared))[:used]]
        for _ in range(int(rng.integers(network.own[0], network.own[1] + 1))):
            if network.place == "hosting":
                chosen.append(book.hosting(book.any_hosting_network()))
            elif rng.random() < _ON_CARRIER:
                chosen.append(self._carrier[int(rng.integers(len(self._carrier)))])
            else:
                chosen.append(book.home())
        return chosen

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

    def _email(self, habit: str, domain: str) -> str:
        rng = self._rng
        if habit == "group":
            return domain
        if habit == "mixed" and rng.random() < _PRIVATE_DOMAIN:
            name = self._population.lexicon.fill(rng, "$E").lower()
            return f"{name}-{draw_hex(rng, 4)}.example"
        return str(rng.choice(_WEBMAIL, p=_WEBMAIL_SHARES))

    def _zone(self) -> float:
        return float(self._rng.integers(-11, 13)) * _HOUR

    def _spans(self, persona: Persona, count: int) -> list[tuple[float, float, float]]:
        """Creation, first and last moment of each account, in seconds from the start."""
        if persona.lifetime_days is not None:
            return self._chains(persona.lifetime_days, count)
        rng, end = self._rng, self._scenario.seconds
        steady = persona.ownership.declared or persona.beat in ("nightly", "runs")
        spans = []
        for _ in range(count):
            created = -float(rng.exponential(240.0) + 0.5) * _DAY
            opened, closed = 0.0, end
            if not steady and rng.random() < _NEWCOMERS:
                created = float(rng.uniform(0.0, 0.75)) * end
                opened = created
            if not steady and rng.random() < _LEAVERS:
                closed = opened + float(rng.uniform(0.3, 0.9)) * (end - opened)
            spans.append((created, opened, closed))
        return spans

    def _chains(self, lifetime_days: float, count: int) -> list[tuple[float, float, float]]:
        """Seats held by one account after another: when one is banned, the next steps in."""
        rng, end = self._rng, self._scenario.seconds
        holders = max(1, round(end / _DAY / lifetime_days))
        spans: list[tuple[float, float, float]] = []
        while len(spans) < count:
            here = min(holders, count - len(spans))
            lasting = rng.uniform(0.6, 1.4, here)
            cuts = np.concatenate(([0.0], np.cumsum(lasting) / lasting.sum())) * end
            for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
                opened = low + (float(rng.uniform(0.5, 8.0)) * _HOUR if low else 0.0)
                created = opened - float(rng.exponential(1.5) + 0.05) * _DAY
                spans.append((created, opened, high))
        return spans
