"""``stillhunt log``: making and keeping a sealed log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from stillhunt.cli.sealing import sentences, set_witnesses
from stillhunt.errors import InputError
from stillhunt.evidence.checkpoint import quorum_met
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.follow import follow
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.retention import prune as prune_log
from stillhunt.evidence.log.settings import Settings, read_settings, write_settings
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.note import parse_signatures
from stillhunt.evidence.witness import make_request
from stillhunt.report.visible import visible
from stillhunt.sharing.witness_client import collect
from stillhunt.store.ingest import keep_from

app = typer.Typer(
    name="log",
    help="Make and keep a sealed log: keys, witnesses, retention.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Folder = Annotated[Path, typer.Argument(help="Folder of the log.")]


@app.command()
def init(
    log: Folder,
    origin: Annotated[
        str,
        typer.Option(help="The log's name, an address without scheme: logs.example.com/gateway."),
    ],
) -> None:
    """Make an empty log with a new key, and print its public key.

    Keep LOG/private as you keep a signing key. LOG/public may be served to anybody as it is.

    \b
    Examples:
      stillhunt log init log/ --origin logs.example.com/gateway
    """
    made = create_log(log, origin)
    for key in made.keys():  # noqa: SIM118
        typer.echo(str(key))


@app.command()
def status(log: Folder) -> None:
    """Say what a log holds and who vouches for it.

    \b
    Examples:
      stillhunt log status log/
    """
    held = Log(log)
    head = held.head()
    batches = held.batches()
    openable = [batch for batch in batches if held.is_openable(batch)]
    console = Console()
    lines = [
        f"Log {visible(held.origin, 200)}, {head.checkpoint.size:,} leaves, root "
        f"{head.checkpoint.root.hex()}.",
        f"{sum(b.observations for b in batches):,} exchanges and {sum(b.accounts for b in batches):,} "
        f"rows of the accounts table in {len(batches):,} batches; {len(openable):,} can be opened.",
    ]
    times = [time for batch in batches if batch.period for time in batch.period]
    if times:
        lines.append(f"Exchanges from {_day(min(times))} to {_day(max(times))} (UTC).")
    settings = read_settings(held.layout)
    published = held.published().checkpoint.size
    lines.append(
        f"Public: the head of {published:,} leaves. Cosigned: {len(head.witnesses())} of "
        f"{len(settings.witnesses)} witnesses, quorum {settings.quorum}"
        f"{'' if quorum_met(head, settings.quorum) else ' (not met)'}."
    )
    lines += [f"Key: {key}" for key in held.keys()]  # noqa: SIM118
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)


@app.command()
def check(log: Folder) -> None:
    """Compute a log anew from its entries, and compare: heads, tiles, batches, every opening.

    Exit codes: 0 all is as its heads say, 2 something is not.

    \b
    Examples:
      stillhunt log check log/
    """
    with Bar(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("Computing anew", total=None)
        trail = follow(Log(log), lambda done, total: bar.update(task, completed=done, total=total))
    typer.echo(
        f"All as it was signed: {trail.leaves:,} leaves, {trail.heads:,} heads, {trail.batches:,} "
        f"batches; {trail.opened:,} leaves opened."
    )


@app.command()
def keys(log: Folder) -> None:
    """Print a log's public keys, the present one last.

    \b
    Examples:
      stillhunt log keys log/
    """
    for key in Log(log).keys():  # noqa: SIM118
        typer.echo(str(key))


@app.command()
def rotate(log: Folder) -> None:
    """Give a log a new key, by a statement that the old and the new one sign and the log holds.

    Prints the new public key; the statement is in LOG/public/keys. The old private key stays in
    LOG/private/keys: delete it when the new head is where it should be.

    \b
    Examples:
      stillhunt log rotate log/
    """
    with writing_log(log) as writer:
        writer.rotate()
        asked = collect(writer)
        for sentence in sentences(writer, None, asked):
            typer.echo(sentence, err=True)
        typer.echo(str(writer.log.keys()[-1]))


@app.command()
def prune(
    log: Folder,
    keep_days: Annotated[
        int, typer.Option(min=1, help="Keep so many days openable, today included (UTC).")
    ],
) -> None:
    """Delete what old leaves commit to, with their salts; the hashes stay, and so do all proofs.

    A claim over what was deleted cannot be made any more. A batch goes when its last exchange is older.

    \b
    Examples:
      stillhunt log prune log/ --keep-days 400
    """
    with writing_log(log) as writer:
        edge = keep_from(keep_days)
        count = prune_log(writer, edge) if edge is not None else 0
        typer.echo(f"{count:,} batches can no longer be opened; the log is as long as before.")


@app.command()
def witness(
    log: Folder,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="VKEY[@URL]", help="Ask this witness from now on; repeatable."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Ask it no longer; repeatable.")
    ] = None,
    quorum: Annotated[
        int | None,
        typer.Option(min=0, help="Witnesses that must cosign before a head is made public."),
    ] = None,
) -> None:
    """Say who is asked to cosign, and how many must have before a head is made public.

    \b
    Examples:
      stillhunt log witness log/ --add 'VKEY@https://witness.example.org' --quorum 1
      stillhunt log witness log/ --remove witness.example.org --quorum 0
    """
    with writing_log(log) as writer:
        layout = writer.log.layout
        if remove:
            before = read_settings(layout)
            left = tuple(w for w in before.witnesses if w.key.name not in remove)
            most = len({w.key.name for w in left})
            write_settings(layout, Settings(left, min(before.quorum, most)))
        set_witnesses(writer, add, quorum)
        settings = read_settings(layout)
        for known in settings.witnesses:
            typer.echo(f"{known.key} {known.url or 'by hand'}")
        typer.echo(f"Quorum: {settings.quorum}")


@app.command()
def cosign(log: Folder) -> None:
    """Ask all witnesses that have not cosigned the latest head.

    \b
    Examples:
      stillhunt log cosign log/
    """
    with writing_log(log) as writer:
        for sentence in sentences(writer, None, collect(writer)):
            typer.echo(sentence)


@app.command()
def request(
    log: Folder,
    old: Annotated[
        int, typer.Option(min=0, help="Leaves of the head that the witness cosigned last; 0: none.")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help="File; standard output by default.")] = None,
) -> None:
    """Write the request that a witness without a network answers with stillhunt witness cosign.

    \b
    Examples:
      stillhunt log request log/ --old 1200 --out request.txt
    """
    held = Log(log)
    head = held.head()
    if old > head.checkpoint.size:
        raise InputError(
            f"The log has {head.checkpoint.size:,} leaves, fewer than {old:,}.",
            "Ask the witness which head it cosigned last.",
        )
    body = make_request(held.tree(head.checkpoint.size), head.note, old)
    if out is None:
        typer.echo(body.decode("utf-8"), nl=False)
    else:
        out.write_bytes(body)


@app.command()
def cosigned(
    log: Folder,
    file: Annotated[Path, typer.Argument(help="What the witness sent back.")],
) -> None:
    """Add cosignatures that came by hand to the latest head.

    \b
    Examples:
      stillhunt log cosigned log/ cosignature.txt
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read.", "Check its name.") from error
    with writing_log(log) as writer:
        writer.add_cosignatures(parse_signatures(text))
        for sentence in sentences(writer, None, []):
            typer.echo(sentence)


def _day(time: int) -> str:
    return datetime.fromtimestamp(time / 1_000_000, UTC).strftime("%Y-%m-%d")
