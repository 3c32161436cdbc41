"""Degree totals in bundles: shown as committed to, under names that are true, and not otherwise."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_claims import World, claim, observations

from stillhunt.evidence import container
from stillhunt.evidence.audit import Rates
from stillhunt.evidence.claim import make
from stillhunt.evidence.claim.respond import respond
from stillhunt.evidence.claim.state import read_state
from stillhunt.evidence.entries import ACCOUNT_LAYOUT
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.seam import Totals, Unsealed
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.seed import auditors_seed
from stillhunt.evidence.totals import making
from stillhunt.evidence.totals.member import NOTHING, ShownTotals, read_totals
from stillhunt.evidence.totals.rows import FAMILY_NUMBER, parse_template_row
from stillhunt.evidence.totals.table import TotalsTable
from stillhunt.evidence.verify import examine
from stillhunt.evidence.verify.totals_checks import counted_client
from stillhunt.records.leaf import SCALARS

SEED = "5a" * 32
ALL = Rates(0.01, 0.3, 0.999)
BIT = {name: i for i, (name, _) in enumerate(SCALARS)}


def accounts_of(rows: np.ndarray, seed: int) -> np.ndarray:
    """A row of the accounts table for each account: few payers, few organizations."""
    rng = np.random.default_rng(seed)
    account = np.unique(rows["account"])
    out = np.zeros(len(account), dtype=ACCOUNT_LAYOUT)
    out["account"] = account
    for name, nulls, bit, many, part in (
        ("organization", "who_nulls", 1, 4, 0.4),
        ("payment", "bill_nulls", 0, 6, 0.2),
        ("email_domain", "bill_nulls", 1, 4, 0.3),
    ):
        out[name] = rng.integers(-9, 9, many)[rng.integers(0, many, len(account))]
        missing = rng.random(len(account)) < part
        out[name][missing] = 0
        out[nulls] |= missing.astype(np.uint8) << bit
    return out


def carried(rows: np.ndarray, accounts: np.ndarray, grams: dict[int, int]) -> dict[Any, set[int]]:
    """(family, value) to the entities that carry it, one exchange at a time."""
    table = {int(a["account"]): a for a in accounts}
    found: dict[Any, set[int]] = defaultdict(set)
    for row in rows:
        account = table[int(row["account"])]
        no_organization = int(account["who_nulls"]) >> 1 & 1
        entity = int(row["account"] if no_organization else account["organization"])
        nulls = int(row["nulls"])
        for family in ("address", "network"):
            if not nulls >> BIT[family] & 1:
                found[family, int(row[family])].add(entity)
        if not (nulls >> BIT["tls"] & 1 and nulls >> BIT["agent"] & 1):
            found["client", int(row["tls"]) * 2**32 + int(row["agent"])].add(entity)
        for bit, family in enumerate(("payment", "email_domain")):
            if not int(account["bill_nulls"]) >> bit & 1:
                found[family, int(account[family])].add(entity)
        for gram in row["grams"][: int(row["gram_count"])].tolist():
            if gram in grams:
                found["template", grams[gram]].add(entity)
    return found


GRAMS = {gram: 1000 + gram // 3 for gram in range(30)}
"""Ten templates of three grams each."""


def counted(accounts: np.ndarray) -> Callable[[Unsealed], Totals]:
    def make_totals(batch: Unsealed) -> Totals:
        popularity = carried(batch.observations, accounts, GRAMS)
        shared = sorted(k for k, entities in popularity.items() if len(entities) >= 2)
        pairs = sorted((template, gram) for gram, template in GRAMS.items())
        table = TotalsTable(
            {"totals": 1, "batch": batch.number},
            np.array([FAMILY_NUMBER[family] for family, _ in shared], dtype=np.uint8),
            np.array([value for _, value in shared], dtype=np.int64),
            np.array([len(popularity[key]) for key in shared], dtype=np.int64),
            np.array([template for template, _ in pairs], dtype=np.int64),
            np.array([gram for _, gram in pairs], dtype=np.int32),
        )
        end = batch.first + len(batch.observations)
        record = {
            "root": table.tree.root().hex(),
            "rows": table.rows,
            "first": batch.first,
            "end": end,
        }
        return Totals(record, table.to_bytes())

    return make_totals


Made = tuple[World, np.ndarray]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A log of two batches with totals of each."""
    root = tmp_path_factory.mktemp("totals") / "log"
    create_log(root, "example.com/log")
    rows = observations(900, 40, seed=8)
    rng = np.random.default_rng(9)
    rows["tls"] = np.where(rows["tls"] > 2, -rows["tls"], rows["tls"])
    rows["gram_count"] = rng.integers(0, 5, len(rows))
    for i, row in enumerate(rows):
        rows["grams"][i, : row["gram_count"]] = rng.choice(
            45, int(row["gram_count"]), replace=False
        )
    accounts = accounts_of(rows, 10)
    with writing_log(root) as writer:
        for part, table in zip(np.array_split(rows, 2), (accounts, accounts[:0]), strict=True):
            writer.append(part, table, source={}, totals=counted(accounts))
            writer.publish()
    return World(root, rows, np.unique(rows["account"])[:14]), accounts


