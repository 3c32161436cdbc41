"""Takes log files into a store, each exactly once by its digest, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from stillhunt.errors import InputError
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import LogReader, Quarantine, ReadOptions
from stillhunt.store.advance import Advance, BytesTold
from stillhunt.store.durable import sync
from stillhunt.store.inputs import digest_of
from stillhunt.store.intake import Intake, Taken, inside, together
from stillhunt.store.manifest import Input, Transaction
from stillhunt.store.store import Store

GROUP_BYTES = 64 << 20
GROUP_FILES = 256
"""Small files share a transaction up to these; what a crash costs is at most one transaction's work."""

CHANGED = "it changed while it was read"


@dataclass
class Outcome:
    """What became of the files of one run.

    Attributes:
        files: taken in; known: that were there already.
        rows: exchanges in them; duplicates, quarantined, expired: of those, not taken: there already;
            unreadable; older than is kept.
        refused: file and why nothing of it was taken; unsettled: files that were being written.
    """

    files: int = 0
    known: int = 0
    rows: int = 0
    duplicates: int = 0
    quarantined: int = 0
    expired: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)
    unsettled: list[Path] = field(default_factory=list)

    @property
    def kept(self) -> int:
        """New observations."""
        return self.rows - self.duplicates - self.expired

    def add(self, other: Outcome) -> None:
        """Add what became of another source."""
        self.files += other.files
        self.known += other.known
        self.rows += other.rows
        self.duplicates += other.duplicates
        self.quarantined += other.quarantined
        self.expired += other.expired
        self.refused += other.refused
        self.unsettled += other.unsettled


class _UnfitError(Exception):
    """A file of a group cannot be taken, and the group is to be taken without it."""

    def __init__(self, path: Path, reason: str, digest: str = "") -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason
        self.digest = digest


@dataclass(frozen=True)
class Ingest:
    """How files are taken in.

    Attributes:
        store: held for writing; options: how logs are read.
        max_bad: share of bad rows above which a file is refused.
        keep_from: exchanges before are not taken; None: all are.
        threads: cores for the text kernel, by default all.
        again: read files again that were refused before.
    """

    store: Store
    options: ReadOptions
    max_bad: float = 0.01
    keep_from: datetime | None = None
    threads: int | None = None
    again: bool = True

    def take(self, files: Sequence[Path], advance: Advance = lambda _done, _all: None) -> Outcome:
        """Take files in. Each transaction holds from the moment it is committed.

        Args:
            files: what to read, in this order.
            advance: told (done, total) in bytes.

        Raises:
            OutputError: the store cannot be written.
        """
        outcome = Outcome()
        files = [path.absolute() for path in files]
        progress = BytesTold(advance, files)
        observer = Observer(self.threads)
        new = []
        places = self._places()
        for path in files:
            if _place(path) in places:
                outcome.known += 1
                progress.settle([path])
            else:
                new.append(path)
        for group in _groups(new):
            left = list(group)
            while left:
                try:
                    self._group(left, observer, outcome, progress)
                    break
                except _UnfitError as unfit:
                    progress.back()
                    left.remove(unfit.path)
                    if unfit.reason == CHANGED:
                        outcome.unsettled.append(unfit.path)
                    else:
                        self._refuse(unfit, outcome)
            progress.settle(group)
        return outcome

    def _places(self) -> set[tuple[str, int, int]]:
        """Where files lie that were taken in, with size and time: these need not be read to be known."""
        return {
            (i.path, i.bytes, i.modified)
            for i in self.store.state.inputs
            if i.modified and not (i.refused and self.again)
        }

    def _group(
        self, files: Sequence[Path], observer: Observer, outcome: Outcome, progress: BytesTold
    ) -> None:
        """One transaction."""
        store = self.store
        number = store.state.next_number
        first = len(store.state.inputs)
        known = {i.sha256 for i in store.state.inputs if not (i.refused and self.again)}
        inputs: list[Input] = []
        told = Outcome()
        path = store.layout.quarantine(f"{number:08d}")
        path.parent.mkdir(exist_ok=True)
        with Quarantine(path, excerpts=self.options.pseudonymiser is None) as quarantine:
            intake = Intake(store, observer)
            for file in files:
                taken = self._file(
                    file, first + len(inputs), intake, quarantine, known, told, progress
                )
                if taken is not None:
                    inputs.append(taken)
                    known.add(taken.sha256)
            names = {first + i: taken.path for i, taken in enumerate(inputs)}
            settled = intake.settle(names, quarantine)
        if inputs:
            lines = path.stat().st_size > 0
            if lines:
                sync(path)
                sync(path.parent)
            store.commit(_transaction(settled, inputs, first, path.stem if lines else ""))
        if not inputs or not lines:
            path.unlink()
        outcome.files += len(inputs)
        outcome.known += told.known
        outcome.rows += told.rows
        outcome.expired += told.expired
        outcome.duplicates += sum(settled.duplicates.values())
        outcome.quarantined += quarantine.count

    def _file(
        self,
        path: Path,
        number: int,
        intake: Intake,
        quarantine: Quarantine,
        known: set[str],
        told: Outcome,
        progress: BytesTold,
    ) -> Input | None:
        """Read one file; None where its bytes are in the store already."""
        bad_before = quarantine.count
        try:
            before = path.stat()
            reader = LogReader([path], self.options, quarantine)
            listed = reader.files[0]
            digest = listed.digest
            if digest in known:
                told.known += 1
                return None
            rows = 0
            for batch in together(iter(reader)):
                rows += batch.exchanges.num_rows
                kept = inside(batch, self.keep_from, None)
                told.expired += batch.exchanges.num_rows - kept.exchanges.num_rows
                if kept.exchanges.num_rows:
                    intake.take(kept, number)
                progress.tell(reader.bytes_read)
            after = path.stat()
        except InputError as error:
            raise _UnfitError(path, error.problem, _digest(path)) from error
        except OSError as error:
            raise _UnfitError(path, f"It cannot be read: {error.strerror}.", "") from error
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise _UnfitError(path, CHANGED)
        bad = quarantine.count - bad_before
        if bad > self.max_bad * max(reader.rows_read, 1):
            reason, n = quarantine.reasons.most_common(1)[0]
            raise _UnfitError(
                path,
                f"{bad:,} of {reader.rows_read:,} rows are bad, more than {self.max_bad:g} allows; the "
                f"most common reason ({n:,} times): {reason}.",
                digest,
            )
        told.rows += rows
        progress.done(after.st_size)
        return Input(
            str(path), digest, after.st_size, after.st_mtime_ns, rows, 0, bad, listed.source
        )

    def _refuse(self, unfit: _UnfitError, outcome: Outcome) -> None:
        """Remember that a file was refused, so that it is not read again and again."""
        outcome.refused.append((unfit.path, unfit.reason))
        try:
            now = unfit.path.stat()
        except OSError:
            return
        refused = Input(
            str(unfit.path), unfit.digest, now.st_size, now.st_mtime_ns, refused=unfit.reason
        )
        if refused in self.store.state.inputs:
            return
        name = f"{self.store.state.next_number:08d}"
        lines = _lines_about(self.store.layout.quarantine(name), unfit.path)
        self.store.commit(
            Transaction(
                "ingest", this_moment(), inputs=(refused,), quarantine=name if lines else ""
            )
        )


