"""Runs hunts as they are shipped, on traffic that comes with its truth; also on less of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

import stillhunt
from _matching import Outcome, empty_findings, judge

ACCOUNTS = "accounts"
LOSSES: dict[str, tuple[str, ...]] = {
    ACCOUNTS: (),
    "text": ("system", "prompt", "response"),
    "addresses": ("client_address", "client_asn"),
    "tls": ("tls_fingerprint", "user_agent"),
}
"""What can be withheld from a hunt: the accounts table, or columns of the exchanges."""

_FOUND, _NOTHING, _REFUSED = 10, 0, 2


@dataclass(frozen=True, slots=True)
class Hunted:
    """One hunt and what is to be said of it.

    Attributes:
        level: name of the traffic's folder.
        outcome: found against planted.
        exit_code: what the command would have ended with; refusal: why, where that is 2.
        not_covered: (signal, consequence) of each signal that the hunt calls not available.
        seconds: wall time.
    """

    level: str
    outcome: Outcome
    exit_code: int
    refusal: str | None
    not_covered: tuple[tuple[str, str], ...]
    seconds: float


def levels_of(root: Path) -> list[str]:
    """Folders of ``root`` that hold exchanges, accounts and truth, by name."""
    parts = (
        "exchanges.parquet",
        "accounts.parquet",
        "truth/accounts.parquet",
        "truth/exchanges.parquet",
    )
    return sorted(
        folder.name for folder in root.iterdir() if all((folder / part).is_file() for part in parts)
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """How one hunt ended; its fields are those of ``Hunted``."""

    exit_code: int
    refusal: str | None
    not_covered: tuple[tuple[str, str], ...]
    seconds: float


def hunt_level(traffic: Path, lost: Sequence[str] = ()) -> Hunted:
    """Hunt in one folder of traffic with the shipped settings, without what is ``lost``."""
    with tempfile.TemporaryDirectory(prefix="stillhunt-benchmark-") as temporary:
        findings = Path(temporary) / "findings"
        ended = hunt_into(traffic, findings, lost)
        outcome = judge(traffic, findings, licences_known=ACCOUNTS not in lost)
    return Hunted(
        traffic.name, outcome, ended.exit_code, ended.refusal, ended.not_covered, ended.seconds
    )


def hunt_into(
    traffic: Path,
    findings: Path,
    lost: Sequence[str] = (),
    *,
    until: datetime | None = None,
    threads: int | None = None,
) -> Ended:
    """Hunt in one folder of traffic with the shipped settings and keep the findings.

    The hunt is given nothing but exchanges and accounts. One that refuses leaves empty findings.

    Args:
        traffic: folder with exchanges.parquet and accounts.parquet.
        findings: new folder, whose parent exists.
        lost: what is withheld, of LOSSES.
        until: only exchanges before it; None: all.
        threads: cores; None: all.
    """
    with tempfile.TemporaryDirectory(prefix=".withheld-", dir=findings.parent) as copy:
        request = stillhunt.HuntRequest(
            logs=(_without(traffic / "exchanges.parquet", Path(copy), lost),),
            out=findings,
            accounts=None if ACCOUNTS in lost else traffic / "accounts.parquet",
            until=until,
            threads=threads,
        )
        began = time.perf_counter()
        try:
            result = stillhunt.hunt(request)
        except stillhunt.StillhuntError as error:
            findings.mkdir(exist_ok=True)
            empty_findings(findings)
            return Ended(_REFUSED, str(error), (), time.perf_counter() - began)
        return Ended(
            exit_code=_FOUND if result.campaigns.num_rows else _NOTHING,
            refusal=None,
            not_covered=tuple(
                (row["signal"], row["consequence"])
                for row in result.coverage.to_pylist()
                if not row["available"]
            ),
            seconds=time.perf_counter() - began,
        )


def _without(exchanges: Path, folder: Path, lost: Sequence[str]) -> Path:
    """The exchanges themselves, or a copy in ``folder`` that lacks columns."""
    dropped = {column for loss in lost for column in LOSSES[loss]}
    with pq.ParquetFile(exchanges) as file:
        kept = [name for name in file.schema_arrow.names if name not in dropped]
        if len(kept) == len(file.schema_arrow.names):
            return exchanges
        copy = folder / "exchanges.parquet"
        batches = file.iter_batches(columns=kept)
        first = next(batches, None)
        if first is None:
            return exchanges
        with pq.ParquetWriter(copy, first.schema, compression="zstd") as writer:
            writer.write_batch(first)
            for batch in batches:
                writer.write_batch(batch)
    return copy
