"""Exchanges opened whole that are not claimed, not in the log, or not what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import numpy as np
from forge import SECRET, Done, Forge, _proof_of_distinct, groups, kept, regrouped
from hostile_bundles import refused
from hostile_leaves import own_log
from made_claims import observations, with_ids

from stillhunt.evidence.claim.gather import LogLeaves
from stillhunt.evidence.claim.rows import ClaimRows, ClaimTrees
from stillhunt.evidence.opened import member
from stillhunt.evidence.opened.member import MAGIC, Whole, write_placed, write_traced
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.verify import Trust
from stillhunt.records.leaf import LAYOUT

Change = Callable[[Whole], Whole]
NAMES = {f"req-{i}": i for i in range(60)}


def known(forge: Forge) -> Forge:
    """A log of its own, in two batches, of exchanges whose ids are known."""
    rows = with_ids(observations(60, 6))
    return own_log(forge, rows[:30], rows[30:])


def wholes(made: Forge, rows: ClaimRows, *numbers: int) -> dict[int, Whole]:
    """Exchanges of a claim as they were sealed."""
    names = dict(zip(made.world.rows["exchange"].tolist(), NAMES, strict=True))
    found = {}
    for number in numbers:
        position = rows.position[[number]].astype(np.int64)
        _, leaf, salts = LogLeaves(made.log).open_leaves(position)
        name = names[leaf[0, 6:22].tobytes()]
        found[number] = Whole(name, int(position[0]), leaf.tobytes(), salts.tobytes())
    return found


def opened(
    made: Forge, done: Done, chosen: dict[int, Whole], trees: ClaimTrees | None = None
) -> Done:
    """With these opened, by ``trees`` where they are not the claim's."""
    size = int(done.statement.predicate["log"]["size"])
    trees = trees or done.trees
    if done.statement.depth == "pseudonymous":
        body = write_placed(trees, SECRET, chosen)
    else:
        with patch.object(member, "batch_proof", _proof_of_distinct):
            body = write_traced(trees, chosen, made.log.tree(size), size)
    return done.having(opened=body)


def changed(forge: Forge, change: Change, depth: str = "counts") -> tuple[Done, Trust]:
    """The claim's third exchange opened as it is not."""
    made = known(forge)
    done = made.whole(depth)
    chosen = wholes(made, done.rows, 2, 5)
    chosen[2] = change(chosen[2])
    return opened(made, done, chosen), made.trust()


def cut(forge: Forge, depth: str, change: Callable[[bytes], bytes]) -> tuple[Done, Trust]:
    made = known(forge)
    done = made.whole(depth)
    good = opened(made, done, wholes(made, done.rows, 2, 5))
    return good.having(opened=change(good.members["opened"])), made.trust()


def other_leaf(one: Whole) -> Whole:
    leaf = bytearray(one.leaf)
    leaf[LAYOUT.fields["model"][1]] ^= 1
    return replace(one, leaf=bytes(leaf))


def other_address(one: Whole) -> Whole:
    leaf = bytearray(one.leaf)
    leaf[LAYOUT.fields["address"][1]] ^= 1
    return replace(one, leaf=bytes(leaf))


@refused(15, Code.OPENED_MALFORMED)
def opened_exchanges_cut_off(forge: Forge) -> tuple[Done, Trust]:
    return cut(forge, "pseudonymous", lambda body: body[:-1])


@refused(15, Code.OPENED_MALFORMED)
def opened_exchanges_with_a_byte_more(forge: Forge) -> tuple[Done, Trust]:
    return cut(forge, "pseudonymous", lambda body: body + b"\0")


@refused(15, Code.OPENED_MALFORMED)
def opened_exchanges_that_are_none(forge: Forge) -> tuple[Done, Trust]:
    return cut(forge, "counts", lambda _: MAGIC + b"\0")


@refused(15, Code.OPENED_MALFORMED)
def opened_exchanges_of_an_account_that_has_none(forge: Forge) -> tuple[Done, Trust]:
    return cut(forge, "pseudonymous", lambda _: MAGIC + b"\1\0" + bytes(24) + b"\0")


@refused(15, Code.OPENED_MALFORMED)
def an_exchange_id_that_is_no_text(forge: Forge) -> tuple[Done, Trust]:
    return cut(forge, "counts", lambda body: body.replace(b"req-", b"\xff\xff\xff-"))


