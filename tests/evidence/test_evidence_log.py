"""The log folder: what is appended is there, what is not covered by a head is not, and nothing else."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_cases import ORIGIN, accounts, check_log, digests, observations

from stillhunt.errors import InputError, OutputError, UsageError
from stillhunt.evidence.entries import CLAIM, KEY, as_rows
from stillhunt.evidence.failures import EvidenceError, SignatureError
from stillhunt.evidence.keys import check_rotation, signer_of
from stillhunt.evidence.log import recovery as the_recovery
from stillhunt.evidence.log import writer as the_writer
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.index import ExchangeIndex
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.retention import prune
from stillhunt.evidence.log.seam import Totals, Unsealed
from stillhunt.evidence.log.settings import Settings, WitnessAddress, write_settings
from stillhunt.evidence.log.writer import LogWriter, writing_log
from stillhunt.evidence.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from stillhunt.evidence.note import COSIGNATURE, parse_note

WITNESS = signer_of("w.example.org", b"w" * 32, COSIGNATURE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return create_log(tmp_path / "log", ORIGIN).layout.root


def seal(root: Path, first: int, count: int, rows: int = 0) -> None:
    with writing_log(root) as writer:
        writer.append(observations(first, count), accounts(first, rows), source={"n": first})
        writer.publish()


def test_a_log_of_several_batches(root: Path) -> None:
    sizes = [0]
    for step, count in enumerate([3, 250, 0, 700, 1]):
        seal(root, 1000 * step, count, step)
        sizes.append(check_log(root).checkpoint().size)
    assert sizes == [0, 4, 256, 259, 963, 969]
    log = Log(root)
    assert log.sizes() == sizes
    # Any two heads that the log ever signed are consistent.
    for old in sizes:
        for new in sizes[sizes.index(old) :]:
            proof = consistency_proof(log.tree(new), old, new)
            heads = log.head(old).checkpoint, log.head(new).checkpoint
            verify_consistency(old, new, heads[0].root, heads[1].root, proof)
    position = 300
    path = inclusion_proof(log.tree(), 969, position)
    head = log.checkpoint()
    verify_inclusion(leaf_hash(log.entry(position)), position, 969, path, head.root)


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 3), st.booleans()), max_size=6))
@settings(max_examples=12, deadline=None)
def test_whatever_the_batches_are(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, bool]]
) -> None:
    root = create_log(tmp_path_factory.mktemp("any") / "log", ORIGIN).layout.root
    every = []
    with writing_log(root) as writer:
        for i, (count, rows, head) in enumerate(steps):
            every.append(observations(1000 * i, count))
            writer.append(every[-1], accounts(i, rows))
            assert (writer.positions_of(digests(every[-1])) >= 0).all()
            if head:
                writer.publish()
        writer.publish()
    log = check_log(root)
    assert len(log.batches()) == len(steps)
    for rows in every:
        positions = log.positions_of(digests(rows))
        opened = [o.rows for o in log.open_leaves(positions)]
        assert b"".join(o.tobytes() for o in opened) == as_rows(rows).tobytes()


def test_nothing_of_an_exchange_is_public(root: Path) -> None:
    rows = observations(0, 400)
    rows["account"] = np.int64(0x1122334455667788)
    with writing_log(root) as writer:
        writer.append(rows)
        writer.append(rows[:1])  # the same again: other salts, another entry
        writer.publish()
    public = b"".join(p.read_bytes() for p in (root / "public").rglob("*") if p.is_file())
    assert bytes.fromhex("8877665544332211") not in public
    assert not any(digest.tobytes() in public for digest in digests(rows))
    log = Log(root)
    assert log.entry(0) != log.entry(401)
    assert (root / "private").stat().st_mode & 0o077 == 0
    for batch in log.batches():
        assert log.layout.salts(batch.batch).stat().st_mode & 0o077 == 0


def test_what_no_head_covers_is_cut_off(root: Path) -> None:
    seal(root, 0, 300)
    before = check_log(root).checkpoint()
    with writing_log(root) as writer:
        writer.append(observations(300, 700), accounts(0, 2))
        writer.append_entry(CLAIM, bytes(32))
    assert Log(root).checkpoint() == before
    assert len(Log(root).batches()) == 1
    seal(root, 300, 10)
    log = check_log(root)
    assert log.checkpoint().size == 301 + 11
    assert (log.positions_of(digests(observations(310, 690))) == -1).all()


def test_a_writer_that_failed_signs_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing_log(root) as writer:
        with monkeypatch.context() as patch:
            patch.setattr(the_writer, "observation_entries", full_disk)
            with pytest.raises(OutputError):
                writer.append(observations(0, 5))
        with pytest.raises(OutputError):
            writer.publish()
        with pytest.raises(OutputError):
            writer.append(observations(0, 5))
    seal(root, 0, 5)
    check_log(root)


def full_disk(*_args: object) -> None:
    raise OSError(28, "No space left on device")


def test_one_writer(root: Path) -> None:
    with writing_log(root), pytest.raises(UsageError, match="Another process"), writing_log(root):
        pass


def test_logs_that_are_none(tmp_path: Path, root: Path) -> None:
    with pytest.raises(InputError):
        Log(tmp_path)
    with pytest.raises(OutputError):
        create_log(root, ORIGIN)
    with pytest.raises(UsageError):
        create_log(tmp_path / "other", "has spaces")
    header = json.loads((root / "log.json").read_text())
    (root / "log.json").write_text(json.dumps(header | {"log": 2}))
    with pytest.raises(InputError, match="version 2"):
        Log(root)


def test_tampering_is_seen_before_more_is_sealed(root: Path) -> None:
    seal(root, 0, 300)
    tile = root / "public" / "tile" / "0" / "000"
    good = tile.read_bytes()
    tile.write_bytes(bytes([good[0] ^ 1]) + good[1:])
    # A whole tile's leaves are not read again; what it was made of is.
    log = Log(root)
    proof = inclusion_proof(log.tree(), 301, 3)
    with pytest.raises(EvidenceError):
        verify_inclusion(leaf_hash(log.entry(3)), 3, 301, proof, log.checkpoint().root)
    tile.write_bytes(good)
    (root / "public" / "tile" / "1" / "000.p" / "1").write_bytes(bytes(32))
    with pytest.raises(InputError, match="tiles"), writing_log(root):
        pass


def test_a_head_with_a_changed_root_is_refused(root: Path) -> None:
    seal(root, 0, 3)
    head = root / "private" / "checkpoints" / f"{4:012d}"
    text = head.read_text().split("\n")
    text[2] = "A" * 43 + "="
    head.write_text("\n".join(text))
    with pytest.raises(SignatureError):
        Log(root).head()


def test_claims_and_totals_have_their_place(root: Path) -> None:
    seen: list[Unsealed] = []

    def totals(batch: Unsealed) -> Totals:
        seen.append(batch)
        return Totals({"root": "ab", "rows": len(batch.observations)}, b"opaque")

    with writing_log(root) as writer:
        position = writer.append_entry(CLAIM, b"c" * 32)
        batch = writer.append(observations(0, 4), accounts(0, 1), totals=totals)
        writer.publish()
    log = check_log(root)
    assert (position, log.entry(0)) == (0, b"\x04" + b"c" * 32)
    assert batch.totals == {"root": "ab", "rows": 4}
    assert log.layout.totals(1).read_bytes() == b"opaque"
    assert (seen[0].number, seen[0].first) == (1, 1)
    assert (seen[0].observations["input_tokens"] == [0, 1, 2, 3]).all()
    assert seen[0].accounts.shape == (1, 35)
    assert batch.period == (1_700_000_000_000_000, 1_700_000_003_000_000)


def test_only_what_is_there_can_be_opened(root: Path) -> None:
    seal(root, 0, 5, 2)
    log = Log(root)
    for bad in ([4, 5], [7], [8], [-1]):
        with pytest.raises(EvidenceError):
            list(log.open_leaves(np.array(bad)))
    with pytest.raises(EvidenceError):
        list(log.open_accounts(np.array([4])))
    assert len(next(log.open_accounts(np.array([5, 6]))).rows) == 2
    assert log.account_rows().keys() == {0, 1}
    with pytest.raises(EvidenceError):
        log.entry(8)


# -- retention ------------------------------------------------------------------------------------


def test_what_is_pruned_stays_in_the_log_and_opens_no_more(root: Path) -> None:
    for first in (0, 10_000_000, 20_000_000):
        seal(root, first, 300, 1)
    before = check_log(root).checkpoint()
    edge = datetime.fromtimestamp(1_700_000_000 + 15_000_000, UTC)
    with writing_log(root) as writer:
        assert prune(writer, edge) == 2
        assert prune(writer, edge) == 0
    log = check_log(root)
    assert log.checkpoint() == before
    assert [log.is_openable(batch) for batch in log.batches()] == [False, False, True]
    with pytest.raises(EvidenceError, match="deleted"):
        list(log.open_leaves(np.array([3])))
    for first, found in ((0, False), (10_000_000, False), (20_000_000, True)):
        positions = log.positions_of(digests(observations(first, 300)))
        assert ((positions >= 0) == found).all()
    seal(root, 0, 300)
    assert check_log(root).checkpoint().size == before.size + 301


def test_pruning_that_was_killed_is_finished(root: Path) -> None:
    for first in (0, 1000):
        seal(root, first, 300, 1)
    layout = Log(root).layout
    layout.salts(1).unlink()
    with writing_log(root) as writer:
        assert prune(writer, datetime.fromtimestamp(0, UTC)) == 0
    assert not layout.payload(1).exists()
    assert layout.pruned(1).exists()
    log = check_log(root)
    assert (log.positions_of(digests(observations(0, 300))) == -1).all()
    assert (log.positions_of(digests(observations(1000, 300))) >= 0).all()


# -- keys and witnesses ---------------------------------------------------------------------------


def test_a_rotation_is_in_the_log_and_signed_by_both(root: Path) -> None:
    seal(root, 0, 3)
    with writing_log(root) as writer:
        writer.rotate()
        old, new = writer.log.keys()
        assert {v.key for v in writer.log.head().signed} == {old, new}
        writer.append(observations(3, 3))
        writer.publish()
    log = check_log(root)
    assert {v.key for v in log.head().signed} == {new}
    (statement,) = (root / "public" / "keys").iterdir()
    said = statement.read_bytes()
    assert check_rotation(said, ORIGIN, old) == new
    assert log.entry(4) == bytes([KEY]) + sha256(said).digest()


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 5])
def test_a_rotation_that_is_killed_is_undone_or_done(
    root: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    seal(root, 0, 3)
    left = [after]
    whole = the_writer.put

    def dying(path: Path, data: bytes, mode: int = 0o644) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        whole(path, data, mode)

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt), writing_log(root) as writer:
        patch.setattr(the_writer, "put", dying)
        patch.setattr(the_recovery, "put", dying)
        writer.rotate()
    seal(root, 3, 3)
    log = check_log(root)
    assert not list((root / "private" / "keys").glob("*.new"))
    rotated = any(entry[0] == KEY for entry in log.entries(0, log.checkpoint().size))
    assert len(log.keys()) == 1 + rotated
    assert {v.key for v in log.head().signed} == {log.keys()[-1]}
    assert (root / "public" / "keys").is_dir() == rotated


def test_a_head_is_public_when_the_quorum_is_met(root: Path) -> None:
    seal(root, 0, 3)
    layout = Log(root).layout
    with pytest.raises(UsageError):
        write_settings(layout, Settings((), 1))
    write_settings(layout, Settings((WitnessAddress(WITNESS.key),), 1))
    seal(root, 3, 3)
    log = check_log(root)
    assert (log.checkpoint().size, log.published().checkpoint.size) == (8, 4)
    text = log.checkpoint().text
    with writing_log(root) as writer:
        stranger = signer_of("s.example.org", b"s" * 32, COSIGNATURE)
        writer.add_cosignatures([stranger.sign(text, 5)])
        assert log.published().checkpoint.size == 4
        forged = WITNESS.sign("another text\n", 5)
        with pytest.raises(SignatureError):
            writer.add_cosignatures([forged])
        writer.add_cosignatures([WITNESS.sign(text, 5)])
        writer.add_cosignatures([WITNESS.sign(text, 9)])
    published = check_log(root).published()
    assert published.checkpoint.size == 8
    assert [v.time for v in published.cosigned] == [9]
    assert len(parse_note((root / "public" / "checkpoint").read_bytes()).signatures) == 2


# -- the index ------------------------------------------------------------------------------------


def test_the_index_is_made_again(root: Path) -> None:
    for first in range(0, 900, 100):
        seal(root, first, 100)
    names = sorted(path.name for path in (root / "private" / "index").iterdir())
    assert len(names) < 5
    for name in names[::2]:
        (root / "private" / "index" / name).unlink()
    log = check_log(root)  # a reader makes it in memory only
    assert (log.positions_of(digests(observations(0, 900))) >= 0).all()
    assert len(list((root / "private" / "index").iterdir())) == len(names) - len(names[::2])
    seal(root, 900, 1)
    check_log(root)
    assert (ExchangeIndex(root / "private" / "index", 10).positions_of(
        digests(observations(0, 901))) >= 0).all()  # fmt: skip


def test_digests_that_begin_alike(tmp_path: Path) -> None:
    index = ExchangeIndex(tmp_path, 0, write=True)
    alike = np.zeros((50, 16), dtype=np.uint8)
    alike[:, 15] = np.arange(50)[::-1]
    index.add(1, alike[:40], np.arange(40))
    index.add(2, alike[40:45], np.arange(40, 45))
    again = ExchangeIndex(tmp_path, 2)
    assert again.through == 2
    assert again.positions_of(alike).tolist() == [*range(45), *[-1] * 5]
    assert again.positions_of(alike[::-1]).tolist() == [*[-1] * 5, *range(44, -1, -1)]


def test_a_writer_goes_on_where_another_was(root: Path) -> None:
    with writing_log(root) as writer:
        assert isinstance(writer, LogWriter)
        writer.append(observations(0, 256 * 3 - 1))
        writer.publish()
    assert not list((root / "public").rglob("*.p/255"))
    old = Log(root).tree(768)
    seal(root, 1000, 70)
    assert check_log(root).tree().hash_at(8, 2) == old.hash_at(8, 2)
