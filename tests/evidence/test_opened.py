"""Exchanges of a claim opened whole: those that the claimant chooses, and no other."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_claims import World, claim, observations, with_ids

from stillhunt.errors import InputError, StillhuntError
from stillhunt.evidence import container
from stillhunt.evidence.audit import Rates
from stillhunt.evidence.claim.gather import LogLeaves
from stillhunt.evidence.claim.respond import respond
from stillhunt.evidence.claim.state import ClaimState, read_state
from stillhunt.evidence.entries import as_rows
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.opened.making import claimed_exchanges, open_exchanges, read_ids
from stillhunt.evidence.opened.member import (
    MOST_ID_BYTES,
    Whole,
    read_placed,
    read_traced,
    write_traced,
)
from stillhunt.evidence.refusal import Refused
from stillhunt.evidence.seed import auditors_seed
from stillhunt.evidence.value_hash import exchange_digest
from stillhunt.evidence.verify import examine, verify
from stillhunt.evidence.verify.main import main
from stillhunt.evidence.verify.observation_lines import observation_lines
from stillhunt.records.leaf import SCALARS

ROWS = 300
DEPTHS = ("counts", "pseudonymous")
EXAMPLES = partial(
    settings, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def sealed(folder: Path, rows: np.ndarray, named: int = 4) -> World:
    create_log(folder / "log", "example.com/log")
    with writing_log(folder / "log") as writer:
        for part in np.array_split(rows, 2):
            writer.append(part, source={"made": "here"})
            writer.publish()
    return World(folder / "log", rows, np.unique(rows["account"])[:named])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return sealed(tmp_path_factory.mktemp("world"), with_ids(observations(ROWS, 9)))


def ids_of(made: World, *, claimed: bool = True) -> list[str]:
    mine = np.isin(made.rows["account"], made.named) == claimed
    return [f"req-{i}" for i in np.flatnonzero(mine)]


def done(made: World, folder: Path, depth: str) -> tuple[Path, ClaimState]:
    one = claim(made, folder / f"{depth}.claim", depth, rates=Rates(0.3, 0.3, 0.9))
    return one.bundle, read_state(one.private)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("count", [1, 3, None])
def test_what_is_opened_is_what_was_sealed(
    made: World, tmp_path: Path, depth: str, count: int | None
) -> None:
    bundle, state = done(made, tmp_path, depth)
    chosen = ids_of(made)[:count]
    out = tmp_path / "opened.claim"
    assert open_exchanges(Log(made.root), bundle, state, chosen, out) == len(chosen)
    report, read = examine(out, trust=made.trust())
    assert report.ok, report.checks
    assert read is not None
    of = {one.exchange_id: one for one in read.opened}
    assert sorted(of) == sorted(chosen)
    expected = as_rows(made.rows)
    for name in chosen:
        assert of[name].leaf == expected[int(name[4:])].tobytes()
    rows = made.rows[[int(name[4:]) for name in chosen]]
    assert report.figures["opened"] == {
        "accounts": len(np.unique(rows["account"])),
        "exchanges": len(rows),
        "input_tokens": int(rows["input_tokens"].sum()),
        "output_tokens": int(rows["output_tokens"].sum()),
    }
    assert any("opened whole" in said for said in report.shown)
    assert any("no sample" in said for said in report.not_shown)
    # The statement and all that is signed stayed as they were.
    before, after = container.read(bundle), container.read(out)
    assert {name: body for name, body in after.items() if name != "opened"} == before


def test_of_other_exchanges_nothing_is_told(made: World, tmp_path: Path) -> None:
    bundle, state = done(made, tmp_path, "counts")
    first, *others = ids_of(made)
    open_exchanges(Log(made.root), bundle, state, [first], bundle)
    body = bundle.read_bytes()
    assert exchange_digest(first) in body
    assert not any(exchange_digest(name) in body for name in others)
    told = made.rows["account"][int(first[4:])]
    for account in made.named[made.named != told]:
        assert account.tobytes() not in body
        assert account.tobytes()[::-1] not in body


@pytest.mark.parametrize("depth", DEPTHS)
def test_more_may_be_opened_later_and_the_rest_stays(
    made: World, tmp_path: Path, depth: str
) -> None:
    bundle, state = done(made, tmp_path, depth)
    a, b, c, *_ = ids_of(made)
    log = Log(made.root)
    open_exchanges(log, bundle, state, [a, b], bundle)
    respond(log, bundle, state, auditors_seed("5a" * 32), bundle)
    assert open_exchanges(log, bundle, state, [c, b, c], bundle) == 3
    report, read = examine(bundle, trust=made.trust(seed="5a" * 32))
    assert report.ok, report.checks
    assert read is not None
    assert sorted(one.exchange_id for one in read.opened) == sorted([a, b, c])
    # In whatever order they came, the bundle is the same.
    once = tmp_path / "once.claim"
    plain = {n: bytes(body) for n, body in container.read(bundle).items() if n != "opened"}
    container.write(once, plain)
    open_exchanges(log, once, state, [c, a, b], once)
    assert once.read_bytes() == bundle.read_bytes()


@pytest.mark.parametrize("depth", DEPTHS)
def test_what_was_opened_stays_open_when_the_log_forgets(tmp_path: Path, depth: str) -> None:
    made = sealed(tmp_path, with_ids(observations(ROWS, 9)))
    bundle, state = done(made, tmp_path, depth)
    early = [name for name in ids_of(made) if int(name[4:]) < ROWS // 2]
    late = [name for name in ids_of(made) if int(name[4:]) >= ROWS // 2]
    open_exchanges(Log(made.root), bundle, state, early[:1], bundle)
    Log(made.root).layout.payload(1).unlink()
    with pytest.raises(InputError, match="deleted"):
        open_exchanges(Log(made.root), bundle, state, early[1:2], bundle)
    assert open_exchanges(Log(made.root), bundle, state, late[:1], bundle) == 2
    assert verify(bundle, trust=made.trust()).ok


def test_who_is_not_claimed_cannot_be_opened(made: World, tmp_path: Path) -> None:
    bundle, state = done(made, tmp_path, "counts")
    log, before = Log(made.root), bundle.read_bytes()
    for wrong in (ids_of(made, claimed=False)[:1], ["req-0\x1b[2J"], [ids_of(made)[0], "nobody's"]):
        with pytest.raises(InputError, match="does not count the exchange") as refusal:
            open_exchanges(log, bundle, state, wrong, bundle)
        assert "\x1b" not in refusal.value.problem
    for wrong in ([""], ["x" * (MOST_ID_BYTES + 1)], ["\ud800"]):
        with pytest.raises(InputError, match="no exchange id"):
            open_exchanges(log, bundle, state, wrong, bundle)
    with pytest.raises(InputError, match="another claim"):
        open_exchanges(log, bundle, replace(state, statement=bytes(32)), ["req-0"], bundle)
    assert bundle.read_bytes() == before
    full, state = done(made, tmp_path, "full")
    with pytest.raises(InputError, match="already"):
        open_exchanges(log, full, state, ids_of(made)[:1], full)


def test_ids_are_read_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes("\ufeffreq-1\r\n\n req 2 \nreq-3\u2028x".encode())
    assert read_ids(path) == ["req-1", " req 2 ", "req-3\u2028x"]
    for body, why in ((b"\n\r\n", "names no exchange"), (b"\xff", "UTF-8")):
        path.write_bytes(body)
        with pytest.raises(InputError, match=why):
            read_ids(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_ids(tmp_path / "nowhere.txt")


@pytest.fixture(scope="module")
def bundles(made: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    found = {}
    for depth in DEPTHS:
        bundle, state = done(made, folder, depth)
        open_exchanges(Log(made.root), bundle, state, ids_of(made)[:4], bundle)
        found[depth] = bundle
    return found


def refused(members: dict[str, bytes], path: Path, made: World) -> bool:
    container.write(path, members)
    try:
        return not verify(path, trust=made.trust()).ok
    except StillhuntError:
        return True


@pytest.mark.parametrize("depth", DEPTHS)
@given(data=st.data())
@EXAMPLES(max_examples=150)
def test_a_changed_byte_is_refused(
    made: World, bundles: dict[str, Path], tmp_path: Path, depth: str, data: st.DataObject
) -> None:
    members = {name: bytes(body) for name, body in container.read(bundles[depth]).items()}
    body = bytearray(members["opened"])
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    assert refused({**members, "opened": bytes(body)}, tmp_path / "a.claim", made)


@pytest.mark.parametrize("depth", DEPTHS)
@given(data=st.data())
@EXAMPLES(max_examples=60)
def test_a_byte_more_or_less_is_refused(
    made: World, bundles: dict[str, Path], tmp_path: Path, depth: str, data: st.DataObject
) -> None:
    members = {name: bytes(body) for name, body in container.read(bundles[depth]).items()}
    body = bytearray(members["opened"])
    at = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        del body[at]
    else:
        body.insert(at, data.draw(st.integers(0, 255)))
    if bytes(body) != members["opened"]:
        assert refused({**members, "opened": bytes(body)}, tmp_path / "a.claim", made)


@given(body=st.binary(max_size=300))
@EXAMPLES(max_examples=150)
def test_any_bytes_are_refused_in_words(body: bytes) -> None:
    for start in (b"", b"stillhunt opened 1\n"):
        with pytest.raises(Refused):
            read_placed(start + body, np.array([0, 3, 5]))
        # One exchange in a tree takes more bytes than these.
        with pytest.raises(Refused):
            read_traced(start + body, 2, 5)


def test_one_proof_for_many_is_smaller_than_one_for_each(made: World, tmp_path: Path) -> None:
    _, state = done(made, tmp_path, "counts")
    log = Log(made.root)
    size = log.sizes()[2]
    chosen = claimed_exchanges(state.rows, LogLeaves(log), ids_of(made)[:40])
    tree = log.tree(size)
    together = len(write_traced(state.trees, chosen, tree, size))
    apart = [
        len(write_traced(state.trees, {number: one}, tree, size)) for number, one in chosen.items()
    ]
    assert together < sum(apart) / 2


def test_lines_are_plain_text_and_say_what_the_leaf_says(made: World, tmp_path: Path) -> None:
    bundle, state = done(made, tmp_path, "counts")
    chosen = ids_of(made)[:5]
    open_exchanges(Log(made.root), bundle, state, chosen, bundle)
    _, read = examine(bundle, trust=made.trust())
    assert read is not None
    lines = [json.loads(line) for line in observation_lines(read.opened)]
    assert len(lines) == 5
    for line in lines:
        row = made.rows[int(line["exchange_id"][4:])]
        assert list(line)[:3] == ["exchange_id", "position", "exchange"]
        assert list(line)[3:] == [*(name for name, _ in SCALARS), "grams"]
        assert bytes.fromhex(line["account"]) == row["account"].tobytes()
        assert line["input_tokens"] == row["input_tokens"]
        assert np.datetime64(line["time"][:-1], "us").astype(np.int64) == row["time"]
        for bit, (name, _) in enumerate(SCALARS):
            assert (line[name] is None) == bool(int(row["nulls"]) >> bit & 1)


@given(
    leaf=st.binary(min_size=198, max_size=198),
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=1000),
)
@EXAMPLES(max_examples=100)
def test_a_hostile_leaf_is_one_bounded_line_of_ascii(leaf: bytes, name: str) -> None:
    (line,) = observation_lines([Whole(name, 0, leaf, bytes(48))])
    assert line.isascii()
    assert line[:-1].isprintable()
    assert line.endswith("}\n")
    assert len(line) < 2_000 + 12 * len(name)
    assert json.loads(line, parse_constant=pytest.fail)["exchange_id"] == name


def test_the_small_verifier_prints_them_beside_its_report(
    made: World, bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = tmp_path / "trust.json"
    log = Log(made.root)
    trust.write_text(json.dumps({"origin": log.origin, "log": [str(key) for key in log.keys()]}))  # noqa: SIM118
    given_ = [str(bundles["counts"]), "--trust", str(trust)]
    assert main([*given_, "--show-openings"]) == 0
    told = capsys.readouterr()
    assert len([json.loads(line) for line in told.out.splitlines()]) == 4
    assert "The bundle holds." in told.err
    assert main(given_) == 0
    assert "4 exchanges were opened whole" in " ".join(capsys.readouterr().out.split())
    # Of a bundle that is refused nothing is printed.
    members = {name: bytes(body) for name, body in container.read(bundles["counts"]).items()}
    container.write(tmp_path / "bad.claim", {**members, "opened": members["opened"] + bytes(32)})
    assert main([str(tmp_path / "bad.claim"), "--show-openings"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "leaves-inclusion" in told.err
