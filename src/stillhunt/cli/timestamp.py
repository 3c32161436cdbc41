"""``stillhunt timestamp``: have a stranger say that a claim existed, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stillhunt.errors import InputError, OutputError, UsageError
from stillhunt.evidence.claim.respond import add_timestamps, statement_of
from stillhunt.evidence.timestamps import Stamp, check_stamp, new_nonce, stamp_request
from stillhunt.report.visible import visible
from stillhunt.sharing.timestamping import fetch_stamp


def timestamp(
    bundle: Annotated[Path, typer.Argument(help="A .claim file.", show_default=False)],
    root: Annotated[
        list[Path] | None,
        typer.Option(help="Certificate of an authority that you trust, PEM or DER; repeatable."),
    ] = None,
    authority: Annotated[
        str | None, typer.Option(help="Address of a time-stamping authority (RFC 3161).")
    ] = None,
    request: Annotated[
        Path | None, typer.Option(help="Write a request to this file instead of asking.")
    ] = None,
    reply: Annotated[
        Path | None, typer.Option(help="Take the authority's reply from this file.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Bundle to write; by default the old one's place.")
    ] = None,
) -> None:
    """Add a time stamp to a claim: an authority's word on when it existed, at the latest.

    Only the statement's digest is sent. Without a network, write a request, have it answered
    elsewhere, and take the reply.

    \b
    Examples:
      stillhunt timestamp c.claim --authority https://tsa.example.com/ --root tsa-root.pem
      stillhunt timestamp c.claim --request c.tsq
      stillhunt timestamp c.claim --reply c.tsr --root tsa-root.pem
    """
    if (authority is not None) + (request is not None) + (reply is not None) != 1:
        raise UsageError("A stamp comes from one place.", "Give --authority, --request or --reply.")
    console = Console(markup=False, highlight=False, soft_wrap=True)
    digest = statement_of(bundle).digest
    if request is not None:
        _write(request, stamp_request(digest, new_nonce()))
        console.print(f"Written: {visible(str(request), 4096)}")
        return
    roots = [_read(path) for path in root or ()]
    stamp: Stamp
    if authority is not None:
        body, stamp = fetch_stamp(authority, digest, roots=roots)
    else:
        body = _read(reply or bundle)
        stamp = check_stamp(body, digest, roots=roots)
    add_timestamps(bundle, [body], out or bundle)
    console.print(
        f"Stamped at {stamp.time:%Y-%m-%d %H:%M:%S} UTC by {visible(stamp.authority, 200)}: "
        f"{visible(str(out or bundle), 4096)}"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}.", "Check its name."
        ) from error


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}.", "Name another file."
        ) from error
