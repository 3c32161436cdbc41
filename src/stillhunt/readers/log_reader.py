"""Reads a set of log files as batches of the canonical Exchange."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from stillhunt.errors import InputError, UsageError
from stillhunt.readers.options import InputFile, ReadBatch, ReadOptions
from stillhunt.readers.quarantine import Quarantine
from stillhunt.readers.records import Sample, take_sample
from stillhunt.readers.registry import LogFormat, Opened, Progress, log_formats
from stillhunt.readers.settle import Settler

NOTHING = "No exchange could be read"
"""How the message begins where a log has rows and every one of them is bad."""

_DAY = 86_400
_SURE = 0.05


class LogReader:
    """Iterates over the exchanges in files and folders.

    Attributes:
        files: what is read, in order, each with size, digest and the format it was recognised as.
        options: how it is read.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        options: ReadOptions,
        quarantine: Quarantine,
        *,
        digests: bool = True,
    ) -> None:
        """Find and recognise the files; nothing is read in full yet.

        Args:
            paths: files, or folders of which every recognised file below is read.
            options: how to read.
            quarantine: where bad rows go. With a pseudonymiser its excerpts are switched off.
            digests: whether files are to be hashed, which reads all of each.

        Raises:
            InputError: a path cannot be read, or a named file is of no known format.
            UsageError: an unknown source, or a source that lacks its mapping.
        """
        if options.pseudonymiser is not None:
            quarantine.excerpts = False
        self.options = options
        self._digests = digests
        self._quarantine = quarantine
        latest = int((time.time() + _DAY) * 1_000_000)
        self._settler = Settler(options, quarantine, latest)
        self._formats = _formats(options)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="digest")
        self._done_bytes = 0
        self._current: Progress | None = None
        self._opened: list[tuple[Opened, LogFormat]] = []
        self.files: list[InputFile] = []
        for path, named in find_files(paths):
            self._recognise(path, named)
        if not self.files:
            where = ", ".join(map(str, paths)) or "no paths"
            reason = next(iter(quarantine.reasons), None)
            raise InputError(
                f"No log can be read in {where}" + (f": {reason}." if reason else "."),
                "Name the log files, say what they are with --source, or copy damaged ones again.",
            )

    @property
    def rows_read(self) -> int:
        """Rows seen so far, those in the quarantine included."""
        return self._settler.rows_read

    @property
    def bytes_read(self) -> int:
        """Bytes of the files (compressed) consumed so far."""
        return self._done_bytes + (self._current.consumed if self._current else 0)

    def __iter__(self) -> Iterator[ReadBatch]:
        """Read every file once.

        Raises:
            InputError: nothing at all could be read although there was something.
        """
        delivered = False
        for (file, log_format), listed in zip(self._opened, self.files, strict=True):
            self._current = file.progress
            try:
                for batch in log_format.read(file):
                    delivered = True
                    yield batch
            except OSError as error:
                reason = f"cannot be read further: {error.strerror}"
                self._settler.lose(file.name, None, reason)
            self._current = None
            self._done_bytes += listed.bytes
        if not delivered and self._quarantine.count:
            reason, _ = self._quarantine.reasons.most_common(1)[0]
            raise InputError(
                f"{NOTHING}; the most common reason is: {reason}.",
                f"See {self._quarantine.told} for each row, or name the format with --source.",
            )

    def _recognise(self, path: Path, named: bool) -> None:
        try:
            sample = take_sample(path)
            size = path.stat().st_size
        except OSError as error:
            raise InputError(
                f"{path} cannot be read: {error.strerror}.",
                "Check its name and permissions, or leave it out.",
            ) from error
        if sample.damaged:
            self._settler.lose(str(path), None, sample.problem or "damaged")
            return
        log_format = self._choose(sample, named)
        if log_format is None:
            if named:
                raise _unrecognised(sample, self._formats)
            self._quarantine.skip(str(path), "not a log of a known format")
            return
        log_format.check(sample)
        file = Opened(path, str(path), sample, self._settler)
        self._opened.append((file, log_format))
        self.files.append(InputFile(path, size, log_format.name, self._digest(path)))

    def _choose(self, sample: Sample, named: bool) -> LogFormat | None:
        """Return the format of a file; one that was named is read as the source says, always."""
        if named and self.options.source != "auto":
            return self._formats[self.options.source]
        if sample.container != "parquet" and not sample.records and sample.problem is None:
            return self._formats.get("canonical")  # an empty log is a log
        best = max(self._formats.values(), key=lambda candidate: candidate.sniff(sample))
        return best if best.sniff(sample) >= _SURE else None

    def _digest(self, path: Path) -> Callable[[], str]:
        if not self._digests:
            return str
        future: Future[str] = self._pool.submit(_sha256, path)

        def digest() -> str:
            try:
                return future.result()
            except OSError as error:
                raise InputError(
                    f"{path} cannot be read: {error.strerror}.", "Check that it is still there."
                ) from error

        return digest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _formats(options: ReadOptions) -> dict[str, LogFormat]:
    known = log_formats()
    if options.source != "auto" and options.source not in known:
        raise UsageError(
            f"There is no source {options.source!r}.",
            f"Use one of: auto, {', '.join(known)}.",
        )
    if options.source == "auto":
        return {
            name: known[name](options)
            for name in known
            if name != "mapping" or options.mapping is not None
        }
    return {options.source: known[options.source](options)}


def find_files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Give each file once, and whether it was named itself; folders in order of their names.

    Args:
        paths: files, or folders of which every file below is given whose name, and whose folders'
            names, do not begin with ``.`` or ``_``.

    Raises:
        InputError: a path cannot be read.
    """
    seen: set[Path] = set()
    named = {path.resolve() for path in paths}
    for path in paths:
        if path.is_dir():
            found = list(_below(path))
        elif path.is_file():
            found = [path]
        else:
            problem = "is no regular file" if path.exists() else "does not exist"
            raise InputError(f"{path} {problem}.", "Name log files, or folders that hold them.")
        for file in found:
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file, real in named


def _below(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise InputError(
            f"{error.filename} cannot be read: {error.strerror}.",
            "Check its permissions, or name the files to read.",
        ) from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            file = Path(parent, name)
            if not name.startswith((".", "_")) and file.is_file():
                yield file


def _unrecognised(sample: Sample, formats: dict[str, LogFormat]) -> InputError:
    if sample.problem is not None:
        return InputError(
            f"{sample.path} cannot be read: {sample.problem}.",
            "Copy it again or leave it out; --source NAME reads it in spite of that.",
        )
    keys = sample.columns or tuple(dict.fromkeys(k for r in sample.records for k in r))
    shown = ", ".join(repr(str(key)[:40]) for key in keys[:12])
    return InputError(
        f"{sample.path} is of no known format ({', '.join(formats)}); it has {shown}.",
        "Name the format with --source, or describe it with --source mapping --mapping FILE."
        " The canonical columns exchange_id, time and account are required.",
    )
