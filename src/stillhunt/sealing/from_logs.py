"""Seals exchanges straight from log files, of any format that readers know."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from stillhunt.errors import InputError
from stillhunt.evidence.log.recovery import WORK
from stillhunt.evidence.log.seam import MakeTotals
from stillhunt.evidence.log.writer import LogWriter
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import LogReader, Quarantine, ReadOptions, read_accounts
from stillhunt.sealing.from_store import Sealed, seal_store
from stillhunt.store.intake import Intake, together
from stillhunt.store.manifest import Input, Transaction
from stillhunt.store.store import create_store

MOST_NAMED = 1000
"""Files whose digests stand in a batch record one by one."""


@dataclass(frozen=True)
class LogFiles:
    """What is to be sealed.

    Attributes:
        paths: files or folders; accounts: the accounts table, or None.
        options: how they are read; max_bad: share of bad rows above which nothing is sealed.
        quarantine: file for bad rows; threads: cores for the text kernel, by default all.
    """

    paths: Sequence[Path]
    options: ReadOptions
    quarantine: Path
    accounts: Path | None = None
    max_bad: float = 0.01
    threads: int | None = None


def seal_logs(
    writer: LogWriter,
    files: LogFiles,
    advance: Callable[[int, int], None] = lambda _done, _all: None,
    totals: MakeTotals | None = None,
) -> tuple[Sealed, int]:
    """Append the exchanges of log files that are not sealed yet.

    Of rows with one exchange id the earliest counts. Text is fingerprinted and goes no further.

    Args:
        writer: of the log; files: what is read; advance: told (done, total) in bytes.
        totals: as of ``LogWriter.append``.

    Returns:
        What was sealed, and how many rows were bad or duplicates.

    Raises:
        InputError: files cannot be read, or too many rows are bad.
        OutputError: the log cannot be written.
    """
    with (
        Quarantine(files.quarantine, excerpts=files.options.pseudonymiser is None) as quarantine,
        tempfile.TemporaryDirectory(prefix=WORK, dir=writer.log.layout.private) as work,
    ):
        accounts = (
            read_accounts(files.accounts, files.options, quarantine) if files.accounts else None
        )
        bad_accounts = quarantine.count
        reader = LogReader(files.paths, files.options, quarantine)
        number = {str(f.path): i for i, f in enumerate(reader.files)}
        total = sum(f.bytes for f in reader.files)
        store = create_store(Path(work) / "store", lasting=False)
        intake = Intake(store, Observer(files.threads))
        for batch in together(iter(reader)):
            if batch.exchanges.num_rows:
                intake.take(batch, number[batch.file])
            advance(reader.bytes_read, total)
        bad = quarantine.count - bad_accounts
        if bad > files.max_bad * max(reader.rows_read, 1):
            reason, n = quarantine.reasons.most_common(1)[0]
            raise InputError(
                f"{bad:,} of {reader.rows_read:,} rows are bad, more than --max-bad "
                f"{files.max_bad:g} allows; the most common reason ({n:,} times): {reason}.",
                f"See {files.quarantine}; mend the log or, knowing what is lost, raise --max-bad.",
            )
        taken = intake.settle({i: str(f.path) for i, f in enumerate(reader.files)}, quarantine)
        read = [Input(str(f.path), f.digest, f.bytes) for f in reader.files]
        now = datetime.now(UTC).isoformat()
        store.commit(Transaction("ingest", now, added=taken.parts, inputs=tuple(read)))
        source = _source([file.sha256 for file in read])
        sealed = seal_store(writer, store, source=source, accounts=accounts, totals=totals)
        return sealed, quarantine.count


def _source(digests: list[str]) -> dict[str, Any]:
    """Which files a batch is from; of very many, the digest of their digests."""
    if len(digests) <= MOST_NAMED:
        return {"files": digests}
    every = sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()
    return {"files": len(digests), "sha256": every}
