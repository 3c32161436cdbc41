"""Files that are no bundle, or one that programs could read in two ways."""

from __future__ import annotations

import struct
import zlib

from forge import Done, Forge
from hostile_bundles import refused

from stillhunt.evidence.container import place
from stillhunt.evidence.refusal import Code


def zipped(
    members: list[tuple[str, bytes]],
    *,
    compress: bool = False,
    date: int = 0x0021,
    comment: bytes = b"",
) -> bytes:
    """A ZIP file: as bundles are, unless asked otherwise (``date``: 0x0021 is 1980-01-01)."""
    out, directory = bytearray(), bytearray()
    for name, body in members:
        raw = name.encode()
        flags = 0 if name.isascii() else 0x800
        stored = _deflated(body) if compress else body
        method = 8 if compress else 0
        sizes = (zlib.crc32(body), len(stored), len(body), len(raw), 0)
        directory += struct.pack(
            "<4s6H3I5H2I",
            b"PK\x01\x02",
            20,
            20,
            flags,
            method,
            0,
            date,
            *sizes,
            0,
            0,
            0,
            0,
            len(out),
        )
        directory += raw
        out += struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, flags, method, 0, date, *sizes)
        out += raw + stored
    count = len(members)
    counts = (0, 0, count, count, len(directory), len(out), len(comment))
    return bytes(out + directory + struct.pack("<4s4H2IH", b"PK\x05\x06", *counts) + comment)


def _deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


def ordered(done: Done) -> list[tuple[str, bytes]]:
    return sorted(done.members.items(), key=lambda member: place(member[0]))


@refused(1, Code.CONTAINER_NOT_ZIP)
def a_text_file(forge: Forge) -> bytes:
    return b"24,000 accounts, 16 million exchanges. Trust us."


@refused(1, Code.CONTAINER_NOT_ZIP)
def an_empty_file(forge: Forge) -> bytes:
    return b""


@refused(1, Code.CONTAINER_NOT_ZIP)
def a_program_in_front(forge: Forge) -> bytes:
    return b"#!/bin/sh\nexit\n" + zipped(ordered(forge.whole()))


@refused(1, Code.CONTAINER_NOT_CANONICAL)
def bytes_behind_the_end(forge: Forge) -> bytes:
    return zipped(ordered(forge.whole())) + b"\n"


@refused(1, Code.CONTAINER_NOT_CANONICAL)
def a_comment(forge: Forge) -> bytes:
    return zipped(ordered(forge.whole()), comment=b"verified by an auditor")


@refused(1, Code.CONTAINER_NOT_CANONICAL)
def another_date(forge: Forge) -> bytes:
    return zipped(ordered(forge.whole()), date=0x5C21)


@refused(1, Code.CONTAINER_NOT_CANONICAL)
def compressed_members(forge: Forge) -> bytes:
    return zipped(ordered(forge.whole()), compress=True)


@refused(1, Code.CONTAINER_NOT_CANONICAL)
def a_bomb_of_zeroes_compressed(forge: Forge) -> bytes:
    members = dict(ordered(forge.whole())) | {"statement.dsse": bytes(16_000_000)}
    return zipped(sorted(members.items(), key=lambda one: place(one[0])), compress=True)


@refused(1, Code.CONTAINER_TOO_LARGE)
def a_member_that_says_it_has_four_gigabytes(forge: Forge) -> bytes:
    data = bytearray(zipped(ordered(forge.whole())))
    struct.pack_into("<2I", data, 18, 0xFFFF_FFF0, 0xFFFF_FFF0)
    return bytes(data)


@refused(1, Code.CONTAINER_TOO_LARGE)
def a_hundred_time_stamps(forge: Forge) -> bytes:
    stamps = [(f"timestamps/{i:02d}.tsr", b"") for i in range(100)]
    return zipped([*ordered(forge.whole()), *stamps])


@refused(1, Code.CONTAINER_DAMAGED)
def cut_off(forge: Forge) -> bytes:
    return zipped(ordered(forge.whole()))[:3000]


@refused(1, Code.CONTAINER_DAMAGED)
def a_wrong_check_sum(forge: Forge) -> bytes:
    members = ordered(forge.whole())
    data = bytearray(zipped(members))
    struct.pack_into("<I", data, 14, zlib.crc32(members[0][1]) ^ 1)
    return bytes(data)


@refused(1, Code.CONTAINER_NOT_CANONICAL)
def a_directory_that_names_another_member(forge: Forge) -> bytes:
    # Readers that go by the directory would show another text than those that read from the front.
    data = zipped(ordered(forge.whole()))
    at = data.rindex(b"README.txt")
    return data[:at] + b"ReadMe.txt" + data[at + 10 :]


@refused(1, Code.CONTAINER_MEMBER_UNKNOWN)
def an_extra_member(forge: Forge) -> bytes:
    return zipped([*ordered(forge.whole()), ("verdict.txt", b"guilty")])


@refused(1, Code.CONTAINER_MEMBER_UNKNOWN)
def an_absolute_path(forge: Forge) -> bytes:
    return zipped([("/etc/passwd", b"root::0:0"), *ordered(forge.whole())])


@refused(1, Code.CONTAINER_MEMBER_UNKNOWN)
def a_path_that_climbs(forge: Forge) -> bytes:
    return zipped([*ordered(forge.whole()), ("timestamps/../../x.tsr", b"")])


@refused(1, Code.CONTAINER_MEMBER_UNKNOWN)
def a_name_with_a_look_alike(forge: Forge) -> bytes:
    # The first letter of "seed" is Cyrillic.
    return zipped([*ordered(forge.whole()), ("\u0455eed", b'{"kind":"own"}')])


@refused(1, Code.CONTAINER_MEMBER_ORDER)
def members_in_another_order(forge: Forge) -> bytes:
    members = ordered(forge.whole())
    return zipped([members[1], members[0], *members[2:]])


@refused(1, Code.CONTAINER_MEMBER_ORDER)
def a_member_twice(forge: Forge) -> bytes:
    members = ordered(forge.whole())
    return zipped([members[0], members[0], *members[1:]])


@refused(1, Code.CONTAINER_MEMBER_MISSING)
def without_its_commitment(forge: Forge) -> bytes:
    return zipped(ordered(forge.whole().having(log__commit=None)))
