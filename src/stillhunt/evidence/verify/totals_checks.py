"""Check of the degree totals that a bundle shows: committed to when sealed, and shown under true names."""

from __future__ import annotations

from typing import Any

import numpy as np

from stillhunt.evidence.audit import seed_of
from stillhunt.evidence.batch_proof import batch_root
from stillhunt.evidence.claim.tree import LARGEST_KEY
from stillhunt.evidence.entries import (
    ACCOUNT,
    ACCOUNT_BILL,
    ACCOUNT_LAYOUT,
    ACCOUNT_WHO,
    ACCOUNT_WHO_BYTES,
    commitments,
    entries_of,
)
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.log.batches import Batch
from stillhunt.evidence.merkle import as_hashes, leaf_hash, leaf_hashes
from stillhunt.evidence.pseudonyms import pseudonym
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.totals.audit import (
    ACCOUNT_OPENED,
    MAGIC,
    ORGANIZATION_OPENED,
    VALUE_OPENED,
    TotalsPlan,
    totals_plan,
)
from stillhunt.evidence.totals.member import NOTHING, VALUE_SHOWN, ShownTotals, Stretch, read_totals
from stillhunt.evidence.totals.rows import (
    FAMILIES,
    FAMILY_NUMBER,
    header_row,
    parse_template_row,
    value_commitments,
    value_rows,
)
from stillhunt.evidence.verify.context import Context, Outcome, not_applicable, passed


def check_totals(context: Context) -> Outcome:
    """Degree totals are those that batches committed to, and what was drawn of their names is true."""
    if "totals" not in context.members:
        if "totals.audit" in context.members:
            raise Refused(Code.TOTALS_MALFORMED, "There are answers on totals, and no totals.")
        return not_applicable("The bundle carries none.")
    shown_leaves = context.leaves
    if "batches" not in context.members or shown_leaves is None or not shown_leaves.names:
        raise Refused(
            Code.TOTALS_MALFORMED, "Totals belong to a pseudonymous claim with its batch records."
        )
    shown = read_totals(context.body("totals"))
    records = {batch.batch: batch for batch in context.batches or ()}
    for stretch in shown.stretches:
        if stretch.batch not in records:
            raise Refused(Code.TOTALS_INCLUSION, "There are totals of a batch that is not shown.")
        _check_stretch(stretch, records[stretch.batch])
    _check_accounts(context, shown)
    silent = len(shown_leaves.accounts) - len(shown.accounts)
    if silent:
        context.not_shown.append(
            f"Who owns and who pays for {silent:,} of the claimed accounts: no row of the accounts table "
            "is shown for them, and they count as strangers to all others."
        )
    context.totals = shown
    said = (
        f"How busy everybody was and how popular {sum(len(s.values) for s in shown.stretches):,} values "
        "were is as the log fixed it before the claim."
    )
    context.shown.append(said)
    context.not_shown.append(
        "That the totals were counted rightly, and with no claim in mind: they were fixed before the "
        "claim, by whoever keeps the log. Whoever is shown the whole batch can count again."
    )
    if "totals.audit" not in context.members:
        if "audit" in context.members:
            raise Refused(Code.TOTALS_UNANSWERED, "An audit left the totals unanswered.")
        context.not_shown.append(
            "That values are as popular as shown: no audit opened which value a row is of."
        )
        return passed(said)
    drawn = _check_answers(context, shown)
    return passed(f"{said} {drawn:,} names were opened.")


