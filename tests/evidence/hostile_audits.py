"""Seeds that the claimant could choose, and answers that are not those to what was drawn."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from forge import SECRET, Done, Draft, Forge, Lying, canonical, groups, regrouped
from hostile_bundles import refused
from hostile_leaves import leaves_of
from hostile_logs import TIME, other_history
from made_claims import WITNESS

from stillhunt.evidence.audit import Plan
from stillhunt.evidence.claim.answer import MAGIC
from stillhunt.evidence.claim.leaves import NOTHING
from stillhunt.evidence.claim.rows import ClaimRows, ClaimTrees
from stillhunt.evidence.entries import as_rows
from stillhunt.evidence.keys import Signer, new_signer
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.merkle import consistency_proof
from stillhunt.evidence.note import COSIGNATURE, Signature
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.seed import Seed, auditors_seed, witnessed_seed
from stillhunt.evidence.verify import Trust

VALUE = "5a" * 32
SEED = auditors_seed(VALUE)


def audited(forge: Forge, rows: ClaimRows | None = None, depth: str = "counts") -> Done:
    """A claim, honest but for its rows, and honest answers for it."""
    return forge.answered(forge.whole(depth, rows), SEED)


def loose(forge: Forge, rows: ClaimRows | None = None) -> Draft:
    """A claim at rates at which a small one is sampled, and not opened whole."""
    draft = forge.draft("counts", rows)
    draft.predicate["audit"] = {"error": 0.2, "token_error": 0.4, "confidence": 0.9}
    return draft


def lenient(forge: Forge) -> Trust:
    """Whom ``loose`` rates are good enough for."""
    return forge.trust(most_error=0.5, least_confidence=0.5)


def witnessed(log: Log, size: int, since: int, witness: Signer = WITNESS) -> Seed:
    """A cosignature of the log's head of one size, shown to continue another."""
    note = log.head(size).note
    made = witness.sign(note.text, TIME)
    stolen = Signature(WITNESS.key.name, WITNESS.key.key_id, made.value)
    proof = tuple(consistency_proof(log.tree(size), since, size)) if since <= size else ()
    return witnessed_seed(note.having([stolen]), WITNESS.key, proof)


def with_witness(forge: Forge) -> Trust:
    return forge.trust(witnesses=(WITNESS.key,), quorum=0)


@refused(10, Code.SEED_MALFORMED)
def a_seed_of_no_known_form(forge: Forge) -> Done:
    return audited(forge).having(seed=canonical({"kind": "trust me"}))


@refused(10, Code.SEED_MALFORMED)
def a_seed_in_capital_letters(forge: Forge) -> Done:
    return audited(forge).having(seed=canonical({"kind": "auditor", "value": VALUE.upper()}))


@refused(10, Code.SEED_MALFORMED)
def a_seed_without_its_cosignature(forge: Forge) -> Done:
    done = forge.whole()
    size = forge.log.head().checkpoint.size
    body = json.loads(witnessed(forge.log, size, size).encode())
    body["checkpoint"] = forge.log.head().note.encode().decode().split("\n")
    return forge.answered(done, SEED).having(seed=canonical(body))


@refused(10, Code.JSON_NOT_CANONICAL)
def a_seed_with_spaces(forge: Forge) -> Done:
    return audited(forge).having(seed=json.dumps({"kind": "auditor", "value": VALUE}).encode())


@refused(10, Code.SEED_MALFORMED)
def answers_without_a_seed(forge: Forge) -> Done:
    return audited(forge).having(seed=None)


@refused(10, Code.SEED_NOT_EXPECTED)
def another_seed_than_the_auditors(forge: Forge) -> tuple[Done, Trust]:
    return audited(forge), forge.trust(seed="a5" * 32)


@refused(10, Code.SEED_BEFORE_COMMITMENT)
def a_seed_from_before_the_commitment(forge: Forge) -> tuple[Done, Trust]:
    draft = forge.draft()
    seed = witnessed(forge.log, draft.after, draft.after)
    return forge.answered(forge.finish(draft), seed), with_witness(forge)


