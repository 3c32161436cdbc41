"""The ``stillhunt`` command."""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.markup import escape

from stillhunt.cli.case import case
from stillhunt.cli.explain import explain
from stillhunt.cli.hunt import hunt
from stillhunt.cli.report import report
from stillhunt.cli.simulate import simulate
from stillhunt.errors import StillhuntError

app = typer.Typer(
    name="stillhunt",
    help="Finds distillation campaigns in LLM API traffic.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(hunt)
app.command()(explain)
app.command()(case)
app.command()(report)
app.command()(simulate)


def main() -> None:
    """Run the command line; exit 2 with a remedy where something is wrong with the input."""
    try:
        app()
    except StillhuntError as error:
        console = Console(stderr=True)
        console.print(f"[bold red]Error:[/] {escape(error.problem)}")
        console.print(f"[bold]What to do:[/] {escape(error.remedy)}")
        sys.exit(error.exit_code)
