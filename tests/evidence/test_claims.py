"""Claims of every depth, made from a log on disk and verified."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_claims import World, claim, cosigned, world

from stillhunt.evidence.claim.gather import gather
from stillhunt.evidence.claim.respond import respond
from stillhunt.evidence.claim.rows import ClaimTrees
from stillhunt.evidence.claim.state import read_state
from stillhunt.evidence.entries import as_rows
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


@given(
    rows=st.integers(1, 40),
    accounts=st.integers(1, 6),
    named=st.integers(1, 6),
    seed=st.integers(0, 2**31),
    kind=st.sampled_from(["auditor", "own"]),
)
@settings(max_examples=12, deadline=None)
def test_whatever_is_in_the_log_is_counted_as_it_is(
    rows: int, accounts: int, named: int, seed: int, kind: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = world(folder, max(rows, accounts), accounts, named, seed)
        claimed = made.claimed
        for depth in ("counts", "pseudonymous", "full"):
            done = claim(made, folder / f"{depth}.claim", depth)
            if depth != "full":
                drawn = own_seed() if kind == "own" else auditors_seed("0f" * 32)
                respond(Log(made.root), done.bundle, read_state(done.private), drawn, done.bundle)
            report = verify(done.bundle, trust=made.trust())
            assert report.ok, report.checks
            counts = report.figures["claimed"]
            assert counts["exchanges"] == len(claimed)
            assert counts["accounts"] == len(np.unique(claimed["account"]))
            assert counts["input_tokens"] == claimed["input_tokens"].sum()
            assert counts["output_tokens"] == claimed["output_tokens"].sum()
            first, last = report.figures["period"]
            assert (first, last) == (claimed["time"].min(), claimed["time"].max())
            if depth == "counts":
                # So few are all opened, and so nothing may be wrong.
                assert report.figures["audit"]["positions"]["good_at_least"] == len(claimed)


def test_names_and_order_of_what_is_claimed_change_nothing(made: World, tmp_path: Path) -> None:
    """Exchanges come in any order, with duplicates: the tree and the counts are the same."""
    digests = np.ascontiguousarray(as_rows(made.claimed)[:, 6:22])
    rng = np.random.default_rng(2)
    mixed = digests[np.append(rng.permutation(len(digests)), [0, 0, 1])]
    one = gather(Log(made.root), digests, made.named)
    two = gather(Log(made.root), mixed, made.named[::-1])
    assert two.repeated == 3
    key = b"k" * 32
    assert ClaimTrees(one.rows, key).top.root == ClaimTrees(two.rows, key).top.root
    assert one.rows.weights == two.rows.weights
