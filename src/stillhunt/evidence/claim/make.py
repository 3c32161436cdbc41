"""Makes a claim from what a log holds, commits to it in the log, and writes its bundle."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from stillhunt.errors import UsageError
from stillhunt.evidence import container
from stillhunt.evidence.audit import Rates
from stillhunt.evidence.claim.batches import batches_member
from stillhunt.evidence.claim.bundle import log_part, readme
from stillhunt.evidence.claim.gather import Gathered, LogLeaves
from stillhunt.evidence.claim.leaves import leaf_members
from stillhunt.evidence.claim.rows import ClaimTrees
from stillhunt.evidence.claim.state import ClaimState, state_path, write_state
from stillhunt.evidence.dsse import seal
from stillhunt.evidence.entries import CLAIM
from stillhunt.evidence.keys import Signer, read_signer
from stillhunt.evidence.log.layout import numbers
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.primitives import private_key
from stillhunt.evidence.statement import CLAIM_VERSION, DEPTHS, Statement, write_statement
from stillhunt.evidence.totals.making import totals_member


@dataclass(frozen=True)
class Facts:
    """What is claimed, beside what the log shows.

    Attributes:
        campaign: its id; low, high: interval of its exchanges as found.
        finding, method, not_seen, links: see docs/evidence.md.
        named_accounts: accounts that the finding names.
        named_exchanges: exchanges that it attributes.
    """

    campaign: str
    low: int
    high: int
    finding: dict[str, Any]
    method: dict[str, Any]
    not_seen: tuple[str, ...]
    links: tuple[dict[str, Any], ...]
    named_accounts: int
    named_exchanges: int


@dataclass(frozen=True)
class Made:
    """A claim that was made.

    Attributes:
        statement: what is claimed; bundle, private: files written; position: of the commitment.
    """

    statement: Statement
    bundle: Path
    private: Path
    position: int


def make_claim(
    root: Path,
    facts: Facts,
    found: Gathered,
    out: Path,
    *,
    depth: str = "counts",
    rates: Rates | None = None,
    claimant: Signer | None = None,
    totals: bool = True,
) -> Made:
    """Make a claim, commit to it in the log, and write its bundle without answers to an audit.

    Args:
        root: of the log; facts: what is claimed; found: the exchanges.
        out: bundle to write; what only the claimant may have is written beside it.
        depth: how much is shown: one of DEPTHS.
        rates: how sure audits are to be.
        claimant: who signs; None: the log's key.
        totals: at pseudonymous depth, show the degree totals that batches commit to.

    Raises:
        UsageError: there is no such depth.
        OutputError: the log or the files cannot be written.
    """
    if depth not in DEPTHS:
        raise UsageError(f"There is no depth {depth!r}.", f"Use one of {', '.join(DEPTHS)}.")
    log = Log(root)
    secret = os.urandom(32)
    trees = ClaimTrees(found.rows, secret)
    sizes = log.sizes()
    before = max((size for size in sizes if size <= found.low), default=0)
    after = min(size for size in sizes if size > found.high)
    members = leaf_members(trees, secret, LogLeaves(log), log.tree(after), after, depth)
    if depth != "counts":
        members["batches"] = batches_member(log, after, found.rows.position)
    if depth == "pseudonymous" and totals:
        shown = totals_member(log, found.rows, secret, after)
        if shown is not None:
            members["totals"] = shown
    signer = claimant or log_signer(log)
    predicate = _predicate(log, facts, found, trees, rates or Rates(), depth, signer)
    predicate["log"] = {"before": before, "size": after}
    predicate["members"] = {name: sha256(body).hexdigest() for name, body in members.items()}
    statement = write_statement(predicate)
    envelope = seal(statement.payload, [private_key(signer.seed)])
    # Before the commitment: a claim that is in the log and cannot be answered for helps nobody.
    private = state_path(out)
    write_state(private, ClaimState(secret, found.rows, statement.digest))
    with writing_log(root) as writer:
        position = writer.append_entry(CLAIM, statement.digest)
        head = writer.publish()
    part = log_part(
        log.tree(head.checkpoint.size),
        (before, log.head(before).note.encode()) if before else None,
        (after, log.head(after).note.encode()),
        (head.checkpoint.size, head.note.encode()),
        position,
    )
    fixed = {"README.txt": readme(statement), "statement.dsse": envelope}
    container.write(out, {**fixed, **part.members(), **members})
    return Made(statement, out, private, position)


def log_signer(log: Log) -> Signer:
    """The key that a log signs with now."""
    return read_signer(log.layout.key(numbers(log.layout.keys, ".key")[-1]))


def _predicate(
    log: Log,
    facts: Facts,
    found: Gathered,
    trees: ClaimTrees,
    rates: Rates,
    depth: str,
    signer: Signer,
) -> dict[str, Any]:
    exchanges, inputs, outputs = found.rows.weights
    accounts = len(found.rows.account)
    return {
        "claim": CLAIM_VERSION,
        "campaign": facts.campaign,
        "depth": depth,
        "origin": log.origin,
        "claimant": signer.key.name,
        "keys": {"claimant": [str(signer.key)], "log": [str(key) for key in log.keys()]},  # noqa: SIM118
        "signed_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "period": {"first": found.first, "last": found.last},
        "counts": {
            "accounts": accounts,
            "exchanges": exchanges,
            "exchanges_low": facts.low,
            "exchanges_high": facts.high,
            "input_tokens": inputs,
            "output_tokens": outputs,
        },
        "tree": trees.top.root.hex(),
        "audit": {
            "error": rates.error,
            "token_error": rates.token_error,
            "confidence": rates.confidence,
        },
        "finding": facts.finding,
        "method": facts.method,
        "not_seen": list(facts.not_seen),
        "not_covered": {
            "accounts": max(facts.named_accounts - accounts, 0),
            "exchanges": max(facts.named_exchanges - exchanges, 0),
            "not_sealed": found.not_sealed,
            "other_account": found.other_account,
            "repeated": found.repeated,
        },
        "links": list(facts.links),
    }
