"""The container: one way to write it, and every other way refused."""

from __future__ import annotations

import io
import shutil
import tempfile
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.errors import InputError, OutputError
from stillhunt.evidence import container
from stillhunt.evidence.refusal import Code, Refused

MEMBERS = {name: f"body of {name}".encode() for name in container.REQUIRED}


def packed(folder: Path, members: dict[str, bytes]) -> bytes:
    container.write(folder / "a.claim", members)
    return (folder / "a.claim").read_bytes()


def code_of(body: bytes) -> Code | None:
    try:
        container.parse(memoryview(body))
    except Refused as refusal:
        return refusal.code
    return None


def test_zip_readers_read_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(tmp_path, MEMBERS))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS
    assert {n: bytes(b) for n, b in container.read(tmp_path / "a.claim").items()} == MEMBERS


@given(st.permutations(sorted(MEMBERS)))
def test_members_stand_in_one_order(names: list[str]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        assert packed(folder, {name: MEMBERS[name] for name in names}) == packed(folder, MEMBERS)
    finally:
        shutil.rmtree(folder)


def written(
    members: list[tuple[str, bytes]],
    *,
    method: int = zipfile.ZIP_STORED,
    comment: bytes = b"",
    extra: bytes = b"",
    date: tuple[int, int, int, int, int, int] = (1980, 1, 1, 0, 0, 0),
) -> bytes:
    """A ZIP as the standard library writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice is what one case wants
        for name, body in members:
            info = zipfile.ZipInfo(name, date)
            info.compress_type, info.extra, info.create_system = method, extra, 0
            info.external_attr = 0
            archive.writestr(info, body)
        archive.comment = comment
    return out.getvalue()


def ordered() -> list[tuple[str, bytes]]:
    return [(name, MEMBERS[name]) for name in sorted(MEMBERS, key=container.place)]


def test_what_the_standard_library_writes_plainly_is_the_same(tmp_path: Path) -> None:
    # Where the standard library leaves nothing to choose the bytes agree but for file attributes.
    ours, theirs = packed(tmp_path, MEMBERS), written(ordered())
    assert len(ours) == len(theirs)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (written(ordered(), method=zipfile.ZIP_DEFLATED), Code.CONTAINER_NOT_CANONICAL),
        (written(ordered(), comment=b"hello"), Code.CONTAINER_NOT_CANONICAL),
        (written(ordered(), extra=b"\xfe\xca\x00\x00"), Code.CONTAINER_NOT_CANONICAL),
        (written(ordered(), date=(2026, 1, 1, 0, 0, 0)), Code.CONTAINER_NOT_CANONICAL),
        (written(ordered()[::-1]), Code.CONTAINER_MEMBER_ORDER),
        (written([*ordered()[:2], ordered()[1], *ordered()[2:]]), Code.CONTAINER_MEMBER_ORDER),
        (written([*ordered(), ("../evil", b"")]), Code.CONTAINER_MEMBER_UNKNOWN),
        (written([*ordered(), ("openings/1.json", b"")]), Code.CONTAINER_MEMBER_UNKNOWN),
        (written([*ordered(), ("sëed", b"")]), Code.CONTAINER_MEMBER_UNKNOWN),
        (b"MZ" + written(ordered()), Code.CONTAINER_NOT_ZIP),
        (b"", Code.CONTAINER_NOT_ZIP),
        (written([("README.txt", b"x" * (1 << 17)), *ordered()[1:]]), Code.CONTAINER_TOO_LARGE),
    ],
)
def test_other_ways_are_refused(body: bytes, code: Code) -> None:
    assert code_of(body) is code


def test_too_many_of_a_series_are_refused(tmp_path: Path) -> None:
    stamps = {f"timestamps/{i:02d}.tsr": b"" for i in range(17)}
    assert code_of(packed(tmp_path, MEMBERS | stamps)) is Code.CONTAINER_TOO_LARGE


def test_nothing_too_large_is_written(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        packed(tmp_path, MEMBERS | {"seed": b"x" * (1 << 18)})
    assert refusal.value.code is Code.CONTAINER_TOO_LARGE
    assert "Claim fewer" in refusal.value.remedy


@pytest.mark.parametrize("name", container.REQUIRED)
def test_members_that_every_bundle_has_are_needed(tmp_path: Path, name: str) -> None:
    less = {other: body for other, body in MEMBERS.items() if other != name}
    assert code_of(packed(tmp_path, less)) is Code.CONTAINER_MEMBER_MISSING


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        container.read(tmp_path / "none.claim")
    with pytest.raises(OutputError, match="cannot be written"):
        container.write(tmp_path / "none" / "a.claim", MEMBERS)
    (tmp_path / "empty.claim").touch()
    with pytest.raises(Refused):
        container.read(tmp_path / "empty.claim")
