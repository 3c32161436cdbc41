"""``stillhunt claim``, ``audit`` and ``verify``: evidence that a stranger can check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from stillhunt.campaigns.claims import MOST_MISSING, claimable
from stillhunt.campaigns.reproduce import add_reproduction
from stillhunt.cli.open import chosen_ids
from stillhunt.errors import InputError, UsageError
from stillhunt.evidence.audit import Rates
from stillhunt.evidence.claim.gather import LogLeaves
from stillhunt.evidence.claim.make import make_claim
from stillhunt.evidence.claim.respond import (
    Answered,
    commit_size,
    refresh,
    respond,
)
from stillhunt.evidence.claim.state import ClaimState, read_state, state_path
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.settings import read_settings
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.merkle import consistency_proof
from stillhunt.evidence.opened.making import claimed_exchanges, open_exchanges
from stillhunt.evidence.seed import Seed, auditors_seed, own_seed, witnessed_seed
from stillhunt.evidence.verify import Trust, examine, read_trust
from stillhunt.evidence.verify.observation_lines import observation_lines
from stillhunt.evidence.verify.text import report_text
from stillhunt.sharing.witness_client import collect

_LOG = Annotated[Path, typer.Option(help="Folder of the log.")]
_PRIVATE = Annotated[
    Path | None,
    typer.Option(help="The claimant's part; by default BUNDLE.private, beside the bundle."),
]


def claim(
    campaign: Annotated[str, typer.Argument(help="The campaign's id, as in the findings.")],
    log: _LOG,
    out: Annotated[Path, typer.Option(help="Bundle to write, such as c-0123456789ab.claim.")],
    findings: Annotated[Path, typer.Option(help="Folder of a hunt's findings.")] = Path("out"),
    depth: Annotated[
        str,
        typer.Option(
            help="counts: numbers alone; pseudonymous: every exchange without names; full: all of "
            "what the log knows, or of the exchanges that you choose, the others without names."
        ),
    ] = "counts",
    exchange: Annotated[
        list[str] | None,
        typer.Option(help="Id of an exchange to open whole; may be given several times."),
    ] = None,
    exchanges: Annotated[
        Path | None, typer.Option(help="File of such ids, one a line.", show_default=False)
    ] = None,
    audit: Annotated[
        str,
        typer.Option(
            help="Who draws what is opened. witness: a witness's cosignature, asked for now; own: "
            "the claim itself, with larger samples; none: an auditor, later (stillhunt audit)."
        ),
    ] = "none",
    error: Annotated[
        float, typer.Option(help="Share of exchanges, or accounts, that an audit may miss.")
    ] = 0.01,
    token_error: Annotated[float, typer.Option(help="The same of tokens.")] = 0.02,
    confidence: Annotated[float, typer.Option(help="How surely it misses no more.")] = 0.999,
    max_missing: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of exchanges that the log may lack."),
    ] = MOST_MISSING,
) -> None:
    """Make a claim of a campaign, and fix it in the log.

    Writes the bundle, and beside it BUNDLE.private, which opens the claim: keep it, and keep it to
    yourself. What the log does not hold is not claimed, and the claim says how much that is.

    \b
    Examples:
      stillhunt claim c-0123456789ab --findings out/ --log LOG --out c.claim
      stillhunt claim c-0123456789ab --log LOG --out c.claim --audit witness
      stillhunt claim c-0123456789ab --log LOG --out c.claim --depth pseudonymous --audit own
      stillhunt claim c-0123456789ab --log LOG --out c.claim --depth full --exchanges chosen.txt
    """
    if audit not in ("none", "own", "witness"):
        raise UsageError(f"There is no audit {audit!r}.", "Use none, own or witness.")
    if audit == "witness" and not read_settings(Log(log).layout).witnesses:
        raise UsageError(
            "The log has no witness that could draw.",
            "Name one with stillhunt log witness, or use --audit own, or an auditor's seed later.",
        )
    ids = chosen_ids(exchange, exchanges)
    if depth == "full" and ids:
        depth = "pseudonymous"
    console = Console(stderr=True)
    with console.status("Looking for the campaign's exchanges in the log"):
        ready = claimable(findings, campaign, log, depth=depth, most_missing=max_missing)
        # Before the log holds a claim that lacks them.
        if ids:
            claimed_exchanges(ready.found.rows, LogLeaves(Log(log)), ids)
    with console.status("Building the claim"):
        made = make_claim(
            log, ready.facts, ready.found, out, depth=depth,
            rates=Rates(error, token_error, confidence),
        )  # fmt: skip
        _ask_witnesses(log, console)
        refresh(Log(log), out, out)
        many = open_exchanges(Log(log), out, read_state(made.private), ids, out) if ids else 0
    counted, inputs, outputs = made.statement.weights
    told = Console()
    told.print(
        f"Claimed: {counted:,} exchanges by {made.statement.accounts:,} accounts, {inputs:,} input and "
        f"{outputs:,} output tokens."
    )
    lost = made.statement.predicate["not_covered"]
    if lost["exchanges"] or lost["accounts"]:
        told.print(
            f"[yellow]Not claimed[/]: {lost['exchanges']:,} exchanges and {lost['accounts']:,} accounts of "
            "the finding, which the log cannot show."
        )
    if many:
        told.print(f"Opened whole: {many:,} exchanges, in a claim of depth {depth}.")
    told.print(f"Statement: {made.statement.digest.hex()} (leaf {made.position:,} of the log)")
    if audit != "none" and depth != "full":
        seed = own_seed() if audit == "own" else _witness_seed(Log(log), out, None)
        _tell(told, respond(Log(log), out, read_state(made.private), seed, out))
    told.print(f"Written: {escape(str(out))} ({out.stat().st_size:,} bytes)", soft_wrap=True)
    told.print(f"Keep to yourself: {escape(str(made.private))}", soft_wrap=True)


def audit(
    bundle: Annotated[Path, typer.Argument(help="The bundle of the claim.")],
    log: _LOG,
    seed: Annotated[
        str | None, typer.Option(help="What the auditor gave: 64 hexadecimal digits.")
    ] = None,
    own: Annotated[bool, typer.Option("--own", help="Draw from the claim itself.")] = False,
    witness: Annotated[
        str | None, typer.Option(help="Draw from this witness's cosignature, by its name.")
    ] = None,
    private: _PRIVATE = None,
    out: Annotated[
        Path | None, typer.Option(help="Bundle to write; by default the old one's place.")
    ] = None,
) -> None:
    """Answer an audit of a claim: open what a seed draws.

    \b
    Examples:
      stillhunt audit c.claim --log LOG --seed 5d1c...e0
      stillhunt audit c.claim --log LOG --witness witness.example/w
    """
    if (seed is not None) + own + (witness is not None) != 1:
        raise UsageError("An audit has one seed.", "Give --seed, --own or --witness.")
    held, target = Log(log), out or bundle
    state = _state(bundle, private)
    refresh(held, bundle, target)
    if seed is not None:
        drawn = auditors_seed(seed)
    else:
        drawn = own_seed() if own else _witness_seed(held, target, witness)
    _tell(Console(), respond(held, target, state, drawn, target))
    Console().print(
        f"Written: {escape(str(target))} ({target.stat().st_size:,} bytes)", soft_wrap=True
    )


def verify_(
    bundle: Annotated[Path, typer.Argument(help="A .claim file.")],
    trust: Annotated[
        Path | None, typer.Option(help="JSON file with the keys of log and witnesses you trust.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="What you gave the claimant for the audit.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    again: Annotated[
        bool,
        typer.Option("--reproduce", help="Recompute the links, too (of a pseudonymous claim)."),
    ] = False,
    show_openings: Annotated[
        bool,
        typer.Option(
            help="Print exchanges opened whole as JSON lines; the report goes to standard error."
        ),
    ] = False,
) -> None:
    """Check a claim without trusting who made it; nothing is looked up on a network.

    Exit codes: 0 it holds, 1 it is refused, 2 wrong usage.

    \b
    Examples:
      stillhunt verify c.claim --trust trust.json
      stillhunt verify c.claim --trust trust.json --seed 5d1c...e0 --json
      stillhunt verify c.claim --trust trust.json --reproduce
      stillhunt verify c.claim --trust trust.json --show-openings > opened.jsonl
    """
    report, read = examine(bundle, trust=read_trust(trust, seed) if trust else Trust(seed=seed))
    if again and report.ok and read is not None:
        add_reproduction(report, read)
    told = sys.stderr if show_openings else sys.stdout
    told.write(report.to_json().decode() + "\n" if json else report_text(report))
    if show_openings and report.ok and read is not None:
        sys.stdout.writelines(observation_lines(read.opened))
    if not report.ok:
        raise typer.Exit(1)


def _state(bundle: Path, private: Path | None) -> ClaimState:
    return read_state(private or state_path(bundle))


def _tell(console: Console, done: Answered) -> None:
    console.print(f"Audit answered: {done.bytes:,} bytes.")
    if done.missing:
        console.print(
            f"[yellow]{done.missing:,} drawn exchanges could not be opened[/]: deleted from the log."
        )


def _ask_witnesses(root: Path, console: Console) -> None:
    with writing_log(root) as writer:
        for asked in collect(writer):
            if asked.refused:
                console.print(
                    f"[yellow]{escape(asked.witness.key.name)} did not cosign[/]: {escape(asked.refused)}"
                )


def _witness_seed(log: Log, bundle: Path, name: str | None) -> Seed:
    """A seed from the smallest cosigned head that holds the claim."""
    size = commit_size(bundle)
    for later in (later for later in log.sizes() if later >= size):
        head = log.head(later)
        made = [row.key for row in head.cosigned if name in (None, row.key.name)]
        if made:
            proof = tuple(consistency_proof(log.tree(later), size, later))
            return witnessed_seed(head.note, made[0], proof)
    raise InputError(
        "No witness has cosigned a head of the log that holds this claim"
        + (f" by the name of {name}." if name else "."),
        "Ask one with stillhunt seal, or use --own or an auditor's seed.",
    )
