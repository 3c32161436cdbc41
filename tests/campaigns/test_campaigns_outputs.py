from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stillhunt.campaigns.outputs import staged
from stillhunt.errors import OutputError


def findings(out: Path, mark: str) -> None:
    with staged(out) as (new, put):
        (new / "hunt.json").write_text(mark)
        (new / "campaigns.parquet").write_text(mark)
        put()


def contents(out: Path) -> dict[str, str]:
    return {
        p.relative_to(out).as_posix(): p.read_text() for p in sorted(out.rglob("*")) if p.is_file()
    }


def test_new_findings_replace_old_ones_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    findings(out, "one")
    (out / "seeds.parquet").write_text("of the old hunt")
    findings(out, "two")
    assert contents(out) == {"hunt.json": "two", "campaigns.parquet": "two"}
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_what_is_not_a_hunts_moves_along(tmp_path: Path) -> None:
    out = tmp_path / "out"
    findings(out, "one")
    (out / "notes.txt").write_text("mine")
    (out / "deeper" / "still").mkdir(parents=True)
    (out / "deeper" / "still" / "more.txt").write_text("mine too")
    (out / "link").symlink_to("nowhere")
    findings(out, "two")
    assert contents(out) == {
        "hunt.json": "two",
        "campaigns.parquet": "two",
        "notes.txt": "mine",
        "deeper/still/more.txt": "mine too",
    }
    assert (out / "link").is_symlink()


def test_a_failure_leaves_the_old_findings_and_nothing_beside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    findings(out, "one")

    def half() -> None:
        with staged(out) as (new, _):
            (new / "hunt.json").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert contents(out)["hunt.json"] == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with staged(out):
        pass  # an empty one is welcome
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError) as raised, staged(out):
        pytest.fail("must not begin")
    assert "--out" in raised.value.remedy
    assert contents(out) == {"thesis.tex": "years of work"}


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_is_refused(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("")
    else:
        (tmp_path / "elsewhere").mkdir()
        out.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError), staged(out):
        pytest.fail("must not begin")


KILLED = """
import os, signal, sys
from pathlib import Path
from stillhunt.campaigns import outputs

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

moment = sys.argv[1]
exchange = outputs._exchange
def exchanged(one, other):
    done = exchange(one, other)
    die()
    return done

if moment == "before the exchange":
    outputs._exchange = die
elif moment == "after the exchange":
    outputs._exchange = exchanged
with outputs.staged(Path(sys.argv[2])) as (new, put):
    (new / "hunt.json").write_text("two")
    if moment == "while writing":
        die()
    (new / "campaigns.parquet").write_text("two")
    put()
"""


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("while writing", "one"), ("before the exchange", "one"), ("after the exchange", "two")],
)
def test_killed_at_any_moment_nothing_is_mixed_or_lost(
    tmp_path: Path, moment: str, expected: str
) -> None:
    out = tmp_path / "out"
    findings(out, "one")
    (out / "notes.txt").write_text("mine")
    died = subprocess.run([sys.executable, "-c", KILLED, moment, str(out)], check=False)
    assert died.returncode == -signal.SIGKILL
    kept = {"hunt.json": expected, "campaigns.parquet": expected, "notes.txt": "mine"}
    assert contents(out) == kept
    assert len(list(tmp_path.iterdir())) == 2  # what was staged
    findings(out, "three")
    assert contents(out) == {**dict.fromkeys(kept, "three"), "notes.txt": "mine"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_staging_of_a_running_hunt_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    mine = tmp_path / f".out.{os.getppid()}.abc"
    mine.mkdir()
    stranger = tmp_path / ".out.notes.md"
    stranger.mkdir()
    findings(out, "one")
    assert mine.is_dir()
    assert stranger.is_dir()
