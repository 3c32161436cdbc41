"""Writes the findings folder, its old contents or its new ones, never a mixture; and reads it back."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.errors import InputError, OutputError
from stillhunt.records.findings import OVER_TIME, TABLES

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_MARK = "hunt.json"
_REMEDY = "Name a folder that `stillhunt hunt --out` has written, or run the hunt again."


@contextmanager
def staged(out: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A new folder beside ``out`` and a function that puts it in ``out``'s place.

    Whatever happens, the staging folder is gone afterwards; unless the function was called, ``out``
    is as it was. Files in ``out`` that no hunt writes move along.

    Raises:
        OutputError: ``out`` cannot be written, or holds something that is not a hunt's findings.
    """
    _check(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        stage = Path(tempfile.mkdtemp(prefix=f".{out.name}.{os.getpid()}.", dir=out.parent))
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written: {error.strerror}.", "Name another folder with --out."
        ) from error
    new = stage / "new"
    new.mkdir()
    try:
        yield new, lambda: _put(new, out, stage / "old")
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def write_table(
    folder: Path, name: str, rows: pa.Table | pa.RecordBatchReader, *, jsonl: bool
) -> None:
    """Write one table as ``name.parquet`` or ``name.jsonl``; of a reader, batch by batch."""
    if not jsonl:
        path = folder / f"{name}.parquet"
        with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
            for part in [rows] if isinstance(rows, pa.Table) else rows:
                writer.write(part)
        return
    with (folder / f"{name}.jsonl").open("wb") as file:
        for part in [rows] if isinstance(rows, pa.Table) else rows:
            for first in range(0, part.num_rows, 8192):
                for row in part.slice(first, 8192).to_pylist():
                    line = orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
                    file.write(line)


def write_json(path: Path, document: object) -> None:
    """Write a JSON document, indented, keys in the order given."""
    path.write_bytes(
        orjson.dumps(
            document, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
        )
    )


def read_table(folder: Path, name: str) -> pa.Table:
    """Read back one table, in whichever format it was written.

    Args:
        folder: the findings folder.
        name: the table's. A table of the contract comes with its schema; of others, columns are as
            they were written, and times are times in either format.

    Raises:
        InputError: it is missing, cannot be read, or lacks a column.
    """
    schema = (TABLES | OVER_TIME).get(name)
    parquet, lines = folder / f"{name}.parquet", folder / f"{name}.jsonl"
    try:
        if parquet.exists():
            columns = None if schema is None else schema.names
            rows = pq.read_table(parquet, columns=columns)
            return rows if schema is None else rows.cast(schema)
        if lines.exists():
            return _read_lines(lines, schema)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        pa.ArrowException,
    ) as error:
        raise InputError(
            f"The table {name} in {folder} could not be read: {_said(error)}.", _REMEDY
        ) from error
    raise InputError(f"{parquet} is missing (and so is {lines.name}).", _REMEDY)


def has_table(folder: Path, name: str) -> bool:
    """Whether a findings folder holds a table, in either format."""
    return (folder / f"{name}.parquet").exists() or (folder / f"{name}.jsonl").exists()


def read_json(path: Path) -> dict[str, Any]:
    """Read back a JSON object of the findings folder.

    Raises:
        InputError: it is missing, is no strict JSON, or no object.
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        value = json.loads(path.read_bytes(), parse_constant=refuse)
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing.", _REMEDY) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} could not be read: {_said(error)}.", _REMEDY) from error
    if not isinstance(value, dict):
        raise InputError(f"{path} does not hold a JSON object.", _REMEDY)
    return value


_TIMES = frozenset({"first_seen", "last_seen"})


def _read_lines(path: Path, schema: pa.Schema | None) -> pa.Table:
    rows: list[dict[str, Any]] = []
    times = (
        _TIMES
        if schema is None
        else {field.name for field in schema if pa.types.is_timestamp(field.type)}
    )
    with path.open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            row = json.loads(line)
            for name in times & row.keys():
                row[name] = _moment(row[name])
            rows.append(row if schema is None else {name: row[name] for name in schema.names})
    return pa.Table.from_pylist(rows, schema=schema)


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(error: Exception) -> str:
    # A parser's message may quote what it choked on, which anybody may have written.
    return ascii(str(error)[:200])[1:-1]


def _check(out: Path) -> None:
    if out.resolve() == Path.cwd():
        raise OutputError(
            f"{out} is the folder you are in, and is to be replaced as a whole.",
            "Name a folder in it with --out, for example --out out.",
        )
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise OutputError(f"{out} is not a folder.", "Name a new or empty folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / _MARK).is_file():
        raise OutputError(
            f"{out} holds files and they are not a hunt's findings.",
            "Name a new or empty folder with --out, so that nothing of yours is replaced.",
        )


def _sweep(out: Path) -> None:
    """Remove staging folders that killed runs of this ``out`` left behind."""
    # The whole name, so that folders of another ``out`` whose name goes on after a dot are let be.
    ours = re.compile(rf"\.{re.escape(out.name)}\.(\d{{1,10}})\.[a-z0-9_]{{8}}")
    for left in out.parent.iterdir():
        found = ours.fullmatch(left.name)
        if found and left.is_dir() and not _alive(int(found[1])):
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _put(new: Path, out: Path, old: Path) -> None:
    """Bring along what is not a hunt's, then exchange the two folders in one step."""
    try:
        for path in new.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        _carry_over(out, new)
        if not out.exists():
            new.rename(out)
        elif not _exchange(new, out):
            # No atomic exchange on this system: a kill between these two leaves no ``out``, and the
            # old findings in the staging folder.
            out.rename(old)
            new.rename(out)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be replaced: {error.strerror}.", "Name another folder with --out."
        ) from error


def _carry_over(out: Path, new: Path) -> None:
    """Link or copy what no hunt writes. Before the exchange: a kill after it must not lose any."""
    for entry in out.iterdir() if out.is_dir() else ():
        if entry.name in _OURS or (new / entry.name).exists():
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, new / entry.name, symlinks=True, copy_function=_link)
        else:
            _link(entry, new / entry.name)


def _link(source: str | Path, target: str | Path) -> None:
    """A hard link, or a copy where the file system has none."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


_OURS = frozenset(
    f"{name}{suffix}"
    for name in (
        "profiles", "seeds", *TABLES, *OVER_TIME,
    )
    for suffix in (".parquet", ".jsonl")
) | {"hunt.json", "details.json", "report.html", "quarantine.jsonl"}  # fmt: skip


def _exchange(one: Path, other: Path) -> bool:
    """Linux's renameat2 with RENAME_EXCHANGE; False where it is not to be had."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    result = rename(
        _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE)
    )
    return bool(result == 0)
