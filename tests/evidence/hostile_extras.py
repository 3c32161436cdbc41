"""Batch records and openings that are not the log's, or not of this claim."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from forge import SECRET, Done, Draft, Forge, canonical
from hostile import refused

from stillhunt.evidence.claim.batches import batches_member
from stillhunt.evidence.claim.rows import ClaimTrees
from stillhunt.evidence.opening import open_account, open_value
from stillhunt.evidence.refusal import Code
from stillhunt.evidence.value_hash import value_hash


def recorded(forge: Forge, depth: str = "full") -> tuple[Draft, dict[str, Any]]:
    """A claim with its batch records, and these."""
    draft = forge.draft(depth)
    body = batches_member(forge.log, draft.after, draft.trees.rows.position)
    draft.members["batches"] = body
    return draft, json.loads(body)


def with_records(forge: Forge, draft: Draft, records: dict[str, Any]) -> Done:
    draft.members["batches"] = canonical(records)
    return forge.finish(draft)


@refused(12, Code.BATCH_RECORDS)
def a_batch_record_that_says_something_else(forge: Forge) -> Done:
    draft, records = recorded(forge)
    records["records"][0]["source"] = {"made": "elsewhere"}
    return with_records(forge, draft, records)


@refused(12, Code.BATCH_RECORDS)
def a_batch_record_left_out(forge: Forge) -> Done:
    # Of two batches one is shown, with an honest proof; the leaves of the other have no record.
    draft, _ = recorded(forge)
    rows = forge.late_rows("full")
    draft.members["batches"] = batches_member(forge.log, draft.after, rows.position)
    return forge.finish(draft)


@refused(12, Code.BATCH_RECORDS)
def a_batch_record_of_other_leaves(forge: Forge) -> Done:
    _, whole = recorded(forge)
    draft = forge.draft("full", forge.late_rows("full"))
    return with_records(forge, draft, whole)


@refused(13, Code.TOTALS_MALFORMED)
def totals_without_the_batches_that_they_are_of(forge: Forge) -> Done:
    draft = forge.draft()
    draft.members["totals"] = b"{}"
    return forge.finish(draft)


NAME = "acct-7"


@refused(15, Code.OPENING)
def an_account_that_the_claim_does_not_count(forge: Forge) -> Done:
    # Opened in the place of one that it does.
    done = forge.whole()
    rows = done.rows
    account = rows.account.copy()
    account[0] = int.from_bytes(value_hash(NAME, "account"), "little")
    trees = ClaimTrees(replace(rows, account=account), SECRET)
    body = open_account(trees, done.statement.digest, NAME)
    return done.having(**{"openings__000000.json": body})


def opened_value(forge: Forge, change: dict[str, str]) -> Done:
    done = forge.whole("pseudonymous")
    opening = json.loads(open_value(SECRET, done.statement.digest, "address", "203.0.113.9"))
    return done.having(**{"openings__000000.json": canonical(opening | change)})


@refused(15, Code.OPENING)
def an_address_that_no_leaf_has(forge: Forge) -> Done:
    return opened_value(forge, {})


@refused(15, Code.OPENING)
def an_opening_by_another_name(forge: Forge) -> Done:
    return opened_value(forge, {"name": "203.0.113.10"})


@refused(15, Code.OPENING)
def an_opening_of_another_claim(forge: Forge) -> Done:
    return opened_value(forge, {"statement": "00" * 32})


@refused(15, Code.OPENING)
def an_opening_with_a_wrong_salt(forge: Forge) -> Done:
    return opened_value(forge, {"opening": "00" * 16})


@refused(15, Code.OPENING)
def openings_with_a_gap(forge: Forge) -> Done:
    done = forge.whole("pseudonymous")
    body = open_value(SECRET, done.statement.digest, "address", "203.0.113.9")
    return done.having(**{"openings__000001.json": body})
