"""The benchmark of speed: what it watches, and that it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import speed
from _watch import Watched, peak_between, watch

RECORD = {"started": "1970-01-01T00:01:42.000000Z", "timings": {"Reading": 3.0, "Links": 2.0}}


def _watched(*resident: tuple[float, int]) -> Watched:
    return Watched(
        exit_code=0, began=100.0, seconds=10.0, processor=5.0, peak=99, resident=resident, said=""
    )


def test_stages_follow_one_another_and_leave_no_time_out() -> None:
    run = _watched((101.0, 10), (103.0, 40), (104.9, 50), (105.1, 30), (108.0, 20))
    stages = speed.stages(run, RECORD)
    assert [(s.name, s.peak) for s in stages] == [
        ("Start of Python, imports", 10), ("Reading", 50), ("Links", 30), ("Report, exit", 20),
    ]  # fmt: skip
    assert [s.seconds for s in stages] == pytest.approx([2.0, 3.0, 2.0, 3.0])
    assert sum(s.seconds for s in stages) == pytest.approx(run.seconds)


def test_a_stage_between_two_samples_has_no_peak() -> None:
    assert peak_between(_watched((101.0, 10), (103.0, 40)), 101.5, 102.5) is None


def test_watch_sees_memory_time_and_errors(tmp_path: Path) -> None:
    program = (
        "import sys, time; held = bytearray(200 << 20); time.sleep(0.3); print('told', file=sys.stderr);"
        "sys.exit(3)"
    )
    run = watch([sys.executable, "-c", program], tmp_path / "said", os.environ)
    assert (run.exit_code, run.said) == (3, "told\n")
    assert run.seconds > 0.3
    assert run.peak > 200 << 20
    seen = peak_between(run, run.began, run.ended)
    assert seen is not None
    assert 200 << 20 < seen <= run.peak + (8 << 20)


def test_it_prints_every_stage(simulated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert speed.main([str(simulated / "small"), "--no-kernel"]) == 0
    printed = capsys.readouterr().out
    for stage in ("Reading and fingerprinting", "Links", "Harvest scores", "DuckDB's scan"):
        assert stage in printed
    assert "20,000 exchanges" in printed


def test_a_folder_without_traffic_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"exchanges\.parquet is missing"):
        speed.main([str(tmp_path)])