@refused(15, Code.OPENED_MALFORMED)
def exchanges_opened_where_all_are_open(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    done = made.whole("full")
    body = write_placed(done.trees, SECRET, wholes(made, done.rows, 2))
    return done.having(opened=body), made.trust()


@refused(15, Code.OPENED_MALFORMED)
def an_opened_exchange_of_less_than_no_tokens(forge: Forge) -> tuple[Done, Trust]:
    # All the rest is as it was committed to, since hashes do not know signs.
    at = LAYOUT.fields["input_tokens"][1] + 3
    return changed(
        forge,
        lambda one: replace(one, leaf=one.leaf[:at] + b"\xff" + one.leaf[at + 1 :]),
    )


@refused(15, Code.OPENED_TREE)
def an_opened_exchange_that_is_not_claimed(forge: Forge) -> tuple[Done, Trust]:
    # Sealed, of a claimed account and in the period; another one stands in its place in the claim.
    made = known(forge)
    _, rows = made.honest("counts")
    account = int(np.argmax(np.diff(rows.starts)))
    first = int(rows.starts[account])
    every = np.arange(len(rows.key))
    done = made.whole("counts", kept(rows, every != first + 1))
    other = ClaimTrees(kept(rows, every != first + 2), SECRET)
    return opened(made, done, wholes(made, other.rows, first + 1), other), made.trust()


@refused(15, Code.OPENED_TREE)
def an_opened_exchange_with_other_tokens_than_claimed(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    _, rows = made.honest("counts")
    outputs = rows.outputs.copy()
    outputs[2] += np.uint64(1_000_000)
    done = made.whole("counts", replace(rows, outputs=outputs))
    return opened(made, done, wholes(made, rows, 2)), made.trust()


@refused(15, Code.OPENED_TREE)
def exchanges_opened_for_another_claim(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    done = made.whole()
    other = ClaimTrees(done.rows, bytes(32))
    return opened(made, done, wholes(made, done.rows, 2, 5), other), made.trust()


@refused(15, Code.LEAVES_INCLUSION)
def an_exchange_opened_to_what_was_not_sealed(forge: Forge) -> tuple[Done, Trust]:
    return changed(forge, other_leaf)


@refused(15, Code.LEAVES_INCLUSION)
def an_exchange_opened_with_the_salts_of_another(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    done = made.whole()
    chosen = wholes(made, done.rows, 2, 5)
    chosen[2] = replace(chosen[2], salts=wholes(made, done.rows, 3)[3].salts)
    return opened(made, done, chosen), made.trust()


@refused(15, Code.LEAVES_INCLUSION)
def a_proof_of_opened_exchanges_cut_off(forge: Forge) -> tuple[Done, Trust]:
    return cut(forge, "counts", lambda body: body[:-32])


@refused(15, Code.LEAVES_INCLUSION)
def a_proof_of_opened_exchanges_with_a_hash_more(forge: Forge) -> tuple[Done, Trust]:
    return cut(forge, "counts", lambda body: body + bytes(32))


@refused(15, Code.LEAVES_WRONG_EXCHANGE)
def an_exchange_opened_by_the_id_of_another(forge: Forge) -> tuple[Done, Trust]:
    return changed(forge, lambda one: replace(one, exchange_id="req-60"))


@refused(15, Code.LEAVES_WRONG_EXCHANGE)
def a_shown_exchange_opened_by_the_id_of_another(forge: Forge) -> tuple[Done, Trust]:
    return changed(forge, lambda one: replace(one, exchange_id="req-60"), "pseudonymous")


@refused(15, Code.LEAVES_WRONG_ACCOUNT)
def an_opened_exchange_of_another_account(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    _, rows = made.honest("counts")
    parts = groups(rows)
    parts[1].append(parts[0].pop())
    moved = regrouped(rows, parts)
    done = made.whole("counts", moved)
    at = moved.position.tolist().index(rows.position[parts[1][-1]])
    return opened(made, done, wholes(made, moved, at)), made.trust()


@refused(15, Code.LEAVES_WRONG_ACCOUNT)
def an_opened_exchange_under_the_pseudonym_of_another(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    _, rows = made.honest("pseudonymous")
    parts = groups(rows)
    parts[1].append(parts[0].pop())
    moved = regrouped(rows, parts)
    done = made.whole("pseudonymous", moved)
    at = moved.position.tolist().index(rows.position[parts[1][-1]])
    return opened(made, done, wholes(made, moved, at)), made.trust()


@refused(15, Code.LEAVES_ORDER)
def an_opened_exchange_that_is_counted_twice(forge: Forge) -> tuple[Done, Trust]:
    # The second place of the same leaf is opened, and not the first.
    made = known(forge)
    _, rows = made.honest("counts")
    parts = groups(rows)
    parts[0].append(parts[0][0])
    twice = regrouped(rows, parts)
    done = made.whole("counts", twice)
    return opened(made, done, wholes(made, twice, 1)), made.trust()


@refused(15, Code.LEAVES_ORDER)
def an_exchange_opened_of_an_account_out_of_order(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    _, rows = made.honest("counts")
    parts = groups(rows)
    mixed = regrouped(rows, [parts[1], parts[0], *parts[2:]], [1, 0, 2])
    done = made.whole("counts", mixed)
    return opened(made, done, wholes(made, mixed, 0)), made.trust()


@refused(15, Code.LEAVES_DUPLICATE)
def one_leaf_opened_as_two_exchanges(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    _, rows = made.honest("counts")
    parts = groups(rows)
    parts[1].append(parts[0][0])
    both = regrouped(rows, parts)
    done = made.whole("counts", both)
    places = np.flatnonzero(both.position == rows.position[0]).tolist()
    return opened(made, done, wholes(made, both, *places)), made.trust()


@refused(15, Code.LEAVES_OUTSIDE_PERIOD)
def an_opened_exchange_outside_the_period(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    draft = made.draft()
    draft.predicate["period"]["last"] -= 1
    done = made.finish(draft)
    every = wholes(made, done.rows, *range(len(done.rows.key)))
    last = max(every, key=lambda number: int(every[number].record[0]["time"]))
    return opened(made, done, {last: every[last]}), made.trust()


@refused(15, Code.LEAVES_OUTSIDE_LOG)
def an_opened_exchange_of_before_the_head_before(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    _, rows = made.honest("counts")
    late = rows.position >= made.between
    late[np.argmin(rows.position)] = True
    done = made.finish(made.draft("counts", kept(rows, late), late=True))
    early = int(np.argmin(done.rows.position))
    return opened(made, done, wholes(made, done.rows, early)), made.trust()


@refused(15, Code.SALTS_REPEATED)
def opened_exchanges_with_one_salt(forge: Forge) -> tuple[Done, Trust]:
    rows = with_ids(observations(60, 6))
    made = own_log(forge, rows[:30], rows[30:], one_key=True)
    done = made.whole()
    every = range(len(done.rows.key))
    return opened(made, done, wholes(made, done.rows, *every)), made.trust()


@refused(15, Code.OPENED_COMMITMENT)
def a_shown_exchange_opened_to_another_address(forge: Forge) -> tuple[Done, Trust]:
    return changed(forge, other_address, "pseudonymous")


@refused(15, Code.OPENED_COMMITMENT)
def a_shown_exchange_opened_with_the_salts_of_another(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    done = made.whole("pseudonymous")
    chosen = wholes(made, done.rows, 2, 5)
    chosen[2] = replace(chosen[2], salts=chosen[5].salts)
    return opened(made, done, chosen), made.trust()


@refused(15, Code.OPENED_COMMITMENT)
def a_shown_exchange_opened_in_the_place_of_another(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    done = made.whole("pseudonymous")
    return opened(made, done, {2: wholes(made, done.rows, 3)[3]}), made.trust()


@refused(15, Code.PSEUDONYM_BINDING)
def an_exchange_opened_with_another_pseudonym_of_its_account(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    done = made.whole("pseudonymous")
    other = ClaimTrees(done.rows, bytes(32))
    return opened(made, done, wholes(made, done.rows, 2), other), made.trust()


@refused(15, Code.PSEUDONYM_BINDING)
def an_exchange_opened_whose_address_has_another_pseudonym(forge: Forge) -> tuple[Done, Trust]:
    made = known(forge)
    draft = made.draft("pseudonymous")
    body = bytearray(draft.members["pseudonyms"])
    body[-1] ^= 1  # the last network number's, which no leaf commits to
    draft.members["pseudonyms"] = bytes(body)
    done = made.finish(draft)
    every = range(len(done.rows.key))
    return opened(made, done, wholes(made, done.rows, *every)), made.trust()
