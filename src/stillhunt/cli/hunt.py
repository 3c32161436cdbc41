"""``stillhunt hunt``: logs in, campaigns out."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from stillhunt.campaigns.hunt import HuntResult
from stillhunt.campaigns.hunt import hunt as run_hunt
from stillhunt.campaigns.outputs import has_table
from stillhunt.campaigns.request import HuntRequest, Progress, is_address
from stillhunt.cli.options import (
    Accounts,
    LogpushKey,
    Mapping,
    MaxBadOfAll,
    Memory,
    Pseudonymise,
    Source,
    Threads,
    TrustedHops,
    read_options,
    warn_of_key,
)
from stillhunt.cli.over_time import show_over_time
from stillhunt.cli.spark import spark_settings
from stillhunt.errors import MissingExtraError, UsageError
from stillhunt.records.pseudonyms import Pseudonymiser
from stillhunt.report.page import write_report
from stillhunt.report.price import price_of
from stillhunt.report.visible import visible
from stillhunt.scoring.calibration import estimative_word
from stillhunt.scoring.harvest import PRIOR


def hunt(
    logs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Log files, or folders of them; with Spark also s3a://... or table:NAME."
        ),
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="Hunt in a store (see stillhunt ingest) instead of logs.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the findings; replaced as a whole.")] = Path(
        "out"
    ),
    accounts: Accounts = None,
    source: Source = "auto",
    mapping: Mapping = None,
    logpush_key: LogpushKey = None,
    trusted_hops: TrustedHops = 0,
    since: Annotated[
        datetime | None, typer.Option(help="Only exchanges from here on (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Only exchanges before this (UTC).")
    ] = None,
    fdr: Annotated[
        float,
        typer.Option(min=1e-6, max=0.5, help="Bound on the false discovery rate over clusters."),
    ] = 0.01,
    prior: Annotated[
        float,
        typer.Option(
            min=0.001,
            max=0.999,
            help="Chance that a cluster acting as one is a harvest, beforehand.",
        ),
    ] = PRIOR,
    pseudonymise: Pseudonymise = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Write linked addresses, payers and domains in clear.")
    ] = False,
    seed: Annotated[
        Path | None,
        typer.Option(help="Known-bad accounts, one a line; what they lead to is kept apart."),
    ] = None,
    allow: Annotated[
        Path | None,
        typer.Option(help="Accounts or organizations that are never named, one a line."),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(
            help="Findings of an earlier hunt: campaigns keep their ids, and what changed is told."
        ),
    ] = None,
    verdicts: Annotated[
        Path | None,
        typer.Option(help="Reviewers' verdicts (TOML, JSON Lines or CSV), to be remembered."),
    ] = None,
    calibrate_on_verdicts: Annotated[
        bool,
        typer.Option(
            "--calibrate-on-verdicts",
            help="Let verdicts change the prior and whom clusters are compared with.",
        ),
    ] = False,
    max_bad: MaxBadOfAll = 0.01,
    memory: Memory = "1GB",
    threads: Threads = None,
    engine: Annotated[
        str, typer.Option(help="duckdb, in this process, or spark, on a cluster or on all cores.")
    ] = "duckdb",
    master: Annotated[
        str | None,
        typer.Option(
            help="Spark's master, for example spark://host:7077; by default spark-submit's, or local[*]."
        ),
    ] = None,
    spark_conf: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A setting of Spark; may be given many times."),
    ] = None,
    table_format: Annotated[
        str, typer.Option("--format", help="Tables as parquet or jsonl.")
    ] = "parquet",
    price_input: Annotated[
        float | None,
        typer.Option(min=0.0, help="A licence's price per million input tokens, for the report."),
    ] = None,
    price_output: Annotated[
        float | None, typer.Option(min=0.0, help="The same for output tokens.")
    ] = None,
    exit_code: Annotated[
        bool, typer.Option(help="Exit with 10 where campaigns are found; --no-exit-code: with 0.")
    ] = True,
) -> None:
    """Find campaigns in logs: networks of accounts that act as one and harvest answers.

    Writes campaigns, accounts, exchanges, links and coverage as tables, hunt.json, and
    report.html. Exit codes: 0 nothing found, 10 campaigns found, 2 wrong usage or unreadable input.

    \b
    Examples:
      stillhunt hunt logs/ --accounts accounts.parquet --out out/
      stillhunt hunt spend_logs.csv.gz --source litellm --trusted-hops 1
      stillhunt hunt logs/ --since 2026-01-01 --until 2026-01-15 --memory 4GB
      stillhunt hunt logs/ --pseudonymise key.txt --allow allow.txt
      stillhunt hunt logs/ --previous out/ --out out/
      stillhunt hunt logs/ --previous out/ --out out/ --verdicts verdicts.toml
      stillhunt hunt logs/ --verdicts verdicts.toml --calibrate-on-verdicts
      stillhunt hunt --store store/ --since 2026-01-01
      stillhunt hunt s3a://bucket/logs/ --engine spark --master spark://host:7077
    """
    if table_format not in ("parquet", "jsonl"):
        raise UsageError(
            f"There is no table format {table_format!r}.", "Use --format parquet or jsonl."
        )
    if bool(logs) == (store is not None):
        raise UsageError(
            "A hunt is either in logs or in a store.",
            "Name log files, or a store with --store DIR.",
        )
    settings = spark_settings(engine, master, spark_conf or [])
    price_of(price_input, price_output)  # complains now, not after the hunt
    options = read_options(source, mapping, trusted_hops, pseudonymise, logpush_key)
    request = HuntRequest(
        logs=tuple(log if is_address(log) else Path(log) for log in logs or ()),
        out=out,
        store=store,
        accounts=accounts,
        read=options,
        since=since,
        until=until,
        fdr=fdr,
        prior=prior,
        max_bad=max_bad,
        memory=memory,
        threads=threads,
        engine="spark" if engine == "spark" else "duckdb",
        master=master,
        spark_conf=settings,
        clear=clear,
        jsonl=table_format == "jsonl",
        seeds=_names(seed, options.pseudonymiser),
        allow=_names(allow, options.pseudonymiser),
        previous=previous,
        verdicts=verdicts,
        calibrate_on_verdicts=calibrate_on_verdicts,
    )
    told = Console(stderr=True)
    warn_of_key(options, told)

    if previous is None and has_table(out, "history"):
        told.print(
            f"[yellow]{escape(visible(str(out), 200))} holds campaigns followed over time, which this "
            "hunt replaces and does not carry on; --previous would.[/]"
        )

    def finish(folder: Path) -> None:
        try:
            write_report(folder, price_input=price_input, price_output=price_output)
        except MissingExtraError as error:
            # The findings are worth having without the page.
            told.print(f"[yellow]No report: {escape(error.problem)} {escape(error.remedy)}[/]")

    with Bar(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
        console=told, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("", total=None)
        progress = Progress(
            stage=lambda name: bar.update(task, description=name, total=None, completed=0),
            advance=lambda done, total: bar.update(task, completed=done, total=total),
        )
        result = run_hunt(request, progress, finish=[finish])
    # Redirected output has no width of its own; tables need one.
    console = Console() if sys.stdout.isatty() else Console(width=120)
    _show(result, console)
    show_over_time(result, console)
    report = result.out / "report.html"
    where = f"Report: {report}" if report.is_file() else f"Findings: {result.out}"
    console.print(escape(where), soft_wrap=True)
    if exit_code and result.campaigns.num_rows:
        raise typer.Exit(10)


def _names(path: Path | None, pseudonymiser: Pseudonymiser | None) -> frozenset[str]:
    """Names listed in a file, as the hunt knows them."""
    if path is None:
        return frozenset()
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The list {path} cannot be read: {error}.",
            "Give a UTF-8 text file with one name a line.",
        ) from error
    names = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    if pseudonymiser is None:
        return frozenset(names)
    return frozenset(
        pseudonymiser.pseudonym(domain, name)
        for name in names
        for domain in ("account", "organization")
    )


def _show(result: HuntResult, console: Console) -> None:
    counts = result.record["counts"]
    if result.campaigns.num_rows == 0:
        console.print(
            f"No campaign among {counts['exchanges']:,} exchanges of {counts['entities']:,} entities "
            f"({counts['clusters_tested']} clusters looked at). "
            f"{result.record['smallest_detectable']['sentence']}"
        )
    else:
        table = Table(title=f"{result.campaigns.num_rows} campaigns", title_justify="left")
        for name, justify in (
            ("campaign", "left"), ("accounts", "right"), ("exchanges", "right"), ("output tokens", "right"),
            ("kinds", "left"), ("probability", "left"), ("q", "right"),
        ):  # fmt: skip
            table.add_column(name, justify=justify)  # type: ignore[arg-type]
        for row in result.campaigns.to_pylist():
            table.add_row(
                escape(visible(row["campaign"], 60)),
                f"{row['accounts']:,}",
                f"{row['exchanges']:,} ({row['exchanges_low']:,} to {row['exchanges_high']:,})",
                f"{row['output_tokens']:,}" if row["output_tokens"] is not None else "unknown",
                escape(", ".join(row["kinds"])),
                f"{row['probability']:.2f} {estimative_word(row['probability'])}",
                f"{row['q_value']:.1g}",
            )
        console.print(table)
    for listed, names in result.record["unknown_names"].items():
        # With pseudonyms each name is tried as an account and as an organization; one must fit.
        if names and result.record["parameters"]["pseudonymised"] is None:
            shown = ", ".join(visible(name, 60) for name in names[:5])
            more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
            console.print(
                f"[yellow]Unknown in these logs[/], though on the --{listed} list: {escape(shown)}{more}"
            )
    lost = [r for r in result.coverage.to_pylist() if not r["available"]]
    for row in lost:
        console.print(
            f"[yellow]Not covered[/]: {escape(row['signal'])}: {escape(row['consequence'])}"
        )
    if result.seeds is not None:
        console.print(
            f"The given seeds lead to {result.seeds.num_rows:,} further accounts (table seeds, outside the "
            "bound on false discoveries)."
        )
    if counts["quarantined"]:
        where = "the store's quarantine" if "store" in result.record else "quarantine.jsonl"
        console.print(f"Rows in {where}: {counts['quarantined']:,}.")
