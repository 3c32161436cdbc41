"""``stillhunt open``: single accounts, values and exchanges of a claim, for those who need to see them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from stillhunt.errors import InputError, UsageError
from stillhunt.evidence.claim.respond import add_openings, statement_of
from stillhunt.evidence.claim.state import read_state, state_path
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.opened.making import open_exchanges, read_ids
from stillhunt.evidence.opening import open_account, open_value


def open_(
    bundle: Annotated[Path, typer.Argument(help="The bundle of the claim.")],
    account: Annotated[
        list[str] | None, typer.Option(help="An account to open; may be given several times.")
    ] = None,
    organization: Annotated[list[str] | None, typer.Option(help="An organization.")] = None,
    address: Annotated[list[str] | None, typer.Option(help="A client address.")] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="A network, such as 10.1.2.0/24.")
    ] = None,
    exchange: Annotated[
        list[str] | None, typer.Option(help="Id of an exchange to open whole; needs --log.")
    ] = None,
    exchanges: Annotated[
        Path | None, typer.Option(help="File of such ids, one a line.", show_default=False)
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Folder of the log, which holds what exchanges are.")
    ] = None,
    private: Annotated[
        Path | None,
        typer.Option(help="The claimant's part; by default BUNDLE.private, beside the bundle."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Bundle to write; by default the old one's place.")
    ] = None,
) -> None:
    """Open accounts, values or exchanges of a claim one by one.

    Of accounts and values that are not named nothing is told. An exchange opened whole shows the hashes of
    its account, address and client, too; in a pseudonymous claim their pseudonyms are known from then on,
    wherever they stand.

    \b
    Examples:
      stillhunt open c.claim --account acct-7
      stillhunt open c.claim --address 203.0.113.9 --out for-the-court.claim
      stillhunt open c.claim --log LOG --exchange req-17 --exchange req-18
      stillhunt open c.claim --log LOG --exchanges chosen.txt --out for-the-court.claim
    """
    state = read_state(private or state_path(bundle))
    if statement_of(bundle).digest != state.statement:
        raise InputError(
            "The claimant's part belongs to another claim.", "Name the right one with --private."
        )
    openings = [open_account(state.trees, state.statement, name) for name in account or ()]
    for kind, names in (("organization", organization), ("address", address), ("network", network)):
        openings += [open_value(state.secret, state.statement, kind, name) for name in names or ()]
    ids = chosen_ids(exchange, exchanges)
    if not openings and not ids:
        raise UsageError("There is nothing to open.", "Name an account with --account, say.")
    target, console = out or bundle, Console()
    if ids:
        if log is None:
            raise UsageError("Exchanges are opened from the log.", "Name its folder with --log.")
        with Console(stderr=True).status("Opening exchanges"):
            many = open_exchanges(Log(log), bundle, state, ids, target)
        console.print(f"{many:,} exchanges are open whole in the bundle.")
    if openings:
        add_openings(target if ids else bundle, openings, target)
        console.print(f"{len(openings)} openings added.")
    console.print(
        f"Written: {escape(str(target))} ({target.stat().st_size:,} bytes)", soft_wrap=True
    )


def chosen_ids(exchange: list[str] | None, exchanges: Path | None) -> list[str]:
    """Ids that the options --exchange and --exchanges name, each once."""
    return list(dict.fromkeys([*(exchange or ()), *(read_ids(exchanges) if exchanges else ())]))
