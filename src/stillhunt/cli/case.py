"""``stillhunt case``: the folder about one campaign that goes to a colleague."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stillhunt.report import write_case
from stillhunt.report.visible import visible


def case(
    campaign: Annotated[str, typer.Argument(help="The campaign's id.", show_default=False)],
    findings: Annotated[
        Path, typer.Option(help="Folder written by `stillhunt hunt --out`.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(help="Folder to make; must not exist yet.", show_default=False)
    ],
) -> None:
    """Write the case folder of a campaign: accounts, links, prompts, charts, whom to spare.

    \b
    Example:
      stillhunt case c-786eeb102da6 --findings out --out case-786e
    """
    Console(markup=False, highlight=False, soft_wrap=True).print(
        visible(str(write_case(findings, campaign, out)), 4096)
    )