@refused(10, Code.SEED_BEFORE_COMMITMENT)
def a_seed_from_another_history(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    other = other_history(forge)
    size = other.head().checkpoint.size
    return forge.answered(done, witnessed(other, size, size)), with_witness(forge)


@refused(10, Code.COSIGNATURE_FORGED)
def a_seed_from_a_forged_cosignature(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    size = forge.log.head().checkpoint.size
    thief = new_signer(WITNESS.key.name, COSIGNATURE)
    return forge.answered(done, witnessed(forge.log, size, size, thief)), with_witness(forge)


@refused(10, Code.CHECKPOINT_ORIGIN)
def a_seed_from_another_log(forge: Forge) -> tuple[Done, Trust]:
    done = forge.whole()
    other = other_history(forge, "other.example/log", new_signer("other.example/log"))
    size = other.head().checkpoint.size
    return forge.answered(done, witnessed(other, size, size)), with_witness(forge)


@refused(11, Code.AUDIT_MISSING)
def a_seed_without_answers(forge: Forge) -> Done:
    return audited(forge).having(audit=None)


@refused(11, Code.AUDIT_MALFORMED)
def an_audit_of_what_is_open_already(forge: Forge) -> Done:
    done = forge.whole("full")
    return done.having(seed=SEED.encode(), audit=MAGIC)


@refused(11, Code.AUDIT_MALFORMED)
def answers_of_another_kind(forge: Forge) -> Done:
    done = audited(forge)
    return done.having(audit=b"stillhunt audit 2\n" + done.members["audit"][len(MAGIC) :])


@refused(11, Code.AUDIT_MALFORMED)
def answers_cut_off(forge: Forge) -> Done:
    done = audited(forge)
    return done.having(audit=done.members["audit"][:200])


@refused(11, Code.AUDIT_MALFORMED)
def a_number_written_longer_than_it_is(forge: Forge) -> Done:
    done = audited(forge)
    body = done.members["audit"]
    at = len(MAGIC)
    longer = bytes([body[at] | 0x80, 0])
    return done.having(audit=body[:at] + longer + body[at + 1 :])


@refused(11, Code.AUDIT_SELECTION)
def answers_for_other_exchanges(forge: Forge) -> tuple[Done, Trust]:
    def other(drawn: Plan) -> Plan:
        every = set(range(len(done.rows.key)))
        chosen = tuple(sorted(every - set(drawn.exchanges)))
        return Plan(drawn.accounts, chosen, (), ())

    done = forge.finish(loose(forge))
    return forge.answered(done, SEED, asked=other), lenient(forge)


@refused(11, Code.AUDIT_SELECTION)
def an_account_left_out(forge: Forge) -> Done:
    def fewer(drawn: Plan) -> Plan:
        first = groups(done.rows)[0]
        return Plan((), tuple(i for i in drawn.exchanges if i not in first), (), ())

    done = forge.whole()
    return forge.answered(done, SEED, asked=fewer)


@refused(11, Code.AUDIT_SELECTION)
def answers_to_another_seed(forge: Forge) -> tuple[Done, Trust]:
    done = forge.finish(loose(forge))
    drawn = forge.drawn(done, SEED).exchanges
    others = (auditors_seed(f"{i:064x}") for i in itertools.count())
    other = next(one for one in others if not set(drawn) <= set(forge.drawn(done, one).exchanges))

    def theirs(_: Plan) -> Plan:
        return Plan((), forge.drawn(done, other).exchanges, (), ())

    return forge.answered(done, SEED, asked=theirs), lenient(forge)


@refused(11, Code.AUDIT_TOO_WEAK)
def rates_at_which_nothing_would_be_noticed(forge: Forge) -> Done:
    return forge.answered(forge.finish(loose(forge)), SEED)


@refused(11, Code.AUDIT_TREE)
def answers_for_another_claim(forge: Forge) -> Done:
    # Of the same exchanges, under other pseudonyms.
    done = forge.whole()
    return forge.answered(done, SEED, trees=ClaimTrees(done.rows, bytes(32)))


@refused(11, Code.AUDIT_TREE)
def more_exchanges_than_the_tree_has(forge: Forge) -> Done:
    draft = forge.draft()
    draft.predicate["counts"]["exchanges"] += 7
    return forge.answered(forge.finish(draft), SEED, asked=there_is(draft))


@refused(11, Code.AUDIT_TREE)
def more_tokens_than_the_tree_has(forge: Forge) -> Done:
    draft = forge.draft()
    draft.predicate["counts"]["input_tokens"] += 1_000_000
    return forge.answered(forge.finish(draft), SEED, asked=there_is(draft))


@refused(11, Code.AUDIT_MALFORMED)
def more_accounts_than_the_tree_has(forge: Forge) -> Done:
    draft = forge.draft()
    draft.predicate["counts"]["accounts"] += 2
    return forge.answered(forge.finish(draft), SEED, asked=there_is(draft))


def there_is(draft: Draft) -> Callable[[Plan], Plan]:
    """Of what was drawn, what the tree has."""
    rows = draft.trees.rows
    most = (len(rows.account), *rows.weights)

    def kept(drawn: Plan) -> Plan:
        parts = (drawn.accounts, drawn.exchanges, drawn.inputs, drawn.outputs)
        pairs = zip(parts, most, strict=True)
        return Plan(*(tuple(i for i in part if i < end) for part, end in pairs))

    return kept


@refused(11, Code.AUDIT_TREE)
def an_account_opened_with_a_wrong_salt(forge: Forge) -> Done:
    done = audited(forge)
    trees = ClaimTrees(done.rows, b"")
    body = bytearray(done.members["audit"])
    body[bytes(body).index(trees.value(0)) + 8] ^= 1
    return done.having(audit=bytes(body))


@refused(11, Code.AUDIT_TREE)
def a_separator_that_is_not_the_committed_one(forge: Forge) -> Done:
    # It stands between neighbours: moved, something could be hidden beside it.
    done = audited(forge)
    body = bytearray(done.members["audit"])
    separator = int(ClaimTrees(done.rows, SECRET).top.separators[0]).to_bytes(8, "big")
    at = bytes(body).index(separator)
    body[at + 7] ^= 1
    return done.having(audit=bytes(body))


@refused(11, Code.LEAVES_TOKENS)
def tokens_overstated(forge: Forge) -> Done:
    _, rows = forge.honest("counts")
    return audited(forge, replace(rows, outputs=rows.outputs * np.uint64(10)))


@refused(11, Code.LEAVES_WRONG_ACCOUNT)
def somebody_elses_exchange(forge: Forge) -> Done:
    _, rows = forge.honest("counts")
    parts = groups(rows)
    parts[1].append(parts[0].pop())
    return audited(forge, regrouped(rows, parts))


@refused(11, Code.LEAVES_ORDER)
def one_leaf_claimed_for_two_exchanges(forge: Forge) -> Done:
    # Honest positions but for one; what is opened there is of the other exchange.
    _, rows = forge.honest("counts")
    position = rows.position.copy()
    position[1] = position[0]
    return audited(forge, replace(rows, position=position))


@refused(11, Code.LEAVES_ORDER)
def one_exchange_claimed_twice(forge: Forge) -> Done:
    _, rows = forge.honest("counts")
    parts = groups(rows)
    parts[0].append(parts[0][0])
    return audited(forge, regrouped(rows, parts))


@refused(11, Code.LEAVES_ORDER)
def one_account_claimed_as_two(forge: Forge) -> Done:
    _, rows = forge.honest("counts")
    first, *others = groups(rows)
    halves = [first[: len(first) // 2], first[len(first) // 2 :]]
    return audited(forge, regrouped(rows, [*halves, *others], [0, 0, 1, 2]))


@refused(11, Code.LEAVES_ORDER)
def accounts_out_of_order(forge: Forge) -> Done:
    return forge.answered(forge.finish(forge.draft(made=Turned)), SEED)


class Turned(ClaimTrees):
    """Accounts from the last to the first, under separators from the first to the last."""

    def value(self, account: int) -> bytes:
        """Of the account at the other end."""
        return super().value(len(self.rows.account) - 1 - account)


@refused(11, Code.AUDIT_MALFORMED)
def separators_out_of_order(forge: Forge) -> Done:
    _, rows = forge.honest("counts")
    parts = groups(rows)
    return audited(forge, regrouped(rows, [parts[1], parts[0], *parts[2:]], [1, 0, 2]))


@refused(11, Code.LEAVES_OUTSIDE_PERIOD)
def exchanges_outside_the_period(forge: Forge) -> Done:
    draft = forge.draft()
    draft.predicate["period"]["last"] -= 1
    return forge.answered(forge.finish(draft), SEED)


@refused(11, Code.LEAVES_OUTSIDE_LOG)
def exchanges_of_before_the_head_before(forge: Forge) -> Done:
    return forge.answered(forge.finish(forge.draft(late=True)), SEED)


@refused(11, Code.LEAVES_INCLUSION)
def exchanges_that_were_made_up(forge: Forge) -> Done:
    draft = forge.draft()
    done = forge.finish(draft)
    position = int(done.rows.position[2])
    row = as_rows(forge.world.rows)[index_of(forge, position)].copy()
    row[140] ^= 1
    return forge.answered(done, SEED, leaves=Lying(forge.log, {position: row.tobytes()}))


def index_of(forge: Forge, position: int) -> int:
    """Row of the world that a position is of: each batch ends with a leaf of its own."""
    return position if position < forge.between else position - 1


@refused(11, Code.LEAVES_INCLUSION)
def a_proof_of_other_answers(forge: Forge) -> Done:
    done = audited(forge)
    body = done.members["audit"]
    return done.having(audit=body[:-64] + body[-32:] + body[-64:-32])


@refused(11, Code.LEAVES_INCLUSION)
def answers_with_a_hash_more(forge: Forge) -> Done:
    done = audited(forge)
    return done.having(audit=done.members["audit"] + bytes(32))


@refused(11, Code.AUDIT_UNANSWERED)
def answers_that_were_deleted(forge: Forge) -> Done:
    return forge.answered(forge.whole(), SEED, leaves=Deleted())


class Deleted:
    """Opens nothing. Reads as an ``answer.LeafSource``."""

    def open_leaves(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As of ``LeafSource``."""
        n = len(positions)
        return (
            np.zeros(n, dtype=bool),
            np.zeros((n, 198), dtype=np.uint8),
            np.zeros((n, 48), dtype=np.uint8),
        )


@refused(11, Code.PSEUDONYM_BINDING)
def pseudonyms_of_one_another(forge: Forge) -> Done:
    # Addresses of two exchanges changed about, so that others seem to share one.
    draft = forge.draft("pseudonymous")
    leaves = leaves_of(draft)
    column = 1
    told = np.flatnonzero(leaves["refers"][:, column] != NOTHING)
    first = told[0]
    second = next(i for i in told if leaves["refers"][i, column] != leaves["refers"][first, column])
    leaves["refers"][[first, second], column] = leaves["refers"][[second, first], column]
    draft.members["leaves"] = leaves.tobytes()
    return forge.answered(forge.finish(draft), SEED)


@refused(11, Code.LEAVES_ORDER)
def one_account_under_two_pseudonyms(forge: Forge) -> Done:
    _, rows = forge.honest("pseudonymous")
    first, *others = groups(rows)
    halves = [first[: len(first) // 2], first[len(first) // 2 :]]
    split = regrouped(rows, [*halves, *others], [0, 0, 1, 2])
    return forge.answered(forge.finish(forge.draft("pseudonymous", split, made=Renamed)), SEED)


class Renamed(ClaimTrees):
    """The first account has a salt of its own, and so another pseudonym than the second."""

    def opening(self, account: int) -> bytes:
        """Zeroes for the first one."""
        return bytes(16) if account == 0 else super().opening(account)
