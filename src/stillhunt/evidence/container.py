"""A bundle's container: a ZIP file that can be written in one way only.

Members are stored, in a fixed order, from a closed list of names, with one time stamp and nothing
extra. What is read has to be, byte for byte, what would be written; so there are no gaps, second
directories, prefixes or comments in which programs could see different things.
"""

from __future__ import annotations

import mmap
import os
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from stillhunt.errors import InputError, OutputError
from stillhunt.evidence.refusal import Code, Refused

MEMBERS: tuple[tuple[str, int], ...] = (
    ("README.txt", 1 << 16),
    ("statement.dsse", 16 << 20),
    ("log/before", 1 << 16),
    ("log/after", 1 << 16),
    ("log/commit", 1 << 16),
    ("log/commit.proof", 1 << 16),
    ("log/consistency", 1 << 16),
    ("log/leaves.proof", 1 << 31),
    ("accounts", 1 << 28),
    ("pseudonyms", 1 << 30),
    ("leaves", 3 << 30),
    ("seed", 1 << 17),
    ("audit", 1 << 30),
    ("batches", 64 << 20),
    ("totals", 1 << 30),
    ("totals.audit", 1 << 28),
    ("opened", 1 << 30),
)
"""Names in their order, and the most bytes of each."""

SERIES: tuple[tuple[str, str, int, int], ...] = (
    ("timestamps/", r"timestamps/[0-9]{2}\.tsr\Z", 1 << 16, 16),
    ("openings/", r"openings/[0-9]{6}\.json\Z", 1 << 20, 4096),
)
"""Families of members after those: prefix, pattern, most bytes of each, most members."""

MOST_BYTES = (1 << 32) - (1 << 24)
REQUIRED = (
    "README.txt",
    "statement.dsse",
    "log/after",
    "log/commit",
    "log/commit.proof",
    "log/consistency",
)

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DATE = (1980 - 1980) << 9 | 1 << 5 | 1
_ORDER = {name: i for i, (name, _) in enumerate(MEMBERS)}
_MOST = dict(MEMBERS)


def place(name: str) -> tuple[int, str]:
    """Where a member stands: sorts as the container does.

    Raises:
        Refused: no member is called so.
    """
    if name in _ORDER:
        return _ORDER[name], ""
    for i, (_, pattern, _, _) in enumerate(SERIES):
        if re.match(pattern, name):
            return len(MEMBERS) + i, name
    raise Refused(Code.CONTAINER_MEMBER_UNKNOWN, "A bundle has a member of an unknown name.")


def most_bytes(name: str) -> int:
    """The most bytes that a member may have."""
    at, _ = place(name)
    return _MOST[name] if at < len(MEMBERS) else SERIES[at - len(MEMBERS)][2]


def write(path: Path, members: Mapping[str, bytes | memoryview]) -> None:
    """Write a bundle: the file's old contents or its new ones.

    Args:
        path: to write; members: name to bytes.

    Raises:
        Refused: a name that no member has, or too many bytes.
        OutputError: it cannot be written.
    """
    _check_sizes(members)
    staged = path.with_name(f".{path.name}.new")
    try:
        with staged.open("wb") as file:
            _write(file, members)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise OutputError(
            f"{path} cannot be written: {error.strerror}.", "Name another file with --out."
        ) from error


def _check_sizes(members: Mapping[str, bytes | memoryview]) -> None:
    total = 0
    for name, body in members.items():
        total += len(body) + 2 * len(name) + _LOCAL.size + _CENTRAL.size
        if len(body) > most_bytes(name) or total > MOST_BYTES:
            raise Refused(
                Code.CONTAINER_TOO_LARGE,
                f"{name} would have {len(body):,} bytes, in a bundle of {total:,}.",
                "Claim fewer exchanges, or choose a smaller depth.",
            )


def _write(file: BinaryIO, members: Mapping[str, bytes | memoryview]) -> None:
    names = sorted(members, key=place)
    central = bytearray()
    offset = 0
    for name in names:
        body = members[name]
        crc = zlib.crc32(body)
        file.write(_local(name, len(body), crc))
        file.write(body)
        central += _entry(name, len(body), crc, offset)
        offset += _LOCAL.size + len(name) + len(body)
    file.write(central)
    file.write(_end(len(names), len(central), offset))


