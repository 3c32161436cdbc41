"""What a verifier, and a witness, must not be talked into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_claims import World, claim, world
from test_evidence_witness import LOG, NOW, WITNESS, Memory, ask

from stillhunt.evidence.canonical import decode
from stillhunt.evidence.checkpoint import Checkpoint, open_checkpoint
from stillhunt.evidence.claim.respond import respond
from stillhunt.evidence.claim.state import read_state
from stillhunt.evidence.entries import split_leaves
from stillhunt.evidence.failures import SignatureError
from stillhunt.evidence.keys import new_signer
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.note import Note
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.sample_size import bad_upper_bound
from stillhunt.evidence.seed import own_seed
from stillhunt.evidence.verify import verify
from stillhunt.evidence.verify.leaf import columns_of, null_bit
from stillhunt.evidence.witness import REPEATED, Witness


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("bounds"), rows=3000, accounts=40, named=20)


def test_bounds_of_an_own_seed_hold_for_whoever_tried_many(made: World, tmp_path: Path) -> None:
    done = claim(made, tmp_path / "a.claim")
    respond(Log(made.root), done.bundle, read_state(done.private), own_seed(), done.bundle)
    report = verify(done.bundle, trust=made.trust())
    assert report.ok
    drawn = report.figures["audit"]["positions"]
    sample = drawn["population"], drawn["sampled"], drawn["bad"]
    rates = done.statement.rates
    assert drawn["bad_at_most"] == bad_upper_bound(*sample, 1 - rates.miss(own_seed().tries))
    assert drawn["bad_at_most"] >= bad_upper_bound(*sample, 1 - rates.miss(0))


def test_an_audit_that_was_asked_for_cannot_be_left_out(made: World, tmp_path: Path) -> None:
    for depth in ("counts", "pseudonymous"):
        done = claim(made, tmp_path / f"{depth}.claim", depth)
        assert verify(done.bundle, trust=made.trust()).ok
        report = verify(done.bundle, trust=made.trust(seed="5d" * 32))
        assert report.code is Code.SEED_NOT_EXPECTED


def test_one_log_s_key_does_not_sign_for_another() -> None:
    mine, other = new_signer("a.example/log"), new_signer("b.example/log")
    text = Checkpoint("b.example/log", 3, bytes(32)).text
    note = Note(text, ()).having([mine.sign(text)])
    with pytest.raises(SignatureError):
        open_checkpoint(note, [mine.key, other.key])
    assert open_checkpoint(note.having([other.sign(text)]), [mine.key, other.key]).signed


def test_a_head_asked_for_again_has_the_cosignature_that_it_had() -> None:
    now = [NOW]
    witness = Witness(WITNESS, [LOG.key], Memory(), lambda: now[0])
    first = ask(witness, 4, 0)
    assert first.status == 200
    for later in (1, 60, REPEATED - 1):
        now[0] = NOW + later
        assert ask(witness, 4, 4).body == first.body
    now[0] = NOW + REPEATED
    assert ask(witness, 4, 4).body != first.body


def test_leaves_without_an_account_are_none(made: World) -> None:
    rows = made.rows[:5].copy()
    what = split_leaves(rows.view(np.uint8).reshape(5, -1))[2]
    assert len(columns_of(what)["key"]) == 5
    rows["nulls"][3] |= 1 << null_bit("account")
    with pytest.raises(Refused):
        columns_of(split_leaves(rows.view(np.uint8).reshape(5, -1))[2])


def test_a_text_that_never_ends_is_refused_at_once() -> None:
    """Escapes without an end: a search that began again at each would not come back."""
    for text in (b'"' + b'\\"' * (1 << 20), b'["' + b"\\" * (1 << 20)):
        with pytest.raises(Refused):
            decode(text)
