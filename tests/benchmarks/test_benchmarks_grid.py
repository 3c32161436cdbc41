"""The grid of cells: what is done is not done again, whatever stopped it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import _grid
from _cells import HUNT, Cell
from _grid import CELLS, RUN, left_to_do, read_records, run_grid

DETECTION = Path(__file__).parents[2] / "benchmarks" / "detection.py"
FEW = 3_000


def _cells(n: int) -> list[Cell]:
    return [Cell("clean", seed, FEW, (HUNT,)) for seed in range(1, n + 1)]


def test_a_cut_line_is_taken_off_and_whole_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / CELLS
    assert read_records(path) == []
    path.write_text('{"seed": 1}\n{"seed": 2}\n{"se', "utf-8")
    assert [r["seed"] for r in read_records(path)] == [1, 2]
    assert path.read_text("utf-8") == '{"seed": 1}\n{"seed": 2}\n'


def test_only_tasks_without_a_record_are_left() -> None:
    cells = [Cell("e3", 1, FEW, (HUNT, "leak")), Cell("e3", 2, FEW, (HUNT,))]
    done = [
        {"level": "e3", "seed": 1, "exchanges": FEW, "task": HUNT},
        {"level": "e3", "seed": 2, "exchanges": 2 * FEW, "task": HUNT},
    ]
    assert left_to_do(cells, done) == [Cell("e3", 1, FEW, ("leak",)), cells[1]]
    assert left_to_do(cells[:1], [*done, done[0] | {"task": "leak"}]) == []


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed after its first cell, the whole of it at once; the second run does the rest."""
    command = [
        sys.executable, str(DETECTION), "--simulate", "--levels", "clean", "--clean-seeds", "3",
        "--exchanges", str(FEW), "--jobs", "1", "--resume", str(tmp_path),
    ]  # fmt: skip
    first = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while not (tmp_path / CELLS).is_file() or not read_records(tmp_path / CELLS):
            assert first.poll() is None, "it ended before a cell was done"
            time.sleep(0.05)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    before = read_records(tmp_path / CELLS)
    assert 1 <= len(before) < 3
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    after = read_records(tmp_path / CELLS)
    assert after[: len(before)] == before
    assert sorted(r["seed"] for r in after) == [1, 2, 3]
    assert f"of {3 - len(before)} cells" in second.stderr
    assert "of 3 runs name anybody" in second.stdout
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {CELLS, RUN, "results.json", "results.md"}  # no traffic is left
    summary = json.loads((tmp_path / "results.json").read_bytes())
    assert summary["clean"]["runs"] == 3
    assert summary["levels"]["clean"]["lawful"]["hobbyist"]["accounts"]["whole"] > 0


def test_records_of_other_code_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_grid([], tmp_path, 1)
    run_grid([], tmp_path, 1)
    monkeypatch.setattr(_grid, "code_digest", lambda: "other")
    with pytest.raises(ValueError, match="other code"):
        run_grid([], tmp_path, 1)


def test_a_cell_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="The cell unheard-of, seed 1, failed"):
        run_grid([Cell("unheard-of", 1, FEW, (HUNT,))], tmp_path, 1)
    assert read_records(tmp_path / CELLS) == []
