"""``stillhunt watch``: take in and hunt, again and again."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from stillhunt.campaigns.hunt import HuntResult
from stillhunt.campaigns.hunt import hunt as run_hunt
from stillhunt.campaigns.outputs import read_json
from stillhunt.campaigns.request import HuntRequest
from stillhunt.cli.ingest import sentences
from stillhunt.cli.options import (
    KeepDays,
    LogpushKey,
    Mapping,
    MaxBadOfFile,
    Memory,
    Pseudonymise,
    Source,
    Threads,
    TrustedHops,
    read_options,
    warn_of_key,
)
from stillhunt.cli.sealing import SealOption, sealing_into
from stillhunt.errors import MissingExtraError, StillhuntError, UsageError
from stillhunt.readers import ReadOptions
from stillhunt.report.page import write_report
from stillhunt.report.visible import visible
from stillhunt.store.accounts import take_accounts
from stillhunt.store.ingest import Ingest, Outcome, keep_from
from stillhunt.store.sources.folder import settled_files
from stillhunt.store.sources.kafka import Topic
from stillhunt.store.store import store_to_write
from stillhunt.store.upkeep import keep_up

_PERIOD = re.compile(r"(\d{1,6})\s?([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Stopped(BaseException):
    """The process was asked to end."""


def watch(
    store: Annotated[Path, typer.Option(help="Folder of the store; made where there is none.")],
    folder: Annotated[
        list[Path] | None, typer.Option(help="Folder that a collector writes logs to; repeatable.")
    ] = None,
    kafka: Annotated[
        str | None, typer.Option(metavar="BROKERS", help="host:port[,host:port] of Kafka brokers.")
    ] = None,
    topic: Annotated[
        str | None, typer.Option(help="Topic with one log record a message (with --kafka).")
    ] = None,
    kafka_settings: Annotated[
        Path | None,
        typer.Option(help="librdkafka's settings, name=value a line: encryption, passwords."),
    ] = None,
    every: Annotated[str, typer.Option(help="How often: 90s, 30m, 1h, 1d.")] = "1h",
    out: Annotated[Path, typer.Option(help="Folder for the findings; replaced as a whole.")] = Path(
        "out"
    ),
    accounts: Annotated[
        Path | None, typer.Option(help="Accounts table; read again whenever it has changed.")
    ] = None,
    keep_days: KeepDays = None,
    hunt_days: Annotated[
        int | None, typer.Option(min=1, help="Hunt in so many days, today included; else in all.")
    ] = None,
    settle: Annotated[
        float, typer.Option(min=0.0, help="Seconds that a file must have been left alone.")
    ] = 10.0,
    source: Source = "auto",
    mapping: Mapping = None,
    logpush_key: LogpushKey = None,
    trusted_hops: TrustedHops = 0,
    pseudonymise: Pseudonymise = None,
    max_bad: MaxBadOfFile = 0.01,
    memory: Memory = "1GB",
    threads: Threads = None,
    seal: SealOption = None,
    cycles: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many; by default only when told to.")
    ] = None,
) -> None:
    """Take what is new into a store and hunt in it, on a schedule.

    From a folder that a collector writes to, or from a Kafka topic. After each cycle that brought
    something OUT is replaced; campaigns keep their ids. What is wrong with one file, or for a while
    with the brokers, is told and does not end the watch. Prints a line a cycle. SIGTERM and Ctrl-C
    end it, with exit code 0 and nothing lost.

    \b
    Examples:
      stillhunt watch --store store/ --folder /var/log/gateway --every 1h --out out/
      stillhunt watch --store store/ --folder in/ --keep-days 90 --hunt-days 30
      stillhunt watch --store store/ --folder in/ --seal log/
      stillhunt watch --store store/ --kafka localhost:9092 --topic exchanges --source canonical
    """
    seconds = _seconds(every)
    if bool(folder) == (kafka is not None) or (kafka is None) != (topic is None):
        raise UsageError(
            "It is watched either a folder or a Kafka topic.",
            "Give --folder IN, or --kafka BROKERS with --topic NAME.",
        )
    options = read_options(source, mapping, trusted_hops, pseudonymise, logpush_key)
    warn_of_key(options, Console(stderr=True))
    messages = (
        Topic(kafka, topic, _settings(kafka_settings)) if kafka and topic is not None else None
    )
    cycle = _Cycle(
        store=store,
        folders=tuple(folder or ()),
        topic=messages,
        accounts=accounts,
        options=options,
        keep_days=keep_days,
        hunt_days=hunt_days,
        settle=settle,
        max_bad=max_bad,
        memory=memory,
        threads=threads,
        out=out,
        seal=seal,
        console=Console(),
    )
    done = 0
    with _until_stopped(cycle.console):
        try:
            while cycles is None or done < cycles:
                began = time.monotonic()
                cycle.run()
                done += 1
                if cycles is None or done < cycles:
                    time.sleep(max(0.0, began + seconds - time.monotonic()))
        finally:
            if messages is not None:
                messages.close()


@dataclass
class _Cycle:
    """What is done each time; attributes as on the command line."""

    store: Path
    folders: tuple[Path, ...]
    topic: Topic | None
    accounts: Path | None
    options: ReadOptions
    keep_days: int | None
    hunt_days: int | None
    settle: float
    max_bad: float
    memory: str
    threads: int | None
    out: Path
    seal: Path | None
    console: Console

    def run(self) -> None:
        """Take in, keep up, hunt; tell it in one line."""
        told: list[str] = []
        try:
            transactions = self._take(told)
        except StillhuntError as error:
            self._tell([*told, f"Error: {error.problem} {error.remedy}"])
            return
        try:
            if transactions != self._hunted():
                told.append(self._hunt())
            else:
                told.append("Nothing to hunt anew.")
        except StillhuntError as error:
            told.append(f"No hunt: {error.problem} {error.remedy}")
        self._tell(told)

    def _take(self, told: list[str]) -> int:
        """Take in what is new; how many transactions the store has then."""
        key = self.options.pseudonymiser.key_id if self.options.pseudonymiser else None
        with store_to_write(self.store, key) as held, sealing_into(self.seal, held, told):
            ingest = Ingest(
                held,
                self.options,
                self.max_bad,
                keep_from(self.keep_days),
                self.threads,
                again=False,
            )
            try:
                if self.accounts is not None:
                    take_accounts(held, self.accounts, self.options, self.max_bad)
                if self.topic is not None:
                    outcome = self.topic.take(ingest)
                else:
                    outcome = ingest.take(settled_files(self.folders, self.settle))
                told += _brief(outcome)
            except StillhuntError as error:
                # What came in before still is to be kept up and hunted.
                told.append(f"Error: {error.problem} {error.remedy}")
            expired = keep_up(held, self.keep_days)
            if expired:
                told.append(f"{expired:,} exchanges expired.")
            return held.state.transactions

    def _hunted(self) -> int | None:
        """Transactions of the store when it was last hunted."""
        try:
            known = read_json(self.out / "hunt.json").get("store") or {}
        except StillhuntError:
            return None
        there = known.get("path") == str(self.store)
        return known.get("transactions") if there and self.hunt_days is None else None

    def _hunt(self) -> str:
        earlier = self.out if (self.out / "hunt.json").is_file() else None
        result = run_hunt(
            HuntRequest(
                logs=(),
                store=self.store,
                out=self.out,
                read=self.options,
                since=keep_from(self.hunt_days),
                memory=self.memory,
                threads=self.threads,
                previous=earlier,
            ),
            finish=[_page],
        )
        return _found(result)

    def _tell(self, told: list[str]) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        line = visible(" ".join(told), 2000)
        self.console.print(f"{now} {escape(line)}", highlight=False, soft_wrap=True)


def _brief(outcome: Outcome) -> list[str]:
    told = sentences(outcome)
    for path, reason in outcome.refused[:3]:
        told.append(f"Refused: {reason}" if str(path) in reason else f"Refused: {path}: {reason}")
    if len(outcome.refused) > 3:
        told.append(f"{len(outcome.refused) - 3} more files were refused.")
    return told


def _found(result: HuntResult) -> str:
    count = result.campaigns.num_rows
    # Without an earlier hunt all are new.
    earlier = result.record.get("lifecycle")
    new = earlier["campaigns"].get("new", 0) if earlier else count
    exchanges = result.record["counts"]["exchanges"]
    took = (result.record["finished"] - result.record["started"]).total_seconds()
    return (
        f"{count} campaign{'' if count == 1 else 's'} ({new} new) among {exchanges:,} exchanges, in "
        f"{took:.0f} s."
    )


def _page(folder: Path) -> None:
    try:
        write_report(folder)
    except MissingExtraError:
        return  # the findings are worth having without the page


def _seconds(every: str) -> int:
    match = _PERIOD.fullmatch(every.strip().lower())
    if match is None or int(match[1]) == 0:
        raise UsageError(
            f"The period {every!r} cannot be read.",
            "Give a number with a unit: 90s, 30m, 1h or 1d.",
        )
    return int(match[1]) * _SECONDS[match[2]]


def _settings(path: Path | None) -> dict[str, str]:
    """librdkafka's settings, as its own tools have them in a file."""
    if path is None:
        return {}
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The settings {path} cannot be read: {error}.", "Give a UTF-8 file, name=value a line."
        ) from error
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    if any(not sign for _, sign, _ in pairs):
        raise UsageError(
            f"The settings {path} have a line without =.", "Write name=value, one a line."
        )
    return {name.strip(): value.strip() for name, _, value in pairs}


@contextmanager
def _until_stopped(console: Console) -> Iterator[None]:
    """End quietly on SIGTERM and SIGINT; whatever was under way is undone or was done."""

    def stop(_signal: int, _frame: object) -> NoReturn:
        raise _Stopped

    before = {s: signal.signal(s, stop) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except (_Stopped, KeyboardInterrupt):  # the engine turns the former into the latter
        console.print("Stopped. What was taken in is in the store.", highlight=False)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