def bundle(made: World, folder: Path) -> Path:
    done = claim(made, folder / "a.claim", "pseudonymous", rates=ALL)
    seed = auditors_seed(SEED)
    return respond(
        Log(made.root), done.bundle, read_state(done.private), seed, folder / "b.claim"
    ).bundle


def shown_in(path: Path) -> ShownTotals:
    return read_totals(bytes(container.read(path)["totals"]))


def test_what_is_shown_is_what_claimed_entities_share(made: Made, tmp_path: Path) -> None:
    world, accounts = made
    path = bundle(world, tmp_path)
    report, read = examine(path, trust=world.trust(seed=SEED))
    assert report.ok, report.checks
    assert read is not None
    assert read.totals is not None
    assert len(read.totals.stretches) == 2
    for stretch in read.totals.stretches:
        everybody = world.rows[:450] if stretch.batch == 1 else world.rows[450:]
        ours = everybody[np.isin(everybody["account"], world.named)]
        popularity = carried(everybody, accounts, GRAMS)
        own = carried(ours, accounts, GRAMS)
        expected = Counter(
            (family, len(popularity[family, value]))
            for (family, value), entities in own.items()
            if len(entities) >= 2
        )
        families = {number: name for name, number in FAMILY_NUMBER.items()}
        found = Counter((families[int(r["family"])], int(r["entities"])) for r in stretch.values)
        found += Counter(("template", template.entities) for template in stretch.templates)
        assert found == expected
        for template in stretch.templates:
            name, grams = parse_template_row(template.grams)
            assert [GRAMS[gram] for gram in grams.tolist()] == [name] * 3


def test_a_client_of_a_claim_is_the_one_that_is_counted() -> None:
    for tls, agent in ((5, 7), (-5, 7), (5, -7), (-5, -7), (0, -1), (2**31 - 1, -(2**31)), (-1, 0)):
        low = tls & 0xFFFFFFFF
        claimed = np.int64(low) | np.int64(agent) << np.int64(32)
        assert counted_client(int(claimed)) == tls * 2**32 + agent


Lie = Callable[[ShownTotals], ShownTotals]


def swapped(shown: ShownTotals, name: str) -> ShownTotals:
    """Two rows of the accounts table under one another's names."""
    rows = shown.accounts.copy()
    texts = [row[name].tobytes() for row in rows]
    other = next(i for i, text in enumerate(texts) if text != texts[0])
    rows[name][[0, other]] = rows[name][[other, 0]]
    return replace(shown, accounts=rows)


def rarer(shown: ShownTotals) -> ShownTotals:
    """A popular address shown as the rarest one."""
    stretch = shown.stretches[0]
    values = stretch.values.copy()
    of = np.flatnonzero(values["family"] == FAMILY_NUMBER["address"])
    order = of[np.argsort(values["entities"][of].astype(int))]
    pair = [order[0], order[-1]]
    values["pseudonym"][pair] = values["pseudonym"][pair[::-1]]
    return replace(shown, stretches=(replace(stretch, values=values), *shown.stretches[1:]))


def fewer(shown: ShownTotals) -> ShownTotals:
    """A value that fewer entities carry than was committed to."""
    stretch = shown.stretches[1]
    values = stretch.values.copy()
    values["entities"][0] = values["entities"][0] + 1
    return replace(shown, stretches=(shown.stretches[0], replace(stretch, values=values)))


def commoner_template(shown: ShownTotals) -> ShownTotals:
    stretch = shown.stretches[0]
    first = replace(stretch.templates[0], entities=stretch.templates[0].entities + 5)
    templates = (first, *stretch.templates[1:])
    return replace(shown, stretches=(replace(stretch, templates=templates), shown.stretches[1]))


def other_header(shown: ShownTotals) -> ShownTotals:
    stretch = replace(shown.stretches[0], header={"totals": 1, "batch": 7})
    return replace(shown, stretches=(stretch, shown.stretches[1]))


def longer(shown: ShownTotals) -> ShownTotals:
    stretch = replace(shown.stretches[1], first=0)
    return replace(shown, stretches=(shown.stretches[0], stretch))


def organizations_exchanged(shown: ShownTotals) -> ShownTotals:
    rows = shown.organizations.copy()
    rows["pseudonym"][[0, 1]] = rows["pseudonym"][[1, 0]]
    refers = shown.accounts.copy()
    place = refers["organization"].copy()
    refers["organization"][place == 0], refers["organization"][place == 1] = 1, 0
    return replace(shown, organizations=rows, accounts=refers)


def no_organization(shown: ShownTotals) -> ShownTotals:
    """An organization's accounts as strangers."""
    rows = shown.accounts.copy()
    last = len(shown.organizations) - 1
    rows["organization"][rows["organization"] == last] = NOTHING
    organizations = shown.organizations[:-1].copy()
    organizations["separator"][-1] = shown.organizations["separator"][-1]
    return replace(shown, accounts=rows, organizations=organizations)


def account_left_out(shown: ShownTotals) -> ShownTotals:
    return replace(shown, accounts=shown.accounts[1:])


