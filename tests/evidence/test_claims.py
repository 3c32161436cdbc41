"""Claims of every depth, made from a log on disk and verified."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_claims import World, claim, cosigned, world

from stillhunt.evidence.claim.respond import respond
from stillhunt.evidence.claim.state import read_state
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.seed import auditors_seed, own_seed
from stillhunt.evidence.verify import verify


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("world"))


@pytest.mark.parametrize("depth", ["counts", "pseudonymous", "full"])
def test_a_claim_verifies_with_the_numbers_of_the_log(
    made: World, tmp_path: Path, depth: str
) -> None:
    done = claim(made, tmp_path / "a.claim", depth)
    report = verify(done.bundle, trust=made.trust())
    assert report.ok, report.checks
    rows = made.claimed
    assert report.figures["claimed"] == {
        "accounts": len(made.named),
        "exchanges": len(rows),
        "exchanges_low": 0,
        "exchanges_high": 10**6,
        "input_tokens": int(rows["input_tokens"].sum()),
        "output_tokens": int(rows["output_tokens"].sum()),
    }


@pytest.mark.parametrize("depth", ["counts", "pseudonymous"])
@pytest.mark.parametrize("kind", ["auditor", "witness", "own"])
def test_an_audit_is_answered(made: World, tmp_path: Path, depth: str, kind: str) -> None:
    done = claim(made, tmp_path / "a.claim", depth)
    seed = {
        "auditor": lambda: auditors_seed("5a" * 32),
        "witness": lambda: cosigned(made),
        "own": own_seed,
    }[kind]()
    answered = respond(
        Log(made.root), done.bundle, read_state(done.private), seed, tmp_path / "b.claim"
    )
    assert answered.missing == 0
    given = "5a" * 32 if kind == "auditor" else None
    report = verify(answered.bundle, trust=made.trust(seed=given))
    assert report.ok, report.checks
    assert report.figures["seed"] == kind
    assert report.figures["audit"]["positions"]["sampled"] > 0
