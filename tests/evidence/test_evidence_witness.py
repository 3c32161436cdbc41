"""A witness: the protocol's replies, and that it never cosigns two histories, whatever happens."""

from __future__ import annotations

import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.errors import InputError, UsageError
from stillhunt.evidence import witness_state as the_state
from stillhunt.evidence.canonical import decode, encode
from stillhunt.evidence.checkpoint import (
    Checkpoint,
    encode_proof,
    open_checkpoint,
    parse_checkpoint,
)
from stillhunt.evidence.failures import EvidenceError, NoteError, ProofError, SignatureError
from stillhunt.evidence.keys import signer_of
from stillhunt.evidence.merkle import MemoryTree, verify_consistency
from stillhunt.evidence.note import COSIGNATURE, Note, parse_note, parse_signatures
from stillhunt.evidence.split_view import check, different_leaf, same_size
from stillhunt.evidence.witness import SIZE_TYPE, Witness, make_request, parse_request
from stillhunt.evidence.witness_state import WitnessFolder, create_witness, holding_witness

LOG = signer_of("logs.example.com/a", b"l" * 32)
NEXT = signer_of("logs.example.com/a", b"n" * 32)
OTHER = signer_of("logs.example.com/b", b"b" * 32)
WITNESS = signer_of("w.example.org", b"w" * 32, COSIGNATURE)
NOW = 1_800_000_000


def leaves(size: int, fork: int | None = None) -> np.ndarray:
    """Leaf hashes; from ``fork`` on of another history."""
    rows = np.zeros((size, 32), dtype=np.uint8)
    rows[:, :4] = np.arange(size, dtype="<u4").view(np.uint8).reshape(-1, 4)
    if fork is not None:
        rows[fork:, 31] = 1
    return rows


TREE = MemoryTree(leaves(300))
FORKED = MemoryTree(leaves(300, fork=100))


def head(size: int, tree: MemoryTree = TREE, signer: Any = LOG) -> Note:
    text = Checkpoint(signer.key.name, size, tree.root(size)).text
    return Note(text, (signer.sign(text),))


class Memory:
    """``Heads`` in memory; every change is written down."""

    def __init__(self) -> None:
        self.heads: dict[str, bytes] = {}
        self.accused: list[bytes] = []

    def latest(self, origin: str) -> bytes | None:
        return self.heads.get(origin)

    def keep(self, origin: str, note: bytes) -> None:
        self.heads[origin] = note

    def accuse(self, _origin: str, _size: int, proof: bytes) -> None:
        self.accused.append(proof)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def witness(memory: Memory) -> Witness:
    return Witness(WITNESS, [LOG.key, NEXT.key], memory, lambda: NOW + 0.9)


def ask(witness: Witness, size: int, old: int, tree: MemoryTree = TREE) -> Any:
    return witness.add_checkpoint(make_request(tree, head(size, tree), old))


def test_it_cosigns_what_continues(witness: Witness, memory: Memory) -> None:
    for old, size in ((0, 5), (5, 5), (5, 64), (64, 300)):
        reply = ask(witness, size, old)
        assert reply.status == 200
        note = head(size).having(parse_signatures(reply.body.decode()))
        opened = open_checkpoint(note.encode(), [LOG.key], [WITNESS.key])
        assert [(v.key, v.time) for v in opened.cosigned] == [(WITNESS.key, NOW)]
        kept = parse_checkpoint(parse_note(memory.heads[LOG.key.name]).text)
        assert kept.size == size


def test_the_specification_s_request() -> None:
    # C2SP tlog-witness, "Example request body".
    body = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
        "\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"  # noqa: E501
        "— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n"  # noqa: E501
    )
    old, proof, note = parse_request(body.encode())
    assert (old, len(proof), len(note.signatures)) == (20852014, 4, 2)
    assert parse_checkpoint(note.text).size == 20852163


def test_every_refusal_has_its_status(witness: Witness, memory: Memory) -> None:
    assert ask(witness, 64, 0).status == 200
    kept = dict(memory.heads)
    good = make_request(TREE, head(200), 64)
    stranger = make_request(TREE, head(200, signer=OTHER), 64)
    forged = Note(head(200).text, (OTHER.sign(head(200).text),))
    broken = Note(head(200).text, head(199).signatures)
    cases = [
        (stranger, 404),
        (make_request(TREE, forged, 64), 403),
        (make_request(TREE, broken, 64), 403),
        (good.replace(b"old 64", b"old 201"), 400),
        (good.replace(b"old 64", b"old 064"), 400),
        (good.replace(b"old 64", b"new 64"), 400),
        (good.replace(b"old 64", b"old -1"), 400),
        (good.replace(b"\n\n", b"\n", 1), 400),
        (b"old 64\n" + b"A" * 43 + b"=\n" + b"\n".join([b"A" * 43 + b"="] * 63) + b"\n\nx", 400),
        (b"", 400),
        (b"\xff", 400),
        (good + b"x" * (1 << 18), 400),
        (make_request(FORKED, head(200, FORKED), 64).replace(b"old 64", b"old 63"), 409),
        (make_request(TREE, head(200), 0), 409),
        (make_request(TREE, head(40), 40), 409),
        (make_request(TREE, head(200), 128).replace(b"old 128", b"old 64"), 422),
        (good.replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1), 422),
    ]
    for body, status in cases:
        reply = witness.add_checkpoint(body)
        assert reply.status == status, body[:200]
        if status == 409:
            assert (reply.body, reply.content_type) == (b"64\n", SIZE_TYPE)
    assert memory.heads == kept
    assert memory.accused == []
    assert witness.add_checkpoint(good).status == 200