def in_another_batch(shown: ShownTotals) -> ShownTotals:
    return replace(shown, stretches=(shown.stretches[0], replace(shown.stretches[1], batch=9)))


LIES: dict[str, tuple[Lie, Code]] = {
    "a popular address as a rare one": (rarer, Code.TOTALS_BINDING),
    "another's payer": (lambda s: swapped(s, "payment"), Code.TOTALS_BINDING),
    "another's e-mail domain": (lambda s: swapped(s, "email_domain"), Code.TOTALS_BINDING),
    "another's row": (lambda s: swapped(s, "account"), Code.TOTALS_BINDING),
    "another popularity": (fewer, Code.TOTALS_INCLUSION),
    "another popularity of a template": (commoner_template, Code.TOTALS_INCLUSION),
    "another header": (other_header, Code.TOTALS_INCLUSION),
    "another stretch": (longer, Code.TOTALS_INCLUSION),
    "another batch": (in_another_batch, Code.TOTALS_INCLUSION),
    "organizations out of order": (organizations_exchanged, Code.TOTALS_BINDING),
    "an organization hidden": (no_organization, Code.TOTALS_BINDING),
    "a row of the accounts table that is not in the log": (account_left_out, Code.TOTALS_ACCOUNT),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused_for_its_own_reason(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world, _ = made
    lie, code = LIES[name]
    honest = making.totals_member

    def lied(*given_: Any) -> bytes | None:
        member = honest(*given_)
        assert member is not None
        return lie(read_totals(member)).encode()

    monkeypatch.setattr(make, "totals_member", lied)
    report, _ = examine(bundle(world, tmp_path), trust=world.trust(seed=SEED))
    assert report.code == code, report.checks[-1]


def test_an_organization_under_two_names_is_noticed(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = made
    honest = making.totals_member

    def lied(*given_: Any) -> bytes | None:
        member = honest(*given_)
        assert member is not None
        shown = read_totals(member)
        refers = shown.accounts["organization"]
        many = Counter(refers[refers != NOTHING].tolist())
        place = next(i for i, n in many.items() if n >= 2)
        # A second name for it, behind the first, and half of its accounts under that.
        rows = np.insert(shown.organizations, place + 1, shown.organizations[place])
        rows["pseudonym"][place + 1] = np.frombuffer(bytes(32), dtype=np.uint8)
        rows["separator"][place] = rows["separator"][place] - 1
        accounts = shown.accounts.copy()
        accounts["organization"][(refers != NOTHING) & (refers > place)] += 1
        accounts["organization"][np.flatnonzero(refers == place)[0]] = place + 1
        return replace(
            shown, organizations=rows.astype(shown.organizations.dtype), accounts=accounts
        ).encode()

    monkeypatch.setattr(make, "totals_member", lied)
    monkeypatch.setattr(
        "stillhunt.evidence.totals.answering.claimed_organizations",
        lambda records, rows: np.repeat(making.claimed_organizations(records, rows), 2),
    )
    report, _ = examine(bundle(world, tmp_path), trust=world.trust(seed=SEED))
    assert report.code == Code.TOTALS_BINDING


def test_unanswered_totals_are_refused(made: Made, tmp_path: Path) -> None:
    world, _ = made
    members: dict[str, Any] = dict(container.read(bundle(world, tmp_path)))
    body = bytes(members["totals.audit"])
    del members["totals.audit"]
    container.write(tmp_path / "c.claim", members)
    report, _ = examine(tmp_path / "c.claim", trust=world.trust(seed=SEED))
    assert report.code == Code.TOTALS_UNANSWERED
    container.write(tmp_path / "c.claim", {**members, "totals.audit": body + b"\x00"})
    report, _ = examine(tmp_path / "c.claim", trust=world.trust(seed=SEED))
    assert report.code == Code.TOTALS_UNANSWERED


def test_without_an_audit_it_is_said_what_is_not_shown(made: Made, tmp_path: Path) -> None:
    world, _ = made
    done = claim(world, tmp_path / "a.claim", "pseudonymous", rates=ALL)
    report, _ = examine(done.bundle, trust=world.trust())
    assert report.ok
    assert any("no audit opened which value" in sentence for sentence in report.not_shown)


@pytest.fixture(scope="module")
def audited(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(made[0], tmp_path_factory.mktemp("audited"))


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_changed_byte_is_refused(made: Made, audited: Path, data: st.DataObject) -> None:
    """In the answers by themselves; in the rest, where a claimant would sign again what he changed."""
    world, _ = made
    members = {name: bytes(body) for name, body in container.read(audited).items()}
    name = data.draw(st.sampled_from(["totals", "totals.audit"]))
    body = bytearray(members[name])
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    out = audited.with_name("changed.claim")
    container.write(out, {**members, name: bytes(body)})
    report, _ = examine(out, trust=world.trust(seed=SEED))
    assert not report.ok


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_whatever_is_read_is_read_or_refused(body: bytes) -> None:
    for text in (body, b"stillhunt totals 1\n" + body):
        with suppress(Refused):
            read_totals(text)
