"""Heads of the log that are another log's, too old, of another history, or not as many people's."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from forge import Done, Forge, canonical
from hostile_bundles import refused
from made_claims import WITNESS, observations

from stillhunt.evidence.canonical import encode_base64
from stillhunt.evidence.keys import Signer, new_signer
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.note import COSIGNATURE, Note, Signature, parse_note
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.verify import Trust

TIME = 1_770_000_000


def other_history(forge: Forge, origin: str | None = None, signer: Signer | None = None) -> Log:
    """A log of the same size with other entries; of the same key unless another is given."""
    root = Path(tempfile.mkdtemp(dir=forge.folder)) / "log"
    create_log(root, origin or forge.log.origin, signer or forge.signer)
    with writing_log(root) as writer:
        for seed in (8, 9):
            writer.append(observations(80, 8, seed))
            writer.publish()
    return Log(root)


def head(log: Log, size: int) -> bytes:
    return log.head(size).note.encode()


def cosigned(done: Done, *signers: Signer, stolen: Signer | None = None) -> Done:
    """A bundle whose commitment is cosigned; ``stolen``: whose name and key id the first one uses."""
    note = commitment_of(done)
    made = [signer.sign(note.text, TIME) for signer in signers]
    if stolen is not None:
        made[0] = Signature(stolen.key.name, stolen.key.key_id, made[0].value)
    return done.having(log__commit=note.having(made).encode())


def commitment_of(done: Done) -> Note:
    return parse_note(done.members["log/commit"])


@refused(5, Code.CHECKPOINT_ORIGIN)
def a_claim_about_another_log(forge: Forge) -> tuple[Done, Trust]:
    return forge.whole(), forge.trust(origin="expected.example/log")


@refused(5, Code.CHECKPOINT_ORIGIN)
def a_head_of_another_log(forge: Forge) -> Done:
    other = other_history(forge, "other.example/log", new_signer("other.example/log"))
    draft = forge.draft()
    return forge.finish(draft).having(log__after=head(other, draft.after))


@refused(5, Code.CHECKPOINT_SIGNATURE)
def a_head_signed_by_another_key(forge: Forge) -> Done:
    other = other_history(forge, signer=new_signer(forge.log.origin))
    draft = forge.draft()
    return forge.finish(draft).having(log__after=head(other, draft.after))


@refused(5, Code.CHECKPOINT_SIGNATURE)
def a_signature_of_another_head(forge: Forge) -> Done:
    draft = forge.draft()
    done = forge.finish(draft)
    text = head(forge.log, draft.after).partition(b"\n\n")[0]
    lines = head(forge.log, forge.between).partition(b"\n\n")[2]
    return done.having(log__after=text + b"\n\n" + lines)


@refused(5, Code.CHECKPOINT_MALFORMED)
def a_size_with_a_leading_zero(forge: Forge) -> Done:
    draft = forge.draft()
    checkpoint = forge.log.head(draft.after).checkpoint
    root = encode_base64(checkpoint.root)
    text = f"{checkpoint.origin}\n0{checkpoint.size}\n{root}\n"
    note = Note(text, (forge.signer.sign(text),))
    return forge.finish(draft).having(log__after=note.encode())


@refused(5, Code.CHECKPOINT_MALFORMED)
def a_head_with_carriage_returns(forge: Forge) -> Done:
    done = forge.whole()
    return done.having(log__after=done.members["log/after"].replace(b"\n", b"\r\n"))


@refused(5, Code.CHECKPOINT_CONSISTENCY)
def a_stale_head(forge: Forge) -> Done:
    return forge.whole().having(log__after=head(forge.log, forge.between))


@refused(5, Code.CHECKPOINT_CONSISTENCY)
def a_head_before_that_was_left_out(forge: Forge) -> Done:
    rows = forge.late_rows("counts")
    return forge.finish(forge.draft("counts", rows, late=True)).having(log__before=None)


@refused(5, Code.COSIGNATURE_FORGED)
def a_forged_cosignature(forge: Forge) -> tuple[Done, Trust]:
    thief = new_signer("thief.example/w", COSIGNATURE)
    done = cosigned(forge.whole(), thief, stolen=WITNESS)
    return done, forge.trust(witnesses=(WITNESS.key,), quorum=1)


@refused(5, Code.COSIGNATURE_FORGED)
def a_cosignature_of_another_head(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    text = forge.log.head(forge.between).note.text
    note = commitment_of(done).having([WITNESS.sign(text, TIME)])
    return done.having(log__commit=note.encode()), forge.trust(witnesses=(WITNESS.key,), quorum=1)


@refused(6, Code.CHECKPOINT_COSIGNATURES)
def no_cosignature_where_one_is_needed(forge: Forge) -> tuple[Done, Trust]:
    return forge.whole(), forge.trust(witnesses=(WITNESS.key,), quorum=1)


@refused(6, Code.CHECKPOINT_COSIGNATURES)
def one_witness_counted_twice(forge: Forge) -> tuple[Done, Trust]:
    second = new_signer(WITNESS.key.name, COSIGNATURE)
    other = new_signer("witness.example/other", COSIGNATURE)
    known = (WITNESS.key, second.key, other.key)
    done = cosigned(forge.whole(), WITNESS, second)
    return done, forge.trust(witnesses=known, quorum=2)


@refused(6, Code.CHECKPOINT_COSIGNATURES)
def the_head_before_cosigned_in_place_of_the_commitment(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    after = forge.log.head(forge.draft().after).note
    note = after.having([WITNESS.sign(after.text, TIME)])
    return done.having(log__after=note.encode()), forge.trust(witnesses=(WITNESS.key,), quorum=1)


@refused(7, Code.CHECKPOINT_CONSISTENCY)
def a_split_view(forge: Forge) -> Done:
    # Signed by the log's own key: the same size, another history.
    rows = forge.late_rows("counts")
    done = forge.finish(forge.draft("counts", rows, late=True))
    return done.having(log__before=head(other_history(forge), forge.between))


@refused(7, Code.CHECKPOINT_CONSISTENCY)
def a_proof_of_consistency_of_other_heads(forge: Forge) -> Done:
    first = forge.whole()
    return forge.whole().having(log__consistency=first.members["log/consistency"])


@refused(7, Code.CHECKPOINT_CONSISTENCY)
def a_proof_of_consistency_cut_off(forge: Forge) -> Done:
    done = forge.whole()
    proofs = json.loads(done.members["log/consistency"])
    proofs["after-commit"].pop()
    return done.having(log__consistency=canonical(proofs))


@refused(8, Code.COMMIT_INCLUSION)
def a_statement_that_was_never_logged(forge: Forge) -> Done:
    logged = forge.whole()
    draft = forge.draft()
    draft.predicate["campaign"] = "c-000000000000"
    quiet = forge.finish(draft)
    commitment = ("log/commit", "log/commit.proof", "log/consistency")
    return quiet.having(**{name.replace("/", "__"): logged.members[name] for name in commitment})


@refused(8, Code.COMMIT_INCLUSION)
def the_proof_of_another_leaf(forge: Forge) -> Done:
    done = forge.whole()
    proof = done.members["log/commit.proof"]
    position = int.from_bytes(proof[:8], "big") - 1
    return done.having(**{"log__commit.proof": position.to_bytes(8, "big") + proof[8:]})


@refused(8, Code.COMMIT_INCLUSION)
def a_proof_of_the_commitment_cut_off(forge: Forge) -> Done:
    done = forge.whole()
    return done.having(**{"log__commit.proof": done.members["log/commit.proof"][:-32]})


@refused(8, Code.COMMIT_INCLUSION)
def a_statement_among_the_leaves_that_it_claims(forge: Forge) -> Done:
    # What is sealed after a statement could be made to fit it.
    draft = forge.draft()
    draft.after = draft.predicate["log"]["size"] = forge.log.head().checkpoint.size + 1
    return forge.finish(draft)


@refused(8, Code.COMMIT_INCLUSION)
def a_head_of_before_the_commitment(forge: Forge) -> Done:
    draft = forge.draft()
    done = forge.finish(draft)
    position = int.from_bytes(done.members["log/commit.proof"][:8], "big")
    earlier = max(size for size in forge.log.sizes() if size <= position)
    about = forge.around(draft, earlier - 1, earlier)
    return done.having(**{name.replace("/", "__"): body for name, body in about.items()})
