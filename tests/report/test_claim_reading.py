"""From a bundle on disk to its pages, by the command that a user types."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the evidence extra")
pytest.importorskip("typst", reason="needs the report extra")
sys.path.append(str(Path(__file__).parents[1] / "evidence"))

from forge import Done, Forge
from hostile_bundles import all_cases
from made_claims import WITNESS
from typer.testing import CliRunner

from stillhunt.cli.app import app
from stillhunt.errors import InputError
from stillhunt.evidence.note import parse_note
from stillhunt.evidence.seed import auditors_seed
from stillhunt.evidence.verify import Trust
from stillhunt.report.claim_page import render_html
from stillhunt.report.claim_reading import read_claim

SEED = "5a" * 32


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return Forge(tmp_path_factory.mktemp("forge"))


def cosigned(done: Done) -> Done:
    note = parse_note(done.members["log/commit"])
    return done.having(log__commit=note.having([WITNESS.sign(note.text, 1_770_000_000)]).encode())


def test_an_audited_and_cosigned_claim(forge: Forge, tmp_path: Path) -> None:
    done = cosigned(forge.answered(forge.whole(), auditors_seed(SEED)))
    path = done.write(tmp_path / "c.claim")
    trust = forge.trust(witnesses=(WITNESS.key,), quorum=1, seed=SEED)
    facts = read_claim(path, trust)
    counts = done.statement.predicate["counts"]
    assert facts.accepted
    assert (facts.accounts, facts.exchanges) == (counts["accounts"], counts["exchanges"])
    assert facts.witnesses == (WITNESS.key.name,)
    assert facts.pinned
    assert facts.seed == "the value that the verifier gave"
    assert [audit.of[0] for audit in facts.audits] == ["exchange", "account"]
    # All were drawn, there being so few.
    assert [audit.good_at_least for audit in facts.audits] == [facts.exchanges, facts.accounts]
    assert facts.opened == 0
    assert not set(facts.not_seen) & set(facts.not_shown)


def test_without_trust_and_audit_little_is_shown(forge: Forge, tmp_path: Path) -> None:
    facts = read_claim(forge.whole().write(tmp_path / "c.claim"), Trust())
    assert facts.accepted
    assert not facts.pinned
    assert (facts.audits, facts.witnesses, facts.seed, facts.opened) == ((), (), "", 0)


def test_a_full_claim_was_counted(forge: Forge, tmp_path: Path) -> None:
    facts = read_claim(forge.whole("full").write(tmp_path / "c.claim"), forge.trust())
    assert facts.opened == facts.exchanges > 0


def test_no_hostile_bundle_is_shown_as_holding(forge: Forge, tmp_path: Path) -> None:
    pages = 0
    for case in all_cases():
        path = tmp_path / "hostile.claim"
        trust = case.write(forge, path)
        if case.check <= 2:
            # There is no statement to show: nothing but the reason is said.
            with pytest.raises(InputError, match=case.code):
                read_claim(path, trust)
            continue
        facts = read_claim(path, trust)
        assert not facts.accepted
        assert (facts.audits, facts.opened) == ((), 0)
        page = render_html(facts)
        assert "Refused: 1 of " in page
        assert "How sure" not in page
        pages += 1
    assert pages > 80


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["claim-page", *words])
    return done.exit_code, done.output


def test_the_command(forge: Forge, tmp_path: Path) -> None:
    path = forge.whole().write(tmp_path / "c.claim")
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps({"log": [str(key) for key in forge.trust().log]}))
    code, told = run(str(path), "--trust", str(trust), "--out", str(tmp_path / "pages"))
    assert (code, len(told.split())) == (0, 2)
    page = (tmp_path / "pages" / "claim.html").read_text("utf-8")
    assert "Checked: all" in page
    assert (tmp_path / "pages" / "claim.pdf").read_bytes().startswith(b"%PDF-")


def test_the_command_says_what_is_refused(forge: Forge, tmp_path: Path) -> None:
    path = forge.whole().write(tmp_path / "c.claim")
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps({"log": [], "origin": "expected.example/log"}))
    code, told = run(str(path), "--trust", str(trust))
    assert code == 1
    assert "about another log" in told
    assert "Refused: 1 of " in (tmp_path / "claim.html").read_text("utf-8")


def test_what_is_no_bundle_has_no_page(tmp_path: Path) -> None:
    (tmp_path / "c.claim").write_bytes(b"Trust us.")
    result = CliRunner().invoke(app, ["claim-page", str(tmp_path / "c.claim")])
    assert result.exit_code != 0
    assert "container-not-zip" in str(result.exception)
