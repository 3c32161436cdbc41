"""Options that several commands share, and what follows from them: one wording for one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from stillhunt.readers import ReadOptions
from stillhunt.records.pseudonyms import Pseudonymiser

Accounts = Annotated[Path | None, typer.Option(help="Accounts table (Parquet, CSV or JSON Lines).")]
Source = Annotated[str, typer.Option(help="Log format; stillhunt formats lists them.")]
Mapping = Annotated[
    Path | None, typer.Option(help="TOML file that maps your own JSON (with --source mapping).")
]
LogpushKey = Annotated[
    Path | None,
    typer.Option(help="PEM file of the private key that opens what Cloudflare encrypted."),
]
TrustedHops = Annotated[
    int, typer.Option(min=0, help="Your own proxies before the gateway, for X-Forwarded-For.")
]
Pseudonymise = Annotated[
    Path | None,
    typer.Option(help="Key file: hash accounts, addresses, e-mail domains as they are read."),
]
KeepDays = Annotated[
    int | None,
    typer.Option(min=1, help="Keep so many days, today included; delete what is older (UTC)."),
]
MaxBadOfAll = Annotated[
    float,
    typer.Option(
        min=0.0, max=1.0, help="Share of malformed rows above which nothing is concluded."
    ),
]
MaxBadOfFile = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Share of malformed rows above which a file is refused."),
]
Memory = Annotated[
    str, typer.Option(help="Memory limit of the engine; beyond it, it spills to disk.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="Cores to use; all by default.")]
ManyLogs = Annotated[
    list[str],
    typer.Argument(
        help="Log files, or folders of them; or postgresql://USER@HOST/DATABASE of LiteLLM."
    ),
]


def read_options(
    source: str,
    mapping: Path | None,
    trusted_hops: int,
    pseudonymise: Path | None,
    logpush_key: Path | None = None,
) -> ReadOptions:
    """How logs are read, as these options say.

    Raises:
        UsageError, InputError: the key file or the mapping cannot be used.
    """
    return ReadOptions(
        source=source,
        mapping=mapping,
        trusted_hops=trusted_hops,
        pseudonymiser=Pseudonymiser.from_file(pseudonymise) if pseudonymise else None,
        logpush_key=logpush_key,
    )


def warn_of_key(options: ReadOptions, told: Console) -> None:
    """Say what is to be feared for the key of pseudonyms, where there is something."""
    if options.pseudonymiser is not None and options.pseudonymiser.warning:
        told.print(f"[yellow]{escape(options.pseudonymiser.warning)}[/]")
