"""Opening accounts and values one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_claims import World, claim, world

from stillhunt.errors import InputError
from stillhunt.evidence import container
from stillhunt.evidence.claim.respond import add_openings
from stillhunt.evidence.claim.state import read_state
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.opening import open_account, open_value
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.value_hash import value_hash
from stillhunt.evidence.verify import verify

NAMES = ("acct-1", "acct-2", "Zo\u00eb's")
ADDRESS = "203.0.113.9"


def as_int(value: bytes) -> int:
    return int.from_bytes(value, "little", signed=True)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose campaign's accounts have names."""
    folder = tmp_path_factory.mktemp("named")
    made = world(folder / "other")
    rows = made.rows.copy()
    values = [as_int(value_hash(name, "account")) for name in NAMES]
    for old, new in zip(made.named.tolist(), values, strict=False):
        rows["account"][rows["account"] == old] = new
    mine = np.flatnonzero(np.isin(rows["account"], values))
    rows["address"][mine[:7]] = as_int(value_hash(ADDRESS, "address"))
    rows["nulls"][mine[:7]] &= ~np.uint32(1 << 4)
    create_log(folder / "log", "example.com/log")
    with writing_log(folder / "log") as writer:
        writer.append(rows, source={})
        writer.publish()
    return World(folder / "log", rows, np.array(sorted(values)))


def test_the_hash_is_that_of_the_observation() -> None:
    hashing = pytest.importorskip("stillhunt.fingerprints.hashing")
    pa = pytest.importorskip("pyarrow")
    texts = ["", "a", "acct-7", "Zo\u00eb", "\U0001f600" * 50, "203.0.113.9"]
    for column in ("account", "address", "network"):
        expected = hashing.hash64(pa.array(texts), column).to_pylist()
        assert [as_int(value_hash(text, column)) for text in texts] == expected


@pytest.mark.parametrize("depth", ["counts", "pseudonymous", "full"])
def test_an_account_is_opened_with_its_numbers(named: World, tmp_path: Path, depth: str) -> None:
    done = claim(named, tmp_path / "a.claim", depth)
    state = read_state(done.private)
    openings = [open_account(state.trees, state.statement, name) for name in NAMES[:2]]
    add_openings(done.bundle, openings, tmp_path / "b.claim")
    report = verify(tmp_path / "b.claim", trust=named.trust())
    assert report.ok, report.checks
    for name in NAMES[:2]:
        mine = named.rows[named.rows["account"] == as_int(value_hash(name, "account"))]
        said = (
            f"The account {name} is counted with {len(mine):,} exchanges, "
            f"{mine['input_tokens'].sum():,} input and {mine['output_tokens'].sum():,} output tokens."
        )
        assert said in report.shown
    assert not any(NAMES[2] in said for said in report.shown)
    # The third account's value is nowhere in what a counts bundle without an audit holds.
    if depth == "counts":
        body = (tmp_path / "b.claim").read_bytes()
        assert value_hash(NAMES[2], "account") not in body
        assert value_hash(NAMES[2], "account")[::-1] not in body


def test_a_value_is_opened_on_its_exchanges(named: World, tmp_path: Path) -> None:
    done = claim(named, tmp_path / "a.claim", "pseudonymous")
    state = read_state(done.private)
    opening = open_value(state.secret, state.statement, "address", ADDRESS)
    add_openings(done.bundle, [opening, opening], tmp_path / "b.claim")
    report = verify(tmp_path / "b.claim", trust=named.trust())
    assert report.ok, report.checks
    assert any(ADDRESS in said and said.endswith("on 7 exchanges.") for said in report.shown)
    absent = open_value(state.secret, state.statement, "address", "198.51.100.1")
    add_openings(done.bundle, [absent], tmp_path / "c.claim")
    assert verify(tmp_path / "c.claim", trust=named.trust()).code is Code.OPENING


def test_who_is_not_claimed_cannot_be_opened(named: World, tmp_path: Path) -> None:
    state = read_state(claim(named, tmp_path / "a.claim").private)
    with pytest.raises(InputError, match="does not count"):
        open_account(state.trees, state.statement, "somebody else")
    with pytest.raises(InputError, match="cannot be opened by name"):
        open_value(state.secret, state.statement, "client", "curl")


def test_openings_of_another_claim_or_account_are_refused(named: World, tmp_path: Path) -> None:
    one = claim(named, tmp_path / "a.claim")
    two = claim(named, tmp_path / "b.claim")
    state, other = read_state(one.private), read_state(two.private)
    mine = open_account(state.trees, state.statement, NAMES[0])
    theirs = open_account(other.trees, other.statement, NAMES[0])
    renamed = mine.replace(NAMES[0].encode(), b"acct-9")
    borrowed = theirs.replace(other.statement.hex().encode(), state.statement.hex().encode())
    for wrong in (theirs, renamed, borrowed):
        add_openings(one.bundle, [wrong], tmp_path / "c.claim")
        assert verify(tmp_path / "c.claim", trust=named.trust()).code is Code.OPENING


def test_openings_add_up_and_stay_single(named: World, tmp_path: Path) -> None:
    done = claim(named, tmp_path / "a.claim")
    state = read_state(done.private)
    for name in (NAMES[0], NAMES[1], NAMES[0]):
        opening = open_account(state.trees, state.statement, name)
        add_openings(done.bundle, [opening], done.bundle)
    names = [n for n in container.read(done.bundle) if n.startswith("openings/")]
    assert names == ["openings/000000.json", "openings/000001.json"]
    assert verify(done.bundle, trust=named.trust()).ok
