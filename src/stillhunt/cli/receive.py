"""``stillhunt ingest --otlp``: take in what a collector sends, until told to stop."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from stillhunt.cli.sealing import sealing_into
from stillhunt.errors import UsageError
from stillhunt.readers import ReadOptions
from stillhunt.report.visible import visible
from stillhunt.store.ingest import Outcome
from stillhunt.store.sources.otlp import OtlpSource

_ADDRESS = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]*):)?(?P<port>\d{1,5})")
LOOPBACK = "127.0.0.1"


def receive(
    address: str,
    store: Path,
    options: ReadOptions,
    seconds: float,
    keep_days: int | None,
    threads: int | None,
    sentences: Callable[[Outcome], list[str]],
    seal: Path | None = None,
) -> None:
    """Receive OTLP until SIGTERM or Ctrl-C; what was acknowledged is in the store then.

    Args:
        address: where to listen; store, options, keep_days, threads: as in ``stillhunt ingest``.
        seconds: between two takings-in; sentences: what is said of one.
        seal: log into which what is taken in is sealed.
    """
    host, port = parsed(address)
    console = Console()
    sealed: list[str] = []
    source = OtlpSource(
        (host, port), store, options, keep_days=keep_days, threads=threads,
        beside=lambda held: sealing_into(seal, held, sealed),
    )  # fmt: skip
    where = f"[{source.address[0]}]" if ":" in source.address[0] else source.address[0]
    console.print(
        f"Receiving OTLP at http://{where}:{source.address[1]}/v1/traces and /v1/logs.",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    if not is_loopback(host):
        Console(stderr=True).print(
            "[yellow]Whoever reaches this address can write to the store: let only your collector.[/]"
        )

    def told(outcome: Outcome) -> None:
        lines = sentences(outcome) if outcome.files or outcome.known else []
        lines += [f"Not taken in: {reason}" for _, reason in outcome.refused[:3]]
        lines += sealed
        sealed.clear()
        if lines:
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
            line = escape(visible(" ".join(lines), 2000))
            console.print(f"{now} {line}", highlight=False, soft_wrap=True)

    def stop(_signal: int, _frame: object) -> None:
        source.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        source.run(seconds, told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    accepted, rejected = source.counts
    console.print(
        f"Stopped. Of {accepted + rejected:,} records received, {rejected:,} were rejected as no "
        "exchange; all others are in the store.",
        highlight=False,
    )


def parsed(address: str) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``, ``:PORT`` or ``PORT``; without a host, this machine's own.

    Raises:
        UsageError: it is none of these.
    """
    match = _ADDRESS.fullmatch(address.strip())
    if match is None or int(match["port"]) > 65_535:
        raise UsageError(
            f"The address {address!r} cannot be read.",
            "Give --otlp HOST:PORT, such as 127.0.0.1:4318; [::1]:4318 for IPv6.",
        )
    return (match["host"] or LOOPBACK).strip("[]"), int(match["port"])


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
