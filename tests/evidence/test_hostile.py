"""Every hostile bundle is refused, by the check and for the reason that it deserves."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from forge import Forge
from hostile_bundles import Case, all_cases
from hostile_containers import ordered, zipped
from write_hostile import write_all

from stillhunt.evidence.refusal import Code
from stillhunt.evidence.report import FAILED
from stillhunt.evidence.seed import auditors_seed, own_seed
from stillhunt.evidence.verify import read_trust, verify


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return Forge(tmp_path_factory.mktemp("forge"))


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_it_is_refused_for_its_own_reason(case: Case, forge: Forge, tmp_path: Path) -> None:
    path = tmp_path / "hostile.claim"
    trust = case.write(forge, path)
    report = verify(path, trust=trust)
    failed = [check for check in report.checks if check.result == FAILED]
    assert [(check.number, check.code) for check in failed] == [(case.check, case.code)]
    assert not report.ok
    assert report.code is case.code
    # Nothing is said to be shown by what is refused.
    assert report.shown == []


@pytest.mark.parametrize("depth", ["counts", "pseudonymous", "full"])
def test_what_the_forge_makes_honestly_is_accepted(
    forge: Forge, tmp_path: Path, depth: str
) -> None:
    done = forge.whole(depth)
    for seed in (None, own_seed(), auditors_seed("5a" * 32)):
        if seed is not None and depth == "full":
            continue
        answered = done if seed is None else forge.answered(done, seed)
        report = verify(answered.write(tmp_path / "a.claim"), trust=forge.trust())
        assert report.ok, report.checks


def test_an_unbroken_file_of_the_forge_is_a_bundle(forge: Forge, tmp_path: Path) -> None:
    done = forge.whole()
    assert zipped(ordered(done)) == done.write(tmp_path / "a.claim").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.claim") as file:
        assert {name: file.read(name) for name in file.namelist()} == done.members


def test_every_code_has_a_bundle_that_deserves_it() -> None:
    cases = all_cases()
    assert len({case.name for case in cases}) == len(cases) >= 40
    # Nonces are the asker's affair; the plain one is for a trust file that names no certificate.
    never = {Code.TIMESTAMP, Code.TIMESTAMP_OTHER_NONCE}
    # Totals and links need a world of their own: test_totals.py, campaigns/test_campaigns_reproduce.py.
    elsewhere = {
        Code.TOTALS_INCLUSION, Code.TOTALS_ACCOUNT, Code.TOTALS_BINDING, Code.TOTALS_UNANSWERED,
        Code.NOT_REPRODUCED,
    }  # fmt: skip
    assert set(Code) - {case.code for case in cases} == never | elsewhere


def test_they_can_be_written_for_other_verifiers(tmp_path: Path) -> None:
    listed = write_all(tmp_path)
    assert len(listed) == len(all_cases())
    for row in listed:
        trust = tmp_path / "trust.json"
        trust.write_text(json.dumps(row["trust"]))
        report = verify(tmp_path / row["file"], trust=read_trust(trust, row["seed"]))
        assert not report.ok
        assert str(report.code) == row["code"]
