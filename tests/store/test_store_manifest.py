"""A store is the fold of its transactions, from wherever one begins to fold."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillhunt.errors import InputError, OutputError
from stillhunt.store import manifest
from stillhunt.store.manifest import (
    Input,
    Part,
    State,
    Transaction,
    commit,
    fold,
    read_state,
    transaction_from,
    transaction_json,
)


@st.composite
def histories(draw: st.DrawFn) -> list[Transaction]:
    """Transactions that do not contradict one another."""
    out: list[Transaction] = []
    state = State()
    for number in range(1, draw(st.integers(0, 12)) + 1):
        added = tuple(
            Part(f"{number:08d}-{i:04d}", f"2026-01-{draw(st.integers(1, 28)):02d}", 1 + i, 9, 5)
            for i in range(draw(st.integers(0, 3)))
        )
        some = sorted(draw(st.sets(st.sampled_from(sorted(state.parts)), max_size=3))
                      if state.parts else ())  # fmt: skip
        runs = tuple(draw(st.sets(st.sampled_from(state.keys))) if state.keys else ())
        transaction = Transaction(
            kind=draw(st.sampled_from(["ingest", "compaction", "retention"])),
            at=f"2026-02-{number:02d}T00:00:00+00:00",
            added=added,
            removed=tuple(some),
            inputs=tuple(
                Input(f"/in/{number}-{i}", "ab", 3, 4, 5, 1, 1, "canonical", "")
                for i in range(draw(st.integers(0, 2)))
            ),
            offsets=draw(
                st.dictionaries(
                    st.sampled_from(["a", "b"]),
                    st.dictionaries(st.sampled_from(["0", "1"]), st.integers(0, 9), min_size=1),
                )
            ),
            accounts=f"{number:08d}" if draw(st.booleans()) else "",
            accounts_removed=state.accounts if draw(st.booleans()) else (),
            keys_added=(f"{number:08d}",),
            keys_removed=runs,
            keys_through=number if draw(st.booleans()) else 0,
            quarantine=f"{number:08d}" if draw(st.booleans()) else "",
            quarantines_removed=tuple(state.quarantines) if draw(st.booleans()) else (),
        )
        state = state.step(transaction)
        out.append(transaction)
    return out


@settings(max_examples=50, deadline=None)
@given(histories(), st.integers(0, 12))
def test_a_fold_may_begin_anywhere(history: list[Transaction], cut: int) -> None:
    whole = fold(history)
    assert fold(history[cut:], fold(history[:cut])) == whole
    assert whole.transactions == len(history)
    assert sum(len(t.inputs) for t in history) == len(whole.inputs)
    added = sum(len(t.added) for t in history) - sum(len(t.removed) for t in history)
    assert len(whole.parts) == added


@settings(max_examples=50, deadline=None)
@given(histories())
def test_a_transaction_is_read_as_it_was_written(history: list[Transaction]) -> None:
    for transaction in history:
        written = orjson.dumps(transaction_json(transaction))
        assert transaction_from(orjson.loads(written)) == transaction


@settings(max_examples=25, deadline=None)
@given(histories(), st.integers(1, 4))
def test_what_is_on_the_disk_is_the_fold(history: list[Transaction], every: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest, "CHECKPOINT_EVERY", every)
        state = State()
        for transaction in history:
            state = commit(Path(folder), state, transaction)
            assert read_state(Path(folder)) == state
        assert state == fold(history)
        (Path(folder) / "checkpoint.json").unlink(missing_ok=True)
        assert read_state(Path(folder)) == state


def _three(folder: Path) -> State:
    state = State()
    for number in (1, 2, 3):
        part = Part(f"{number:08d}-0000", "2026-01-05", 4)
        state = commit(folder, state, Transaction("ingest", "", added=(part,)))
    return state


def test_a_checkpoint_only_saves_time(tmp_path: Path) -> None:
    state = _three(tmp_path)
    for broken in (b"", b"{", b'{"transactions": 9}', b"[]", b'{"parts": [3]}'):
        (tmp_path / "checkpoint.json").write_bytes(broken)
        assert read_state(tmp_path) == state


def test_a_checkpoint_of_another_history_is_not_believed(tmp_path: Path) -> None:
    state = _three(tmp_path)
    document = manifest._state_json(replace(state, transactions=7))
    (tmp_path / "checkpoint.json").write_bytes(orjson.dumps(document))
    assert read_state(tmp_path) == state


def test_what_is_half_written_does_not_count(tmp_path: Path) -> None:
    state = _three(tmp_path)
    (tmp_path / ".00000004.json.tmp").write_text('{"kind": "ing')
    assert read_state(tmp_path) == state


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"added": [{"part": "a"}]}'])
def test_a_broken_transaction_is_told(tmp_path: Path, broken: str) -> None:
    _three(tmp_path)
    (tmp_path / "00000002.json").write_text(broken)
    with pytest.raises(InputError, match=r"00000002\.json cannot be read"):
        read_state(tmp_path)


def test_a_missing_transaction_is_told(tmp_path: Path) -> None:
    _three(tmp_path)
    (tmp_path / "00000002.json").unlink()
    with pytest.raises(InputError, match=r"00000002\.json cannot be read"):
        read_state(tmp_path)


@pytest.mark.parametrize(
    "row",
    [
        {"part": "../../etc/passwd", "day": "2026-01-05", "rows": 1},
        {"part": "a", "day": "../2026", "rows": 1},
        {"part": "", "day": "2026-01-05", "rows": 1},
    ],
)
def test_names_do_not_lead_out_of_the_store(row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is no name of a part"):
        transaction_from({"added": [row]})


@pytest.mark.parametrize("key", ["accounts", "quarantine", "keys_added"])
def test_nor_do_names_of_files(key: str) -> None:
    name = "../secret"
    with pytest.raises(ValueError, match="is no name of a file"):
        transaction_from({key: [name] if key == "keys_added" else name})


def test_nobody_writes_over_a_transaction(tmp_path: Path) -> None:
    state = _three(tmp_path)
    behind = fold([])
    with pytest.raises(OutputError, match="did not make"):
        commit(tmp_path, behind, Transaction("ingest", ""))
    assert read_state(tmp_path) == state


def test_contradictions_are_refused() -> None:
    part = Part("a", "2026-01-05", 1)
    state = fold([Transaction("ingest", "", added=(part,))])
    with pytest.raises(ValueError, match="added twice"):
        state.step(Transaction("ingest", "", added=(part,)))
    for gone in (
        Transaction("compaction", "", removed=("b",)),
        Transaction("compaction", "", keys_removed=("b",)),
        Transaction("compaction", "", accounts_removed=("b",)),
        Transaction("retention", "", quarantines_removed=("b",)),
    ):
        with pytest.raises(ValueError, match="is not there"):
            state.step(gone)
