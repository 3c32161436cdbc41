"""What a log has to give, from a look at its first rows."""

from __future__ import annotations

import ipaddress
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from stillhunt.errors import InputError
from stillhunt.readers.log_reader import LogReader
from stillhunt.readers.options import ReadOptions
from stillhunt.readers.quarantine import Quarantine
from stillhunt.readers.registry import Switch, log_formats
from stillhunt.readers.spend_logs import SpendLogs
from stillhunt.records.exchange import EXCHANGE_SCHEMA

ENOUGH = 0.5
"""Share of rows below which a column counts as missing, as in a hunt's coverage."""

_FEW = 3
_MANY = 10


@dataclass
class Checked:
    """One log, or its first rows.

    Attributes:
        name: as it was named; source: the format it was recognised as.
        rows: the first exchanges, by column.
        seen: exchanges looked at; lost: rows that became none, by reason; notes: rows that were
            kept though something in them was unreadable; skipped: what is no exchange.
        shares: of the exchanges looked at, by column.
        missing: what to switch on at the producer for columns that are not there.
        advice: what else is to be seen.
    """

    name: str
    source: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    seen: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    shares: dict[str, float] = field(default_factory=dict)
    missing: tuple[Switch, ...] = ()
    advice: list[str] = field(default_factory=list)


def checked(path: Path, options: ReadOptions, look: int, show: int) -> Checked:
    """Look at the beginning of a file.

    Args:
        path: the file; options: how it would be read.
        look: exchanges to look at; show: how many of them to keep.

    Raises:
        InputError: it cannot be read, or is of no known format.
    """
    with tempfile.TemporaryDirectory(prefix="stillhunt-check-") as folder:
        return _checked(path, str(path), options, look, show, Path(folder))


def checked_table(address: str, options: ReadOptions, look: int, show: int) -> Checked:
    """Look at rows of LiteLLM's table in a database, the oldest.

    Raises:
        InputError: the database cannot be read, or the table is empty.
    """
    with (
        tempfile.TemporaryDirectory(prefix="stillhunt-check-") as folder,
        _connected(address) as table,
    ):
        spool = Path(folder, "rows.jsonl")  # in a folder that only this user can enter
        rows = (row.data for row in islice(table.rows(0, None), look) if row.data is not None)
        with spool.open("wb") as file:
            written = sum(file.write(row + b"\n") for row in rows)
        if not written:
            raise InputError(f"{table.place} has no rows.", "Check that LiteLLM writes spend logs.")
        options = replace(options, source="litellm")
        return _checked(spool, table.place, options, look, show, Path(folder))


@contextmanager
def _connected(address: str) -> Iterator[SpendLogs]:
    table = SpendLogs(address)
    try:
        yield table
    finally:
        table.close()


def _checked(
    path: Path, name: str, options: ReadOptions, look: int, show: int, folder: Path
) -> Checked:
    filled: Counter[str] = Counter()
    addresses: Counter[str] = Counter()
    accounts: set[str] = set()
    with Quarantine(folder / "quarantine.jsonl") as quarantine:
        options = replace(options, batch_rows=min(look, options.batch_rows))
        reader = LogReader([path], options, quarantine, digests=False)
        found = Checked(name, reader.files[0].source)
        try:
            for batch in reader:
                rows = batch.exchanges.slice(0, look - found.seen)
                found.seen += rows.num_rows
                found.rows += rows.slice(0, show - len(found.rows)).to_pylist()
                for column in EXCHANGE_SCHEMA.names:
                    values = rows.column(column)
                    filled[column] += len(values) - values.null_count
                addresses.update(rows.column("client_address").drop_null().to_pylist())
                accounts.update(rows.column("account").to_pylist())
                if found.seen >= look:
                    break
        except InputError:
            pass  # no exchange in it: the reasons say why
        found.lost = Counter(quarantine.reasons)
        found.notes = Counter(quarantine.notes)
        found.skipped = Counter(quarantine.skipped)
    found.shares = {column: filled[column] / max(found.seen, 1) for column in EXCHANGE_SCHEMA.names}
    found.missing = _missing(found)
    found.advice += _about_addresses(addresses, len(accounts), options)
    return found


def _missing(found: Checked) -> tuple[Switch, ...]:
    """What would bring a column that most rows lack, or an account where rows were lost for it."""
    lacking = {column for column, share in found.shares.items() if share < ENOUGH}
    if "prompt" not in lacking:
        lacking.discard("system")  # most requests have none
    if found.lost.get("no account", 0) > found.seen:
        lacking.add("account")
    else:
        lacking.discard("account")
    switches = log_formats()[found.source].switches
    return tuple(switch for switch in switches if lacking & set(switch.columns))


def _about_addresses(addresses: Counter[str], accounts: int, options: ReadOptions) -> Iterator[str]:
    if not addresses or options.pseudonymiser is not None:
        return
    own = sum(n for address, n in addresses.items() if _is_own(address))
    if own > ENOUGH * addresses.total():
        yield (
            "Most client addresses are private or local: they are your own proxies'. Let the gateway "
            "log X-Forwarded-For, and give --trusted-hops N for as many proxies as you have in front."
        )
    elif len(addresses) <= _FEW and accounts >= _MANY:
        yield (
            f"{accounts:,} accounts come from {len(addresses)} addresses: if these are your own "
            "proxies', let the gateway log X-Forwarded-For, and give --trusted-hops N."
        )


def _is_own(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # Not is_private: that has the networks of documentation too.
    return (
        parsed.is_loopback
        or parsed.is_link_local
        or any(parsed in network for network in _PRIVATE if network.version == parsed.version)
    )


_PRIVATE = tuple(
    ipaddress.ip_network(network)
    # RFC 1918, RFC 6598 (carriers' and clouds' inner networks), RFC 4193
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
