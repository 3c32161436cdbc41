"""What a bundle may carry besides: time stamps and batch records; and keys that changed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import tsa
from made_claims import WITNESS, World, claim, cosigned, world
from typer.testing import CliRunner

pytest.importorskip("rfc3161_client", reason="needs the extra evidence")

from stillhunt.cli.app import app
from stillhunt.errors import InputError, MissingExtraError
from stillhunt.evidence import container
from stillhunt.evidence.canonical import decode, encode
from stillhunt.evidence.claim.respond import add_timestamps, refresh, respond
from stillhunt.evidence.claim.state import read_state
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.settings import Settings, WitnessAddress, write_settings
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.timestamps import StampRefusal
from stillhunt.evidence.verify import read_trust, verify

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = tsa.Authority(begins=NOW - timedelta(days=1), ends=NOW + timedelta(days=1))
ROOT = tsa.pem(AUTHORITY.root)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("world"))


def test_a_time_stamp_is_of_its_claim(made: World, tmp_path: Path) -> None:
    one, two = claim(made, tmp_path / "a.claim"), claim(made, tmp_path / "b.claim")
    reply = AUTHORITY.reply(one.statement.digest, time=NOW, nonce=1)
    add_timestamps(one.bundle, [reply, reply], one.bundle)
    report = verify(one.bundle, trust=made.trust(authorities=(ROOT,)))
    assert report.ok, report.checks
    assert [row["time"] for row in report.figures["timestamps"]] == [NOW.isoformat()]
    # Who trusts no authority learns nothing from it, and is told so.
    report = verify(one.bundle, trust=made.trust())
    assert report.ok
    assert any("time stamps are genuine" in said for said in report.not_shown)
    add_timestamps(two.bundle, [reply], two.bundle)
    report = verify(two.bundle, trust=made.trust(authorities=(ROOT,)))
    assert report.code is Code.TIMESTAMP_OTHER_DIGEST


def test_without_the_package_a_time_stamp_is_not_shown(
    made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = claim(made, tmp_path / "a.claim")
    add_timestamps(
        done.bundle, [AUTHORITY.reply(done.statement.digest, time=NOW, nonce=1)], done.bundle
    )

    def missing(*_: object, **__: object) -> None:
        raise MissingExtraError("Not installed.", "Install it.")

    monkeypatch.setattr("stillhunt.evidence.verify.extra_checks.check_stamp", missing)
    report = verify(done.bundle, trust=made.trust(authorities=(ROOT,)))
    assert report.ok
    assert any("time stamps are genuine" in said for said in report.not_shown)


def test_the_command_adds_a_reply_that_came_by_hand(made: World, tmp_path: Path) -> None:
    done = claim(made, tmp_path / "a.claim")
    (tmp_path / "tsa.pem").write_bytes(ROOT)
    (tmp_path / "reply.tsr").write_bytes(AUTHORITY.reply(done.statement.digest, time=NOW, nonce=1))
    words = ["timestamp", str(done.bundle), "--reply", str(tmp_path / "reply.tsr")]
    words += ["--root", str(tmp_path / "tsa.pem")]
    told = CliRunner().invoke(app, words, catch_exceptions=False)
    assert told.exit_code == 0
    assert f"Stamped at {NOW:%Y-%m-%d %H:%M:%S}" in told.stdout
    keys = [str(key) for key in made.trust().log]
    trust = {"log": keys, "authorities": ["tsa.pem"]}
    (tmp_path / "trust.json").write_text(json.dumps(trust))
    report = verify(done.bundle, trust=read_trust(tmp_path / "trust.json"))
    assert report.ok
    assert len(report.figures["timestamps"]) == 1


def packed(path: Path, out: Path, **changes: bytes) -> Path:
    members = dict(container.read(path))
    container.write(out, {**members, **changes})
    return out


def test_batch_records_that_are_not_the_logs_are_refused(
    made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stillhunt.evidence.claim import make

    honest = make.batches_member

    def forged(change: Any) -> None:
        def member(*arguments: Any) -> bytes:
            value = decode(honest(*arguments))
            change(value)
            return encode(value)

        monkeypatch.setattr(make, "batches_member", member)

    def later(value: dict[str, Any]) -> None:
        value["records"][0]["period"][0] += 1

    def fewer(value: dict[str, Any]) -> None:
        value["records"].pop()

    for i, change in enumerate(
        (later, fewer, lambda v: v.update(proof=""), lambda v: v.pop("proof"))
    ):
        forged(change)
        done = claim(made, tmp_path / f"{i}.claim", "pseudonymous")
        assert verify(done.bundle, trust=made.trust()).code is Code.BATCH_RECORDS


def test_a_later_head_serves_where_the_first_has_no_witness(tmp_path: Path) -> None:
    made = world(tmp_path)
    log = Log(made.root)
    write_settings(log.layout, Settings((WitnessAddress(WITNESS.key),), 1))
    done = claim(made, tmp_path / "a.claim")
    trust = made.trust(quorum=1)
    refresh(Log(made.root), done.bundle, done.bundle)
    assert verify(done.bundle, trust=trust).code is Code.CHECKPOINT_COSIGNATURES
    with writing_log(made.root) as writer:
        writer.append(made.rows[:1], source={})
        text = writer.publish().note.text
        writer.add_cosignatures([WITNESS.sign(text, 1_770_000_000)])
    refresh(Log(made.root), done.bundle, done.bundle)
    report = verify(done.bundle, trust=trust)
    assert report.ok, report.checks
    seed = cosigned(made)
    out = respond(Log(made.root), done.bundle, read_state(done.private), seed, done.bundle)
    assert verify(out.bundle, trust=trust).ok


def test_a_claim_across_a_change_of_keys(tmp_path: Path) -> None:
    made = world(tmp_path)
    with writing_log(made.root) as writer:
        writer.rotate()
    done = claim(made, tmp_path / "a.claim")
    trust = made.trust()
    assert len(trust.log) == 2
    assert verify(done.bundle, trust=trust).ok
    # Who knows the old key alone is not talked into the new one.
    old = replace(trust, log=trust.log[:1])
    assert verify(done.bundle, trust=old).code is Code.SIGNER_UNKNOWN


def test_keys_that_nobody_named_are_said_to_be_the_bundles_own(made: World, tmp_path: Path) -> None:
    done = claim(made, tmp_path / "a.claim")
    report = verify(done.bundle, trust=replace(made.trust(), log=()))
    assert report.ok
    assert report.figures["log"]["key_source"] == "first seen"
    assert any("Whose keys these are" in said for said in report.not_shown)
    assert str(Log(made.root).keys()[0]) in " ".join(report.not_shown)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"logs": []}', '{"log": "x"}', '{"log": [1]}', '{"quorum": 1}', '{"most_error": 2}',
     '{"authorities": ["missing.pem"]}', "[" * 5000, '{"origin": "a", "quorum": true}'],
)  # fmt: skip
def test_trust_files_that_mean_nothing_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "trust.json").write_text(text)
    with pytest.raises(InputError):
        read_trust(tmp_path / "trust.json")


def test_every_reason_to_refuse_a_stamp_is_a_code() -> None:
    assert {str(reason) for reason in StampRefusal} <= {str(code) for code in Code}
