"""``stillhunt timestamp``: a stranger's word on when a claim existed, put into its bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stillhunt.errors import InputError, UsageError
from stillhunt.evidence.claim.respond import add_timestamps, statement_of
from stillhunt.evidence.timestamps import check_stamp
from stillhunt.report.visible import visible
from stillhunt.sharing.timestamping import fetch_stamp


def timestamp(
    bundle: Annotated[Path, typer.Argument(help="The bundle of the claim.")],
    root: Annotated[
        list[Path], typer.Option(help="Root certificate (PEM or DER) of the authority; repeatable.")
    ],
    authority: Annotated[
        str | None, typer.Option(help="Address of a time-stamping authority (RFC 3161).")
    ] = None,
    reply: Annotated[
        Path | None,
        typer.Option(help="A reply that came another way, over the statement's SHA-256."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Bundle to write; by default the old one's place.")
    ] = None,
) -> None:
    """Have a time-stamping authority stamp a claim. Nothing but a hash goes out.

    \b
    Examples:
      stillhunt timestamp c.claim --authority https://tsa.example.org --root tsa.pem
      stillhunt timestamp c.claim --reply reply.tsr --root tsa.pem
    """
    if (authority is None) == (reply is None):
        raise UsageError("A stamp comes from one place.", "Give --authority or --reply.")
    digest = statement_of(bundle).digest
    try:
        roots = [path.read_bytes() for path in root]
        body = b"" if reply is None else reply.read_bytes()
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read.", "Check its name.") from error
    if authority is not None:
        body, stamp = fetch_stamp(authority, digest, roots=roots)
    else:
        stamp = check_stamp(body, digest, roots=roots)
    add_timestamps(bundle, [body], out or bundle)
    Console(markup=False, highlight=False, soft_wrap=True).print(
        f"Stamped at {stamp.time:%Y-%m-%d %H:%M:%S} UTC by {visible(stamp.authority, 200)}"
    )
