"""The ``stillhunt`` command."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from stillhunt.cli.alarm import alarm
from stillhunt.cli.case import case
from stillhunt.cli.check import check
from stillhunt.cli.claim import audit, claim, verify_
from stillhunt.cli.claim_page import claim_page
from stillhunt.cli.explain import explain
from stillhunt.cli.formats import formats
from stillhunt.cli.hunt import hunt
from stillhunt.cli.ingest import ingest
from stillhunt.cli.log import app as log_app
from stillhunt.cli.open import open_
from stillhunt.cli.report import report
from stillhunt.cli.seal import seal
from stillhunt.cli.simulate import simulate
from stillhunt.cli.timestamp import timestamp
from stillhunt.cli.watch import watch
from stillhunt.cli.witness import app as witness_app
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
app.command()(ingest)
app.command()(watch)
app.command()(explain)
app.command()(case)
app.command()(report)
app.command()(alarm)
app.command()(seal)
app.add_typer(log_app)
app.add_typer(witness_app)
app.command()(simulate)
app.command()(formats)
app.command()(check)
app.command()(claim)
app.command()(audit)
app.command("open")(open_)
app.command()(timestamp)
app.command("verify")(verify_)
app.command()(claim_page)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"stillhunt {version('stillhunt')}")
        raise typer.Exit


@app.callback()
def options(
    _asked: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Finds distillation campaigns in LLM API traffic."""


def _terminated(_signal: int, _frame: object) -> None:
    # As an exception, so that working folders are removed on the way out.
    sys.exit(128 + signal.SIGTERM)


def main() -> None:
    """Run the command line; exit 2 with a remedy where something is wrong with the input."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except KeyboardInterrupt:
        Console(stderr=True).print("Interrupted; earlier findings are as they were.")
        sys.exit(130)
    except StillhuntError as error:
        console = Console(stderr=True)
        console.print(f"[bold red]Error:[/] {escape(error.problem)}")
        console.print(f"[bold]What to do:[/] {escape(error.remedy)}")
        sys.exit(error.exit_code)