def keep_from(days: int | None) -> datetime | None:
    """The beginning of the first day that is kept, today (UTC) being the last of so many."""
    if days is None:
        return None
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)


def _transaction(taken: Taken, inputs: list[Input], first: int, lines: str) -> Transaction:
    counted = tuple(
        replace(
            read,
            duplicates=taken.duplicates.get(first + i, 0),
            quarantined=read.quarantined + taken.duplicates.get(first + i, 0),
        )
        for i, read in enumerate(inputs)
    )
    return Transaction(
        "ingest",
        this_moment(),
        added=taken.parts,
        inputs=counted,
        keys_added=taken.keys_added,
        keys_removed=taken.keys_removed,
        keys_through=taken.keys_through,
        quarantine=lines,
    )


def this_moment() -> str:
    """This moment, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat()


def _lines_about(quarantine: Path, path: Path) -> bool:
    """Keep of a transaction's quarantine what is about one file; whether there is anything."""
    lines = quarantine.read_bytes().splitlines(keepends=True)
    about = [line for line in lines if orjson.loads(line)["file"] == str(path)]
    if not about:
        quarantine.unlink()
        return False
    quarantine.write_bytes(b"".join(about))
    sync(quarantine)
    sync(quarantine.parent)
    return True


def _place(path: Path) -> tuple[str, int, int]:
    try:
        now = path.stat()
    except OSError:
        return str(path), 0, 0  # told when it is to be read
    return str(path), now.st_size, now.st_mtime_ns


def _digest(path: Path) -> str:
    try:
        return digest_of(path)
    except OSError:
        return ""


def _groups(files: Iterable[Path]) -> Iterator[list[Path]]:
    held: list[Path] = []
    size = 0
    for path in files:
        size += path.stat().st_size if path.is_file() else 0
        held.append(path)
        if size >= GROUP_BYTES or len(held) >= GROUP_FILES:
            yield held
            held, size = [], 0
    if held:
        yield held
