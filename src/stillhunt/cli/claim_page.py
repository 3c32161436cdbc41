"""``stillhunt claim-page``: a claim for people, as HTML and PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stillhunt.evidence.verify import Trust, read_trust
from stillhunt.report.claim_page import write_claim_page
from stillhunt.report.claim_reading import read_claim
from stillhunt.report.visible import visible


def claim_page(
    bundle: Annotated[Path, typer.Argument(help="A .claim file.", show_default=False)],
    trust: Annotated[
        Path | None, typer.Option(help="JSON file with the keys of log and witnesses you trust.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="What you gave the claimant for the audit.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for claim.html and claim.pdf; by default the bundle's."),
    ] = None,
) -> None:
    """Check a claim, and write what it shows for people: two pages, as HTML and as PDF.

    Of a bundle that is refused the pages say why, and nothing else of it.

    Exit codes: 0 it holds, 1 it is refused, 2 wrong usage.

    \b
    Examples:
      stillhunt claim-page c.claim --trust trust.json
      stillhunt claim-page c.claim --trust trust.json --out pages
    """
    facts = read_claim(bundle, read_trust(trust, seed) if trust else Trust(seed=seed))
    # Plain output: a path may hold anything, also what rich takes for markup.
    console = Console(markup=False, highlight=False, soft_wrap=True)
    for path in write_claim_page(facts, out or bundle.parent):
        console.print(visible(str(path), 4096))
    if not facts.accepted:
        failed = next(check for check in facts.checks if check.passed is False)
        Console(stderr=True, markup=False).print(f"Refused: {visible(failed.reason, 400)}")
        raise typer.Exit(1)
