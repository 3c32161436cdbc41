"""``stillhunt witness``: cosigning other parties' logs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from stillhunt.errors import InputError, StillhuntError, UsageError
from stillhunt.evidence.checkpoint import SignedCheckpoint, open_checkpoint
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.merkle import tree_root
from stillhunt.evidence.note import ED25519, VerifierKey, parse_vkey
from stillhunt.evidence.split_view import check, different_leaf, same_size
from stillhunt.evidence.tiles import TileReader
from stillhunt.evidence.witness_state import create_witness, holding_witness
from stillhunt.sharing.witness_server import WitnessServer

app = typer.Typer(
    name="witness",
    help="Cosign other parties' logs, so that none of them can show two histories.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Folder = Annotated[Path, typer.Argument(help="Folder of the witness.")]


@app.command()
def init(
    folder: Folder,
    name: Annotated[
        str, typer.Option(help="The witness's name, an address without scheme: w.example.org.")
    ],
) -> None:
    """Make a witness with a new key, and print its public key.

    Back up the folder, and never go on from an old copy of it: what it cosigned is its memory.

    \b
    Examples:
      stillhunt witness init witness/ --name witness.example.org
    """
    try:
        typer.echo(str(create_witness(folder, name).key()))
    except EvidenceError as error:
        raise UsageError(error.problem, error.remedy) from error


@app.command()
def trust(
    folder: Folder,
    vkey: Annotated[list[str], typer.Argument(help="Public keys of logs.")],
) -> None:
    """Cosign this log from now on. A log that rotates its key has several.

    \b
    Examples:
      stillhunt witness trust witness/ 'logs.example.com/gateway+1a2b3c4d+AQ…'
    """
    with holding_witness(folder) as held:
        for text in vkey:
            held.add_log(_log_key(text))
        for key in held.logs():
            typer.echo(str(key))


@app.command()
def serve(
    folder: Folder,
    listen: Annotated[str, typer.Option(help="Address and port.")] = "127.0.0.1:8420",
) -> None:
    """Answer requests to cosign over HTTP (C2SP tlog-witness), until stopped.

    Put a web server that speaks TLS in front of it. Requests need no password: a head counts only
    with its log's signature.

    \b
    Examples:
      stillhunt witness serve witness/ --listen 127.0.0.1:8420
    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{listen!r} is no address and port.", "Give one such as 127.0.0.1:8420.")
    console = Console()
    lock = threading.Lock()

    def told(line: str) -> None:
        with lock:
            console.print(escape(line), highlight=False, soft_wrap=True)

    with holding_witness(folder) as held:
        server = WitnessServer((host.strip("[]"), int(port)), held.witness(), told)
        with server:
            told(f"{held.key()} at http://{host}:{server.server_address[1]}")
            try:
                server.serve_forever(poll_interval=0.1)
            except KeyboardInterrupt:
                told("Stopped.")


@app.command()
def cosign(
    folder: Folder,
    request: Annotated[Path, typer.Argument(help="File that stillhunt log request made.")],
    out: Annotated[Path | None, typer.Option(help="File; standard output by default.")] = None,
) -> None:
    """Cosign by hand, for parties without a network.

    \b
    Examples:
      stillhunt witness cosign witness/ request.txt --out cosignature.txt
    """
    with holding_witness(folder) as held:
        reply = held.witness().add_checkpoint(_read(request))
    said = reply.body.decode("utf-8")
    if reply.status == 409:
        raise InputError(
            f"This witness cosigned a head of {said.strip()} leaves last, and the request goes on from "
            "another, or contradicts it.",
            f"Ask for one that was made with --old {said.strip()}; see {folder / 'split-views'}.",
        )
    if reply.status != 200:
        raise InputError(f"Not cosigned: {said.strip()}", "Ask the log for another request.")
    if out is None:
        typer.echo(said, nl=False)
    else:
        out.write_text(said, "utf-8")


@app.command("split-view")
def split_view(
    file: Annotated[Path, typer.Argument(help="A proof, such as WITNESS/split-views/….json.")],
    vkey: Annotated[
        list[str], typer.Option(help="Public key of the log, from elsewhere; repeatable.")
    ],
) -> None:
    """Check a proof that a log showed two histories. Exit codes: 0 it did, 2 that is not shown.

    \b
    Examples:
      stillhunt witness split-view split-view.json --vkey 'logs.example.com/gateway+1a2b3c4d+AQ…'
    """
    shown = check(_read(file), [_log_key(text) for text in vkey])
    typer.echo(ascii(str(shown))[1:-1])


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A copy of a log's public folder.")],
    second: Annotated[Path, typer.Argument(help="Another party's copy of the same log's.")],
    vkey: Annotated[
        list[str], typer.Option(help="Public key of the log, from elsewhere; repeatable.")
    ],
    out: Annotated[Path, typer.Option(help="File for the proof, if there is one.")] = Path(
        "split-view.json"
    ),
) -> None:
    """Compare what two parties were shown of one log. Exit codes: 0 one history, 10 two, 2 wrong usage.

    \b
    Examples:
      stillhunt witness compare ours/ theirs/ --vkey 'logs.example.com/gateway+1a2b3c4d+AQ…'
    """
    keys = [_log_key(text) for text in vkey]
    sides = [_side(folder, keys) for folder in (first, second)]
    notes = [head.note.encode() for head, _ in sides]
    proof = same_size(*notes) or different_leaf(notes[0], sides[0][1], notes[1], sides[1][1])
    if proof is None:
        sizes = sorted(head.checkpoint.size for head, _ in sides)
        typer.echo(
            f"One history: the head of {sizes[1]:,} leaves goes on from that of {sizes[0]:,}."
        )
        return
    shown = check(proof, keys)  # that tiles lead to their heads, too
    out.write_bytes(proof)
    typer.echo(f"{ascii(str(shown))[1:-1]} The proof is {out}.")
    raise typer.Exit(10)


def _side(folder: Path, keys: list[VerifierKey]) -> tuple[SignedCheckpoint, TileReader]:
    head = open_checkpoint(_read(folder / "checkpoint"), keys, origin=keys[0].name)
    size = head.checkpoint.size
    tree = TileReader(lambda path: (folder / path).read_bytes(), size)
    if tree_root(tree, size) != head.checkpoint.root:
        raise InputError(
            f"The tiles in {folder} are not those of its head.", "Copy the folder again as a whole."
        )
    return head, tree


def _log_key(text: str) -> VerifierKey:
    try:
        key = parse_vkey(text)
    except StillhuntError as error:
        raise UsageError(
            error.problem, "Give name+id+key as stillhunt log keys prints it."
        ) from error
    if key.kind != ED25519:
        raise UsageError(f"The key of {key.name} is none of a log.", "Ask for the log's key.")
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its name.") from error
