"""Notes, keys and checkpoints: published examples, and parsers that take one spelling only."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.errors import InputError, OutputError
from stillhunt.evidence.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    parse_number,
    quorum_met,
)
from stillhunt.evidence.failures import EvidenceError, NoteError, SignatureError
from stillhunt.evidence.keys import (
    check_rotation,
    new_signer,
    read_signer,
    rotation_statement,
    signer_of,
    write_signer,
)
from stillhunt.evidence.merkle import EMPTY_ROOT
from stillhunt.evidence.note import (
    _Y,
    COSIGNATURE,
    ED25519,
    MAX_SIGNATURES,
    Note,
    VerifierKey,
    parse_note,
    parse_vkey,
    verify_note,
)

# From the documentation of golang.org/x/mod/sumdb/note.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"  # noqa: E501
).encode()

# C2SP tlog-cosignature, https://c2sp.org/tlog-cosignature; its keys are not published.
SOFA = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"  # noqa: E501
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"  # noqa: E501
).encode()

LOG = signer_of("example.com/log", b"l" * 32)
OTHER = signer_of("example.com/log", b"o" * 32)
WITNESS = signer_of("w.example.org", b"w" * 32, COSIGNATURE)
HEAD = Checkpoint("example.com/log", 7, b"r" * 32)


def test_go_s_example() -> None:
    key = parse_vkey(NEUMANN)
    assert str(key) == NEUMANN
    note = parse_note(NEUMANN_NOTE)
    assert [v.key for v in verify_note(note, [key])] == [key]
    assert note.encode() == NEUMANN_NOTE
    with pytest.raises(SignatureError):
        verify_note(parse_note(NEUMANN_NOTE.replace(b"answer", b"Answer")), [key])


def test_the_specification_s_examples_read_and_write() -> None:
    note = parse_note(SOFA)
    assert note.encode() == SOFA
    head = parse_checkpoint(note.text)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert head.text == note.text
    assert int.from_bytes(note.signatures[1].value[:8], "big") == 1679315147
    # C2SP signed-note: a text with an empty line in it.
    poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n"
    line = "\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"  # noqa: E501
    assert parse_note((poem + line).encode()).text == poem


def test_a_vkey_says_its_own_id() -> None:
    for signer in (LOG, WITNESS):
        assert parse_vkey(str(signer.key)) == signer.key
    name, key_id, key = str(LOG.key).split("+", 2)
    for bad in (
        "", name, f"{name}+{key_id}", f"{name}+00000000+{key}", f"other+{key_id}+{key}",
        f"{name}+{key_id.upper()}+{key}" if key_id.upper() != key_id else "x",
        f"{name}+{key_id}+{key}=", f" {name}+{key_id}+{key}", f"{name}+{key_id}+{key}\n",
        f"{name}+{key_id}+AA==", f"{name}+{key_id}+",
    ):  # fmt: skip
        with pytest.raises(NoteError):
            parse_vkey(bad)


def test_signing_and_cosigning() -> None:
    note = Note(HEAD.text, (LOG.sign(HEAD.text), WITNESS.sign(HEAD.text, 1679315147)))
    opened = open_checkpoint(note.encode(), [LOG.key, OTHER.key], [WITNESS.key], HEAD.origin)
    assert opened.checkpoint == HEAD
    assert [v.key for v in opened.signed] == [LOG.key]
    assert [(v.key, v.time) for v in opened.cosigned] == [(WITNESS.key, 1679315147)]
    assert quorum_met(opened, 1)
    assert not quorum_met(opened, 2)
    # What the witness signs is the specification's message; checked without our own code.
    value = note.signatures[1].value
    Ed25519PublicKey.from_public_bytes(WITNESS.key.public).verify(
        value[8:], b"cosignature/v1\ntime 1679315147\n" + HEAD.text.encode()
    )
    with pytest.raises(SignatureError):
        open_checkpoint(note.encode(), [OTHER.key])
    with pytest.raises(NoteError):
        open_checkpoint(note.encode(), [LOG.key], origin="example.com/other")
    # A witness that signs twice counts once.
    twice = Note(HEAD.text, (*note.signatures, WITNESS.sign(HEAD.text, 1679315148)))
    assert len(open_checkpoint(twice, [LOG.key], [WITNESS.key]).witnesses()) == 1


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_bit_of_a_signed_head_can_change(data: st.DataObject) -> None:
    note = Note(HEAD.text, (LOG.sign(HEAD.text), WITNESS.sign(HEAD.text, 5)))
    whole = bytearray(note.encode())
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    try:
        opened = open_checkpoint(bytes(whole), [LOG.key], [WITNESS.key], HEAD.origin)
    except EvidenceError:
        return
    # Only a line's name or id may have changed, and then that signature counts for nothing.
    assert opened.checkpoint == HEAD
    assert not opened.cosigned


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: (t + "\n\n— a b\n").encode()))
def test_whatever_comes_is_read_back_the_same_or_refused(data: bytes) -> None:
    try:
        note = parse_note(data)
    except NoteError:
        return
    assert note.encode() == data


GOOD = Note(HEAD.text, (LOG.sign(HEAD.text),)).encode()


@pytest.mark.parametrize(
    "bad",
    [
        GOOD[:-1],
        GOOD.replace(b"\n\n", b"\n"),
        GOOD + b"x",
        GOOD + b"\n",
        GOOD.replace("— ".encode(), b"- "),
        GOOD.replace("— ".encode(), "—  ".encode()),
        GOOD.replace(b"7\n", b"7\r\n"),
        GOOD.replace(b"7\n", b"7\x00\n"),
        GOOD.replace(b"=\n", b"\n"),
        GOOD[:-2] + b"==\n",
        GOOD + GOOD.split(b"\n\n")[1] * MAX_SIGNATURES,
        b"\xff" + GOOD,
        GOOD.replace(b"example.com/log", b"x" * (1 << 17)),
        "a\n\n— na me AAAAAAA=\n".encode(),
        "a\n\n— na+me AAAAAAA=\n".encode(),
        "a\n\n—  AAAAAAA=\n".encode(),
        "a\n\n— name AAAA\n".encode(),
        "a\n\n— name AAAAAAB=\n".encode(),
        "a\n\n— na\u2003me AAAAAAA=\n".encode(),
        b"",
        b"\n\n",
    ],
)
def test_notes_that_are_none(bad: bytes) -> None:
    with pytest.raises(EvidenceError):
        open_checkpoint(bad, [LOG.key])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n7\n",
        "o\n7\nAAAA\n",
        HEAD.text.replace("\n7\n", "\n07\n"),
        HEAD.text.replace("\n7\n", "\n+7\n"),
        HEAD.text.replace("\n7\n", "\n\u0667\n"),
        HEAD.text.replace("\n7\n", f"\n{1 << 63}\n"),
        HEAD.text.replace("\n7\n", "\n-1\n"),
        HEAD.text.replace("\n7\n", "\n0\n"),
        HEAD.text + "\n",
        "\n" + HEAD.text,
        HEAD.text[:-1],
    ],
)
def test_checkpoints_that_are_none(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


def test_extension_lines_are_kept_and_signed() -> None:
    head = Checkpoint("o", 1, b"r" * 32, ("one", "two"))
    assert parse_checkpoint(head.text) == head
    assert parse_checkpoint(Checkpoint("o", 0, EMPTY_ROOT).text).size == 0
    assert parse_number("0") == 0


# -- keys -----------------------------------------------------------------------------------------

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def points(y: int) -> list[tuple[int, int]]:
    """Points of Ed25519 with this y."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return [(x, y), (P - x, y)] if (x * x - square) % P == 0 else []