def _check_stretch(stretch: Stretch, batch: Batch) -> None:
    """The rows shown are in the tree that a batch's record names."""
    wrong = Refused(Code.TOTALS_INCLUSION, "Degree totals are not those of the batch.")
    root, count = _committed(batch)
    record = batch.totals or {}
    if (record.get("first"), record.get("end")) != (stretch.first, stretch.end):
        raise wrong
    values = stretch.values
    rows = {0: leaf_hash(header_row(stretch.header))}
    made = value_rows(values["family"], values["entities"], values["commitment"])
    hashes = leaf_hashes(made.view(np.uint8).reshape(len(made), -1))
    places = [int(row) for row in values["row"]]
    rows |= {place: digest.tobytes() for place, digest in zip(places, hashes, strict=True)}
    template = FAMILY_NUMBER["template"]
    for shown in stretch.templates:
        try:
            name, _ = parse_template_row(shown.grams)
        except ValueError as error:
            raise Refused(Code.TOTALS_MALFORMED, f"In the totals {error}.") from error
        committed = value_commitments(
            np.frombuffer(shown.salt, dtype=np.uint8).reshape(1, -1),
            np.array([template], dtype=np.uint8),
            np.array([name], dtype=np.int64),
        )
        row = value_rows(np.array([template]), np.array([shown.entities]), committed)
        rows[shown.row] = leaf_hash(row.tobytes())
        rows[shown.grams_row] = leaf_hash(shown.grams)
    if len(rows) != 1 + len(places) + 2 * len(stretch.templates) or max(rows) >= count:
        raise wrong
    order = sorted(rows)
    try:
        found = batch_root(count, order, as_hashes([rows[i] for i in order]), stretch.proof)
    except EvidenceError as error:
        raise wrong from error
    if found != root:
        raise wrong


def _committed(batch: Batch) -> tuple[bytes, int]:
    """Root and number of rows of a batch's totals."""
    record: dict[str, Any] = batch.totals or {}
    root, rows = record.get("root"), record.get("rows")
    if isinstance(root, str) and len(root) == 64 and type(rows) is int and 0 < rows < 1 << 40:
        try:
            return bytes.fromhex(root), rows
        except ValueError:
            pass
    raise Refused(Code.TOTALS_INCLUSION, "A batch commits to no totals, and some are shown.")


def _check_accounts(context: Context, shown: ShownTotals) -> None:
    """Rows of the accounts table are in the log, and of claimed accounts."""
    leaves, rows = context.leaves, shown.accounts
    wrong = Refused(Code.TOTALS_ACCOUNT, "Rows of the accounts table are not in the log.")
    if leaves is None:
        raise wrong
    names = {row.tobytes() for row in shown.organizations["pseudonym"]}
    on_leaves = {row.tobytes() for row in leaves.names["organization"]}
    used = {shown.organizations["pseudonym"][i].tobytes() for i in _referred(rows)}
    if not on_leaves <= names or names != on_leaves | used:
        raise Refused(Code.TOTALS_ACCOUNT, "Organizations are missing, or named for nothing.")
    if len(shown.organizations) and int(shown.organizations["separator"][-1]) != LARGEST_KEY:
        raise Refused(Code.TOTALS_MALFORMED, "Organizations are not in order.")
    if len(rows) and int(rows["account"].max()) >= len(leaves.accounts):
        raise wrong
    if not len(rows):
        if shown.accounts_proof:
            raise wrong
        return
    head = context.after.checkpoint
    entries = leaf_hashes(entries_of(ACCOUNT, (rows["who"], rows["bill"])))
    try:
        root = batch_root(
            head.size, rows["position"].astype(np.int64), entries, shown.accounts_proof
        )
    except EvidenceError as error:
        raise wrong from error
    if root != head.root:
        raise wrong


def _referred(rows: np.ndarray) -> list[int]:
    refers = rows["organization"]
    return [int(i) for i in np.unique(refers[refers != NOTHING])]


def _check_answers(context: Context, shown: ShownTotals) -> int:
    seed = context.seed
    if seed is None:
        raise Refused(Code.TOTALS_MALFORMED, "There are answers on totals, and no seed.")
    statement = context.statement
    plan = totals_plan(
        shown,
        statement.rates,
        seed_of(statement.digest, seed.kind, seed.value),
        seed.tries,
    )
    values, accounts, organizations = _read_answers(context.body("totals.audit"), plan)
    _values(shown, plan, values)
    for i, opened in zip(plan.accounts, accounts, strict=True):
        _account(context, shown, i, opened)
    separator = shown.organizations["separator"].astype(np.uint64)
    for i, opened in zip(plan.organizations, organizations, strict=True):
        raw = opened["value"].tobytes()
        key = int.from_bytes(raw, "little")
        named = pseudonym("organization", opened["pseudonym_salt"].tobytes(), raw)
        before = int(separator[i - 1]) if i else -1
        if named != shown.organizations["pseudonym"][i].tobytes() or not (
            before < key <= int(separator[i])
        ):
            raise _untrue("an organization")
    return len(values) + len(accounts) + len(organizations)