def test_a_fork_of_the_same_size_is_refused_and_kept_as_proof(
    witness: Witness, memory: Memory
) -> None:
    assert ask(witness, 200, 0).status == 200
    reply = ask(witness, 200, 200, FORKED)
    assert (reply.status, reply.content_type) == (409, SIZE_TYPE)
    (proof,) = memory.accused
    shown = check(proof, [LOG.key])
    assert (shown.origin, shown.first.size, shown.position) == (LOG.key.name, 200, None)
    assert "200 leaves" in str(shown)
    # A fork further on leads to no proof from the old root.
    assert ask(witness, 300, 200, FORKED).status == 422
    assert ask(witness, 300, 200).status == 200


def test_a_rotated_key_counts_when_it_is_known(witness: Witness) -> None:
    assert ask(witness, 10, 0).status == 200
    text = head(20).text
    body = make_request(TREE, Note(text, (NEXT.sign(text),)), 10)
    assert witness.add_checkpoint(body).status == 200


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.booleans()), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_is_asked_its_cosigned_heads_are_one_history(
    asked: list[tuple[int, int, bool]],
) -> None:
    witness = Witness(WITNESS, [LOG.key], Memory(), lambda: NOW)
    cosigned: list[tuple[int, MemoryTree]] = []
    for size, old, forked in asked:
        tree = FORKED if forked else TREE
        # Also as one who knows what the witness wants to hear.
        for before in (old, cosigned[-1][0] if cosigned else 0):
            status = ask(witness, size, before, tree).status if before <= size else 0
            cosigned += [(size, tree)] if status == 200 else []
    for (a, first), (b, second) in pairwise(cosigned):
        assert a <= b
        assert first.root(a) == second.root(a)


def test_two_at_once_cosign_one_history(memory: Memory) -> None:
    witness = Witness(WITNESS, [LOG.key], memory, lambda: NOW)
    assert ask(witness, 100, 0).status == 200
    start = threading.Barrier(8)
    replies: list[tuple[int, int]] = []

    def race(i: int) -> None:
        tree = (TREE, FORKED)[i % 2]
        start.wait()
        replies.append((i % 2, ask(witness, 200 + i, 100, tree).status))

    threads = [threading.Thread(target=race, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for _, status in replies) == [200] + [409] * 7


# -- its folder -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> WitnessFolder:
    made = create_witness(tmp_path / "witness", "w.example.org")
    made.add_log(LOG.key)
    made.add_log(LOG.key)
    return made


def test_it_remembers(folder: WitnessFolder) -> None:
    assert folder.logs() == [LOG.key]
    assert ask(folder.witness(), 100, 0).status == 200
    again = WitnessFolder(folder.root)
    assert ask(again.witness(), 200, 0).status == 409
    assert ask(again.witness(), 200, 100).status == 200
    assert ask(again.witness(), 200, 200, FORKED).status == 409
    (proof,) = again.split_views()
    assert check(proof.read_bytes(), [LOG.key]).origin == LOG.key.name
    assert (folder.root / "witness.key").stat().st_mode & 0o077 == 0


def test_the_head_is_kept_before_the_cosignature_is_made(
    folder: WitnessFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes, _mode: int = 0) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(the_state, "put", full)
        witness = folder.witness()
        with pytest.raises(OSError, match="space"):
            ask(witness, 100, 0)
    assert ask(folder.witness(), 120, 0, FORKED).status == 200


def test_without_its_memory_it_does_not_go_on(folder: WitnessFolder) -> None:
    ask(folder.witness(), 100, 0)
    (kept,) = (folder.root / "heads").iterdir()
    note = kept.read_bytes()
    kept.write_bytes(note[:50])
    with pytest.raises(EvidenceError):
        ask(folder.witness(), 200, 0, FORKED)
    kept.write_bytes(head(100, signer=OTHER).encode())
    with pytest.raises(EvidenceError):
        ask(folder.witness(), 200, 0, FORKED)
    kept.unlink()
    (folder.root / "heads").rmdir()
    with pytest.raises(InputError, match="heads"):
        WitnessFolder(folder.root)


def test_one_process_at_a_time(folder: WitnessFolder) -> None:
    with holding_witness(folder.root), pytest.raises(UsageError), holding_witness(folder.root):
        pass


KILLED = """
import os, sys
from pathlib import Path
sys.path[:0] = {paths!r}
import test_evidence_witness as t
from stillhunt.evidence.witness_state import WitnessFolder
witness = WitnessFolder(Path(sys.argv[1])).witness()
fork = int(sys.argv[2])
old = int(sys.argv[3])
while old < 300:
    tree = (t.TREE, t.FORKED)[fork]
    reply = t.ask(witness, old + 1, old, tree)
    if reply.status == 409:
        old = int(reply.body)
        continue
    if reply.status != 200:
        break
    old += 1
    os.write(1, f"{{old}} {{fork}}\\n".encode())
"""


def test_killed_at_any_moment_it_cosigns_one_history(folder: WitnessFolder) -> None:
    """Lives alternate between two histories that part at leaf 100; one of them must win for good."""
    random = np.random.default_rng(5)
    code = KILLED.format(paths=[str(Path(__file__).parent), *sys.path])
    shown: list[tuple[int, int]] = []
    for life in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder.root), str(life % 2), "0"],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(int(random.integers(1, 40)))]
        process.kill()
        lines += process.stdout.readlines()
        process.wait()
        shown += [tuple(map(int, line.split())) for line in lines if line.endswith(b"\n")]  # type: ignore[misc]
    parted = {fork for size, fork in shown if size > 100}
    assert len(parted) == 1
    sizes = [size for size, _ in shown]
    assert sizes == sorted(sizes)
    kept = WitnessFolder(folder.root).latest(LOG.key.name)
    assert kept is not None
    assert parse_checkpoint(parse_note(kept).text).size >= sizes[-1]


