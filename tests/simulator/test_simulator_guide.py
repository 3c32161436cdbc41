"""What the guide says of scenarios is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stillhunt_simulator import ScenarioError, load, scenarios

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "simulator.md").read_text("utf-8")


def example() -> str:
    blocks = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def test_it_lists_every_scenario() -> None:
    table = [line for line in GUIDE.splitlines() if line.startswith("| `")]
    named = re.findall(r"`([\w-]+)`", " ".join(line.split("|")[1] for line in table))
    assert set(named) == set(scenarios.names())


def test_its_example_is_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(example())
    scenario = load(path)
    assert [c.campaign for c in scenario.campaigns] == ["reasoning", "grading", "newcomer"]
    assert "licensed" not in {p.name for p in scenario.personas}


def test_its_error_is_what_is_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(example().replace('"throttled"', '"weekly"'))
    with pytest.raises(ScenarioError) as caught:
        load(path)
    said = str(caught.value).replace(str(path), "mine.toml")
    assert f"Error: {said}\nWhat to do: {caught.value.remedy}\n" in GUIDE


def test_lawful_sorts_are_as_many_as_told() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert len(load("small").lawful) == 14
    assert "fourteen sorts of lawful customers" in " ".join(readme.split())
