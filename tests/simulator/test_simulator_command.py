"""``stillhunt simulate``: scenarios by name and by file, the list, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from stillhunt.cli.simulate import simulate as command
from stillhunt.errors import InputError
from stillhunt_simulator import scenarios

app = typer.Typer()
app.command()(command)
runner = CliRunner()


def run(*arguments: object) -> str:
    result = runner.invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_list_has_every_scenario_with_its_title() -> None:
    output = " ".join(run("--list").split())
    for name, title in scenarios.titles().items():
        assert f"{name} {title}" in output


@pytest.mark.parametrize(
    ("name", "said"), [("clean", "no campaigns planted"), ("e3-dozen", "1 campaign planted")]
)
def test_a_built_in_one_by_name(tmp_path: Path, name: str, said: str) -> None:
    output = run("--out", tmp_path, "--scenario", name, "--exchanges", 3000)
    assert f"3,000 exchanges over 14 days, {said} among them" in output
    planted = set(pq.read_table(tmp_path / "truth" / "accounts.parquet")["campaign"].to_pylist())
    assert planted == ({None} if name == "clean" else {None, "reasoning"})


def test_one_in_a_file_is_as_large_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "Mine"\nextends = "clean"\nexchanges = 2500\n')
    assert "2,500 exchanges" in run("--out", tmp_path / "out", "--scenario", path)
    assert pq.read_metadata(tmp_path / "out" / "exchanges.parquet").num_rows == 2_500


def test_seeds_differ(tmp_path: Path) -> None:
    for seed in (1, 2):
        run("--out", tmp_path / str(seed), "--seed", seed, "--exchanges", 2000)
    one, two = (
        set(pq.read_table(tmp_path / s / "exchanges.parquet")["prompt"].to_pylist()) for s in "12"
    )
    assert not one & two


def test_a_wrong_scenario_is_an_input_error_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "Mine"\nextends = "clean"\ndays = "many"\n')
    with pytest.raises(InputError, match=r"mine\.toml, line 3, days: .*a text") as caught:
        run("--out", tmp_path / "out", "--scenario", path)
    assert "whole number" in caught.value.remedy
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="no such scenario"):
        run("--out", tmp_path / "out", "--scenario", "e9")


def test_without_a_folder_it_says_so() -> None:
    result = runner.invoke(app, [])
    assert result.exit_code == 2
    assert "--out" in result.output


def test_help_has_examples() -> None:
    output = run("--help")
    for shown in ("--scenario", "--list", "--seed", "--exchanges", "stillhunt simulate --list"):
        assert shown in output