# -- split views ----------------------------------------------------------------------------------


def test_a_fork_of_another_size_is_proven_by_a_leaf() -> None:
    first, second = head(150), head(290, FORKED)
    proof = different_leaf(first.encode(), TREE, second.encode(), FORKED)
    assert proof is not None
    shown = check(proof, [LOG.key])
    assert shown.position == 100
    assert "leaf 100" in str(shown)
    assert different_leaf(head(90).encode(), TREE, second.encode(), FORKED) is None
    assert same_size(first.encode(), second.encode()) is None
    with pytest.raises(SignatureError):
        check(proof, [OTHER.key, NEXT.key])


def test_honest_heads_prove_nothing() -> None:
    first, second = head(150), head(290)
    assert different_leaf(first.encode(), TREE, second.encode(), TREE) is None
    document = {"leaf": None, "notes": [first.encode().decode(), second.encode().decode()]}
    document |= {"origin": LOG.key.name, "split_view": 1}
    with pytest.raises(ProofError):
        check(encode(document, verbatim=True), [LOG.key])
    document["notes"] = [first.encode().decode()] * 2
    with pytest.raises(ProofError):
        check(encode(document, verbatim=True), [LOG.key])
    leaf = {"hashes": encode_proof([TREE.hash_at(0, 5)] * 2), "position": 5, "proofs": [[], []]}
    with pytest.raises(ProofError):
        check(encode(document | {"leaf": leaf}, verbatim=True), [LOG.key])


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_no_byte_of_a_proof_of_a_split_view_can_change(data: st.DataObject) -> None:
    proof = different_leaf(head(150).encode(), TREE, head(290, FORKED).encode(), FORKED)
    assert proof is not None
    wrong = bytearray(proof)
    at = data.draw(st.integers(0, len(wrong) - 1))
    wrong[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        shown = check(bytes(wrong), [LOG.key])
    except EvidenceError:
        return
    raise AssertionError(f"byte {at} changed, and {shown} is shown all the same")


@pytest.mark.parametrize(
    "change",
    [{"split_view": 2}, {"notes": []}, {"notes": ["x", "y"]}, {"leaf": 5}, {"leaf": {}},
     {"leaf": {"hashes": [], "position": 0, "proofs": []}}, {"origin": "o"}, {"more": 1}],
)  # fmt: skip
def test_proofs_that_are_none(change: dict[str, Any]) -> None:
    proof = same_size(head(200).encode(), head(200, FORKED).encode())
    assert proof is not None
    with pytest.raises(EvidenceError):
        check(encode(decode(proof, verbatim=True) | change, verbatim=True), [LOG.key])
    for bad in (b"[]", b"1", b"", proof + b" ", b"\xff"):
        with pytest.raises(NoteError if bad in (b"[]", b"1") else EvidenceError):
            check(bad, [LOG.key])


def test_our_trees_part_where_it_is_said() -> None:
    assert TREE.root(100) == FORKED.root(100)
    assert TREE.root(101) != FORKED.root(101)
    with pytest.raises(ProofError):
        verify_consistency(101, 300, TREE.root(101), FORKED.root(), [])
