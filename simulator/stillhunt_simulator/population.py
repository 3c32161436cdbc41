"""Who the customers are: accounts, what they own, where they sit, and what they write."""

from __future__ import annotations

from dataclasses import dataclass, field

from stillhunt_simulator.infrastructure import AddressBook
from stillhunt_simulator.texts.grammar import Lexicon
from stillhunt_simulator.texts.templates import Form


@dataclass(slots=True)
class Account:
    """One account, with all that stays the same from request to request.

    Attributes:
        persona: index into the scenario's personas.
        group: number of its group, over all personas.
        mix: index into the population's mixes: what it writes.
        created: when it was opened, in seconds from the start; mostly negative.
        opened: its first possible exchange.
        closed: its last.
        zone: offset of its owner's day from UTC, in seconds.
        language: index of the language its owner prefers.
        country: where it says it is.
        topic: key of what its owner writes about; 0: anything.
        moves: when it turns to the new model, in seconds from the start.
        addresses: indices into the address book.
    """

    account: str
    persona: int
    group: int
    mix: int
    organization: str | None
    created: float
    payment: str
    email_domain: str
    tier: str
    opened: float
    closed: float
    zone: float
    language: int
    country: str
    topic: int
    user_agent: str
    tls_fingerprint: str
    temperature: float | None
    max_tokens: int | None
    streams: float
    small_model: float
    moves: float
    credentials: list[str]
    addresses: list[int]


@dataclass(slots=True)
class Mix:
    """Forms and how often each is used; shares sum to one."""

    forms: list[int]
    shares: list[float]


@dataclass(slots=True)
class Population:
    """Everybody, and every form that anybody uses.

    Attributes:
        lexicon: the words.
        book: the addresses.
        seed: of texts.
        accounts: by persona, then by group.
        mixes: what accounts write.
        pools: key of each group's item pool.
        forms: prompt skeletons.
        resold: index of the mix that a reseller's customers write.
    """

    lexicon: Lexicon
    book: AddressBook
    seed: int
    accounts: list[Account] = field(default_factory=list)
    mixes: list[Mix] = field(default_factory=list)
    pools: list[int] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    resold: int = 0
