"""What a hunt is asked to do, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from stillhunt.errors import UsageError
from stillhunt.readers import ReadOptions
from stillhunt.readers.spend_logs import is_database, place_of
from stillhunt.scoring.harvest import PRIOR


@dataclass(frozen=True)
class HuntRequest:
    """A hunt's inputs and settings; every setting has a default.

    Attributes:
        logs: files or folders of logs; as text, addresses (see ``is_address``) that Spark reads. None
            where there is a store.
        store: folder of a store to hunt in, or None.
        out: folder for the findings; replaced as a whole.
        accounts: the accounts table, or None.
        read: how logs are read.
        since, until: only exchanges from since (inclusive) to until (exclusive); None: all.
        fdr: bound on the false discovery rate over clusters, and the level for links.
        prior: see ``scoring.harvest.PRIOR``.
        max_bad: share of malformed rows above which the hunt refuses to conclude.
        memory: the engine's limit; threads: cores, by default all.
        engine: ``duckdb``, in this process, or ``spark``; master, spark_conf (name and value): of Spark.
        clear: write indicator values in clear rather than as keyed hashes.
        jsonl: write tables as JSON Lines rather than Parquet.
        seeds: known-bad accounts; what they lead to is kept apart.
        allow: accounts or organizations that are never named.
        previous: an earlier hunt's findings, whose campaigns keep their ids; may be ``out`` itself.
        verdicts: file of reviewers' verdicts; None: those that ``previous`` remembers.
        calibrate_on_verdicts: let verdicts change the comparison and the prior.
    """

    logs: tuple[Path | str, ...]
    out: Path
    store: Path | None = None
    accounts: Path | None = None
    read: ReadOptions = field(default_factory=ReadOptions)
    since: datetime | None = None
    until: datetime | None = None
    fdr: float = 0.01
    prior: float = PRIOR
    max_bad: float = 0.01
    memory: str = "1GB"
    threads: int | None = None
    engine: Literal["duckdb", "spark"] = "duckdb"
    master: str | None = None
    spark_conf: tuple[tuple[str, str], ...] = ()
    clear: bool = False
    jsonl: bool = False
    seeds: frozenset[str] = frozenset()
    allow: frozenset[str] = frozenset()
    previous: Path | None = None
    verdicts: Path | None = None
    calibrate_on_verdicts: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """The logs as paths.

        Raises:
            UsageError: one is an address.
        """
        for log in self.logs:
            if is_database(log):
                place = place_of(str(log))
                raise UsageError(
                    f"{place} is a database, which is read into a store and hunted there.",
                    "Run stillhunt ingest with its address and --store store/, then stillhunt hunt "
                    "--store store/.",
                )
            if is_address(log):
                raise UsageError(
                    f"{log} is an address, which this hunt cannot read: that takes Spark, and logs that "
                    "are canonical Parquet.",
                    "Give --engine spark, or copy the logs to a folder.",
                )
        return tuple(Path(log) for log in self.logs)


def is_address(log: Path | str) -> bool:
    """Whether a log is no path here: ``s3a://bucket/logs/``, or ``table:`` and the name of a table."""
    return isinstance(log, str) and ("://" in log or log.startswith("table:"))


@dataclass(frozen=True)
class Progress:
    """How a hunt tells what it is doing.

    Attributes:
        stage: called with a stage's name as it begins.
        advance: called with (done, total) in bytes while logs are read.
    """

    stage: Callable[[str], None] = lambda _name: None
    advance: Callable[[int, int], None] = lambda _done, _total: None