def added(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    cross = D * a[0] * b[0] * a[1] * b[1] % P
    return (
        (a[0] * b[1] + b[0] * a[1]) * pow(1 + cross, -1, P) % P,
        (a[1] * b[1] + a[0] * b[0]) * pow(1 - cross, -1, P) % P,
    )


def test_keys_that_anyone_can_sign_for_are_refused() -> None:
    for text in _Y:
        y = int.from_bytes(bytes.fromhex(text), "little") % P
        found = points(y)
        assert found
        for point in found:
            eighth = point
            for _ in range(3):
                eighth = added(eighth, eighth)
            assert eighth == (0, 1)
        for top in (0, 0x80):
            raw = bytearray.fromhex(text)
            raw[31] |= top
            with pytest.raises(NoteError):
                VerifierKey("name", ED25519, bytes(raw))


def test_keys_on_disk(tmp_path: Path) -> None:
    signer = new_signer("example.com/log")
    path = tmp_path / "a.key"
    write_signer(path, signer)
    assert read_signer(path) == signer
    assert path.stat().st_mode & 0o777 == 0o600
    assert signer.seed.hex() not in repr(signer)
    with pytest.raises(OutputError):
        write_signer(path, signer)
    path.chmod(0o644)
    with pytest.raises(InputError, match="others"):
        read_signer(path)
    path.chmod(0o600)
    path.write_text(path.read_text().replace("log", "lag"))
    with pytest.raises(InputError):
        read_signer(path)


def test_a_rotation_is_signed_by_both() -> None:
    said = rotation_statement("example.com/log", 12, LOG, OTHER)
    assert check_rotation(said, "example.com/log", LOG.key) == OTHER.key
    for origin, key in (("example.com/x", LOG.key), ("example.com/log", OTHER.key)):
        with pytest.raises(NoteError):
            check_rotation(said, origin, key)
    note = parse_note(said)
    for signatures in (note.signatures[:1], note.signatures[1:]):
        with pytest.raises(SignatureError):
            check_rotation(Note(note.text, signatures).encode(), "example.com/log", LOG.key)
    with pytest.raises(NoteError):
        parse_checkpoint(note.text)
    same = rotation_statement("example.com/log", 12, LOG, LOG)
    with pytest.raises(SignatureError):
        check_rotation(same, "example.com/log", LOG.key)
