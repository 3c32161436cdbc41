"""Leaves shown that are not in the log, stand twice, or are not what is claimed of them."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkdtemp
from unittest.mock import patch

import numpy as np
from forge import Done, Draft, Forge, groups, regrouped
from hostile_bundles import refused
from made_claims import World, observations

from stillhunt.evidence.claim.leaves import LEAF, NOTHING, OPEN_LEAF
from stillhunt.evidence.claim.rows import ClaimRows, ClaimTrees
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.refusal import Code
from stillhunt.records.leaf import LAYOUT


def leaves_of(draft: Draft) -> np.ndarray:
    """A copy of the member ``leaves`` that can be changed."""
    dtype = OPEN_LEAF if draft.depth == "full" else LEAF
    return np.frombuffer(draft.members["leaves"], dtype=dtype).copy()


def with_leaves(forge: Forge, draft: Draft, leaves: np.ndarray) -> Done:
    draft.members["leaves"] = leaves.tobytes()
    return forge.finish(draft)


def own_log(forge: Forge, *batches: np.ndarray, one_key: bool = False) -> Forge:
    """A log of other observations; ``one_key``: salts of all batches are of one key."""
    root = Path(mkdtemp(dir=forge.folder))
    create_log(root / "log", "example.com/log", forge.signer)
    with writing_log(root / "log") as writer:
        for rows in batches:
            with patch("os.urandom", bytes if one_key else os.urandom):
                writer.append(rows, source={"made": "here"})
            writer.publish()
    every = np.concatenate(batches)
    return Forge(root / "forge", World(root / "log", every, np.unique(every["account"])[:3]))


@refused(9, Code.LEAVES_MALFORMED)
def leaves_cut_off(forge: Forge) -> Done:
    draft = forge.draft("full")
    draft.members["leaves"] = draft.members["leaves"][:-1]
    return forge.finish(draft)


@refused(9, Code.LEAVES_MALFORMED)
def accounts_that_have_more_exchanges_than_are_shown(forge: Forge) -> Done:
    draft = forge.draft("pseudonymous")
    draft.members["leaves"] = draft.members["leaves"][: -LEAF.itemsize]
    return forge.finish(draft)


@refused(9, Code.LEAVES_MALFORMED)
def pseudonyms_that_nobody_has(forge: Forge) -> Done:
    draft = forge.draft("pseudonymous")
    body = draft.members["pseudonyms"]
    count = int.from_bytes(body[:4], "big")
    draft.members["pseudonyms"] = (count + 1).to_bytes(4, "big") + bytes(32) + body[4:]
    return forge.finish(draft)


@refused(9, Code.LEAVES_TREE)
def more_exchanges_than_are_shown(forge: Forge) -> Done:
    draft = forge.draft("full")
    draft.predicate["counts"]["exchanges"] += 1
    return forge.finish(draft)


@refused(9, Code.LEAVES_TREE)
def more_accounts_than_are_shown(forge: Forge) -> Done:
    draft = forge.draft("pseudonymous")
    draft.predicate["counts"]["accounts"] += 1
    return forge.finish(draft)


@refused(9, Code.LEAVES_TREE)
def leaves_other_than_those_committed_to(forge: Forge) -> Done:
    # All honest leaves of the log, but the tree that audits go by is another one's.
    draft = forge.draft("full")
    _, rows = forge.honest("full")
    draft.predicate["tree"] = ClaimTrees(rows, bytes(32)).top.root.hex()
    return forge.finish(draft)


@refused(9, Code.LEAVES_TOKENS)
def more_tokens_than_the_leaves_have(forge: Forge) -> Done:
    draft = forge.draft("pseudonymous")
    draft.predicate["counts"]["output_tokens"] += 1_000_000
    return forge.finish(draft)


@refused(9, Code.LEAVES_INCLUSION)
def a_leaf_that_says_something_else(forge: Forge) -> Done:
    draft = forge.draft("full")
    leaves = leaves_of(draft)
    leaves["leaf"][3, LAYOUT.fields["model"][1]] ^= 1
    return with_leaves(forge, draft, leaves)


@refused(9, Code.LEAVES_INCLUSION)
def a_leaf_in_the_place_of_another(forge: Forge) -> Done:
    _, rows = forge.honest("full")
    position = rows.position.copy()
    position[[0, 1]] = position[[1, 0]]
    honest = forge.draft("full")
    draft = forge.draft("full", ClaimRows(rows.account, rows.starts, rows.key, position,
                                          rows.inputs, rows.outputs))  # fmt: skip
    leaves, shown = leaves_of(draft), leaves_of(honest)
    leaves["leaf"], leaves["salts"] = shown["leaf"], shown["salts"]
    return with_leaves(forge, draft, leaves)


@refused(9, Code.LEAVES_INCLUSION)
def a_wrong_salt(forge: Forge) -> Done:
    draft = forge.draft("full")
    leaves = leaves_of(draft)
    leaves["salts"][0, 40] ^= 1
    return with_leaves(forge, draft, leaves)


@refused(9, Code.LEAVES_INCLUSION)
def a_commitment_in_place_of_another(forge: Forge) -> Done:
    draft = forge.draft("pseudonymous")
    leaves = leaves_of(draft)
    leaves["who"][0], leaves["who"][1] = leaves["who"][1].copy(), leaves["who"][0].copy()
    return with_leaves(forge, draft, leaves)


@refused(9, Code.LEAVES_INCLUSION)
def a_proof_of_other_leaves(forge: Forge) -> Done:
    draft = forge.draft("full")
    other = forge.draft("full", forge.late_rows("full"))
    draft.members["log/leaves.proof"] = other.members["log/leaves.proof"]
    return forge.finish(draft)


@refused(9, Code.LEAVES_INCLUSION)
def a_proof_of_the_leaves_cut_off(forge: Forge) -> Done:
    draft = forge.draft("full")
    draft.members["log/leaves.proof"] = draft.members["log/leaves.proof"][:-32]
    return forge.finish(draft)


@refused(9, Code.LEAVES_INCLUSION)
def a_proof_of_the_leaves_with_a_hash_more(forge: Forge) -> Done:
    draft = forge.draft("full")
    draft.members["log/leaves.proof"] += bytes(32)
    return forge.finish(draft)


@refused(9, Code.LEAVES_ORDER)
def an_exchange_twice(forge: Forge) -> Done:
    _, rows = forge.honest("full")
    parts = groups(rows)
    parts[0].append(parts[0][0])
    return forge.whole("full", regrouped(rows, parts))


@refused(9, Code.LEAVES_ORDER)
def an_exchange_that_was_sealed_twice(forge: Forge) -> Done:
    # Two different leaves, of one exchange.
    made = own_log(forge, observations(60, 6), observations(60, 6))
    _, rows = made.honest("full")
    second = (rows.position + np.uint64(61)) % np.uint64(122)
    both = ClaimRows(
        rows.account, rows.starts, np.concatenate([rows.key, rows.key]),
        np.concatenate([rows.position, second]), np.tile(rows.inputs, 2), np.tile(rows.outputs, 2),
    )  # fmt: skip
    parts = [[*part, part[0] + len(rows.key)] for part in groups(rows)]
    return made.whole("full", regrouped(both, parts))


@refused(9, Code.LEAVES_ORDER)
def accounts_in_another_order(forge: Forge) -> Done:
    _, rows = forge.honest("full")
    parts = groups(rows)
    return forge.whole("full", regrouped(rows, [parts[1], parts[0], *parts[2:]], [1, 0, 2]))


@refused(9, Code.LEAVES_ORDER)
def one_account_as_two(forge: Forge) -> Done:
    _, rows = forge.honest("full")
    first, *others = groups(rows)
    halves = [first[: len(first) // 2], first[len(first) // 2 :]]
    return forge.whole("full", regrouped(rows, [*halves, *others], [0, 0, 1, 2]))


@refused(9, Code.LEAVES_DUPLICATE)
def a_leaf_under_two_accounts(forge: Forge) -> Done:
    _, rows = forge.honest("pseudonymous")
    parts = groups(rows)
    parts[1].append(parts[0][0])
    return forge.whole("pseudonymous", regrouped(rows, parts))


@refused(9, Code.LEAVES_WRONG_ACCOUNT)
def a_leaf_of_another_account(forge: Forge) -> Done:
    _, rows = forge.honest("full")
    parts = groups(rows)
    parts[1].append(parts[0].pop())
    return forge.whole("full", regrouped(rows, parts))


@refused(9, Code.PERIOD_OUTSIDE)
def a_period_longer_than_the_leaves(forge: Forge) -> Done:
    draft = forge.draft("full")
    draft.predicate["period"]["first"] -= 86_400_000_000
    return forge.finish(draft)


@refused(9, Code.LEAVES_OUTSIDE_PERIOD)
def a_leaf_outside_the_period(forge: Forge) -> Done:
    draft = forge.draft("pseudonymous")
    draft.predicate["period"]["last"] -= 1
    return forge.finish(draft)


@refused(9, Code.LEAVES_OUTSIDE_LOG)
def leaves_of_before_the_head_before(forge: Forge) -> Done:
    return forge.finish(forge.draft("full", late=True))


@refused(9, Code.LEAVES_MALFORMED)
def a_leaf_with_fewer_tokens_than_none(forge: Forge) -> Done:
    rows = observations(60, 6)
    rows["input_tokens"][:6] = -1_000
    made = own_log(forge, rows)
    draft = made.draft("full")
    leaves = leaves_of(draft)
    records = np.ascontiguousarray(leaves["leaf"]).reshape(-1).view(rows.dtype)
    total = int(records["input_tokens"].sum())
    draft.predicate["counts"]["input_tokens"] = max(total, 0)
    return made.finish(draft)


@refused(9, Code.PSEUDONYM_BINDING)
def a_pseudonym_of_what_a_leaf_does_not_say(forge: Forge) -> Done:
    draft = forge.draft("pseudonymous")
    leaves = leaves_of(draft)
    silent = np.argwhere(leaves["refers"] == NOTHING)
    for row, column in silent:
        if (leaves["refers"][:, column] != NOTHING).any():
            leaves["refers"][row, column] = 0
            break
    return with_leaves(forge, draft, leaves)


@refused(9, Code.SALTS_REPEATED)
def salts_that_were_used_twice(forge: Forge) -> Done:
    # Whoever opens one leaf would open another with it.
    rows = observations(60, 6)
    return own_log(forge, rows[:30], rows[30:], one_key=True).whole("full")


@refused(9, Code.LEAVES_ORDER)
def one_pseudonym_for_two_accounts(forge: Forge) -> Done:
    _, rows = forge.honest("pseudonymous")
    first, *others = groups(rows)
    halves = [first[: len(first) // 2], first[len(first) // 2 :]]
    return forge.whole("pseudonymous", regrouped(rows, [*halves, *others], [0, 0, 1, 2]))


@refused(9, Code.LEAVES_DUPLICATE)
def an_exchange_that_was_sealed_twice_under_two_accounts(forge: Forge) -> Done:
    made = own_log(forge, observations(60, 6), observations(60, 6))
    _, rows = made.honest("pseudonymous")
    second = (rows.position + np.uint64(61)) % np.uint64(122)
    both = ClaimRows(
        rows.account, rows.starts, np.concatenate([rows.key, rows.key]),
        np.concatenate([rows.position, second]), np.tile(rows.inputs, 2), np.tile(rows.outputs, 2),
    )  # fmt: skip
    parts = groups(rows)
    parts[1].append(parts[0][0] + len(rows.key))
    return made.whole("pseudonymous", regrouped(both, parts))
