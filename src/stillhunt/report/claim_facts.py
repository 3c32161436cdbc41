"""What the page of a claim is made from: the signed statement and what checking its bundle found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Audit:
    """A random sample that was opened after the claim had been fixed.

    Attributes:
        of: what was drawn, one and many: ("exchange", "exchanges").
        population: how many are claimed.
        sampled: how many were opened.
        bad: how many of them were not as claimed.
        confidence: of the bound, above 0 and below 1.
        good_at_least: how many of the population are as claimed, with that confidence.
    """

    of: tuple[str, str]
    population: int
    sampled: int
    bad: int
    confidence: float
    good_at_least: int


@dataclass(frozen=True)
class Checked:
    """One numbered check; ``passed`` is None where it did not apply."""

    number: int
    name: str
    passed: bool | None
    reason: str
    source: str


@dataclass(frozen=True)
class ClaimFacts:
    """A claim and what is known of it. Every text in it is somebody else's.

    Attributes:
        accepted: whether every check that applies passed.
        left_out: accounts and exchanges that the finding names and the claim does not count.
        opened: exchanges that the verifier itself opened and counted; 0 at counts depth.
        audits: empty where no sample has been opened.
        seed: what chose the sample, in words; empty where nothing did.
        key: the log's key as name and fingerprint; pinned: the verifier knew it beforehand.
        witnesses: names of trusted witnesses whose cosignatures hold; quorum: how many are wanted.
        stamps: checked time stamps, (time, authority).
        file: the bundle's name, its last part only.
    """

    accepted: bool
    campaign: str
    claimant: str
    signed_at: datetime
    depth: str
    origin: str
    period: tuple[datetime, datetime]
    kinds: tuple[str, ...]
    accounts: int
    exchanges: int
    exchanges_low: int
    exchanges_high: int
    input_tokens: int
    output_tokens: int
    probability: float | None
    prior: float | None
    link_p: float | None
    q_value: float | None
    harvest_p: float | None
    harvest_p_floor: float | None
    left_out: tuple[int, int]
    opened: int
    audits: tuple[Audit, ...]
    seed: str
    key: str
    pinned: bool
    witnesses: tuple[str, ...]
    quorum: int
    stamps: tuple[tuple[datetime, str], ...]
    checks: tuple[Checked, ...]
    shown: tuple[str, ...]
    not_shown: tuple[str, ...]
    not_seen: tuple[str, ...]
    method: tuple[tuple[str, str], ...]
    file: str
    bundle_sha256: str
    statement_sha256: str