def read(path: Path) -> dict[str, memoryview]:
    """Members of a bundle, mapped into memory and not copied.

    Raises:
        Refused: it is not exactly what ``write`` would write of these members.
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except ValueError as error:  # empty
        raise Refused(Code.CONTAINER_NOT_ZIP, "The file is empty.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its name.") from error
    if len(whole) > MOST_BYTES:
        raise Refused(Code.CONTAINER_TOO_LARGE, "The bundle is larger than a bundle can be.")
    return parse(whole)


def parse(whole: memoryview) -> dict[str, memoryview]:
    """Members of a bundle given as bytes; see ``read``."""
    members: dict[str, memoryview] = {}
    central = bytearray()
    at = 0
    last = (-1, "")
    while bytes(whole[at : at + 4]) == b"PK\x03\x04":
        name, body, crc = _member(whole, at)
        if place(name) <= last:
            raise Refused(Code.CONTAINER_MEMBER_ORDER, "Members stand out of order, or twice.")
        last = place(name)
        central += _entry(name, len(body), crc, at)
        members[name] = body
        at += _LOCAL.size + len(name) + len(body)
    if not members:
        raise Refused(Code.CONTAINER_NOT_ZIP, "The file is no bundle.")
    if bytes(whole[at:]) != bytes(central) + _end(len(members), len(central), at):
        raise Refused(Code.CONTAINER_NOT_CANONICAL, "The bundle's directory is not canonical.")
    _check_series(members)
    for name in REQUIRED:
        if name not in members:
            raise Refused(Code.CONTAINER_MEMBER_MISSING, f"The bundle has no {name}.")
    return members


def _member(whole: memoryview, at: int) -> tuple[str, memoryview, int]:
    if at + _LOCAL.size > len(whole):
        raise Refused(Code.CONTAINER_DAMAGED, "The bundle breaks off.")
    fields = _LOCAL.unpack_from(whole, at)
    crc, size, length = fields[6], fields[8], fields[9]
    start = at + _LOCAL.size
    raw = bytes(whole[start : start + min(length, 64)])
    try:
        name = raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise Refused(
            Code.CONTAINER_MEMBER_UNKNOWN, "A bundle has a member of an unknown name."
        ) from error
    if size > most_bytes(name):
        raise Refused(Code.CONTAINER_TOO_LARGE, f"{name} has {size:,} bytes.")
    body = whole[start + length : start + length + size]
    if len(body) != size:
        raise Refused(Code.CONTAINER_DAMAGED, "The bundle breaks off.")
    if bytes(whole[at : start + length]) != _local(name, size, crc):
        raise Refused(Code.CONTAINER_NOT_CANONICAL, f"{name} is not stored canonically.")
    if zlib.crc32(body) != crc:
        raise Refused(Code.CONTAINER_DAMAGED, f"{name} is damaged.")
    return name, body, crc


def _check_series(members: Mapping[str, object]) -> None:
    for prefix, _, _, most in SERIES:
        names = [name for name in members if name.startswith(prefix)]
        if len(names) > most:
            raise Refused(Code.CONTAINER_TOO_LARGE, f"The bundle has {len(names):,} {prefix}.")


def _local(name: str, size: int, crc: int) -> bytes:
    head = _LOCAL.pack(b"PK\x03\x04", 20, 0, 0, 0, _DATE, crc, size, size, len(name), 0)
    return head + name.encode("ascii")


def _entry(name: str, size: int, crc: int, offset: int) -> bytes:
    head = _CENTRAL.pack(
        b"PK\x01\x02", 20, 20, 0, 0, 0, _DATE, crc, size, size, len(name), 0, 0, 0, 0, 0, offset
    )
    return head + name.encode("ascii")


def _end(count: int, size: int, offset: int) -> bytes:
    return _END.pack(b"PK\x05\x06", 0, 0, count, count, size, offset, 0)