def _read_answers(body: bytes, plan: TotalsPlan) -> list[np.ndarray]:
    wrong = Refused(Code.TOTALS_UNANSWERED, "The answers on totals are not those that were drawn.")
    if not body.startswith(MAGIC):
        raise wrong
    at, found = len(MAGIC), []
    for drawn, dtype in (
        (plan.values, VALUE_OPENED),
        (plan.accounts, ACCOUNT_OPENED),
        (plan.organizations, ORGANIZATION_OPENED),
    ):
        end = at + len(drawn) * dtype.itemsize
        if end > len(body):
            raise wrong
        found.append(np.frombuffer(body[at:end], dtype=dtype))
        at = end
    if at != len(body):
        raise wrong
    return found


def _values(shown: ShownTotals, plan: TotalsPlan, answers: np.ndarray) -> None:
    none = np.zeros(0, dtype=VALUE_SHOWN)
    every = np.concatenate([none, *(stretch.values for stretch in shown.stretches)])
    for i, opened in zip(plan.values, answers, strict=True):
        row = every[i]
        family = FAMILIES[int(row["family"])]
        claimed = int(opened["value"])
        named = pseudonym(family, opened["pseudonym_salt"].tobytes(), opened["value"].tobytes())
        committed = value_commitments(
            np.frombuffer(opened["salt"].tobytes(), dtype=np.uint8).reshape(1, -1),
            np.array([row["family"]], dtype=np.uint8),
            np.array([counted_client(claimed) if family == "client" else claimed]),
        )
        if (
            named != row["pseudonym"].tobytes()
            or committed.tobytes() != row["commitment"].tobytes()
        ):
            raise _untrue(f"a value of the family {family}")


def counted_client(claimed: int) -> int:
    """A client as totals count it, of its value in a claim (TLS fingerprint low, agent high)."""
    low, agent = claimed & 0xFFFFFFFF, claimed >> 32
    tls = low - (1 << 32) if low >= 1 << 31 else low
    return (tls * (1 << 32) + agent + (1 << 63)) % (1 << 64) - (1 << 63)


def _account(context: Context, shown: ShownTotals, i: int, opened: np.void) -> None:
    leaves = context.leaves
    row = shown.accounts[i]
    blocks = opened["row"].reshape(1, -1)
    salts = opened["salts"].reshape(1, -1)
    record = np.ascontiguousarray(blocks).reshape(-1).view(ACCOUNT_LAYOUT)[0]
    who = commitments(ACCOUNT_WHO, salts[:, :16], blocks[:, :ACCOUNT_WHO_BYTES])
    bill = commitments(ACCOUNT_BILL, salts[:, 16:], blocks[:, ACCOUNT_WHO_BYTES:])
    good = who.tobytes() == row["who"].tobytes() and bill.tobytes() == row["bill"].tobytes()
    if leaves is None or not good:
        raise _untrue("a row of the accounts table")
    named = pseudonym("account", opened["account"].tobytes(), record["account"].tobytes())
    good = named == leaves.accounts["pseudonym"][int(row["account"])].tobytes()
    has_organization = not int(record["who_nulls"]) >> 1 & 1
    good &= has_organization == (int(row["organization"]) != NOTHING)
    if has_organization and good:
        given = pseudonym(
            "organization", opened["organization"].tobytes(), record["organization"].tobytes()
        )
        good = given == shown.organizations["pseudonym"][int(row["organization"])].tobytes()
    elif good:
        good = not any(opened["organization"].tobytes())
    for bit, name in enumerate(("payment", "email_domain")):
        if int(record["bill_nulls"]) >> bit & 1:
            good &= not any(row[name].tobytes()) and not any(opened[name].tobytes())
        else:
            given = pseudonym(name, opened[name].tobytes(), record[name].tobytes())
            good &= given == row[name].tobytes()
    if not good:
        raise _untrue("a row of the accounts table")


def _untrue(what: str) -> Refused:
    return Refused(Code.TOTALS_BINDING, f"The name under which {what} is shown is not its name.")
