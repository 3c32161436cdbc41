from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from simulated import Simulated

from stillhunt_simulator import load, simulate

SIZE = 24_000


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Simulated]:
    """Simulations of built-in scenarios, 24,000 exchanges each; each is made once."""
    made: dict[str, Simulated] = {}

    def simulation(scenario: str) -> Simulated:
        if scenario not in made:
            folder = tmp_path_factory.mktemp(scenario)
            simulate(folder, seed=7, exchanges=SIZE, scenario=load(scenario))
            made[scenario] = Simulated(folder)
        return made[scenario]

    return simulation


@pytest.fixture(scope="session")
def clean(simulated: Callable[[str], Simulated]) -> Simulated:
    """Lawful customers only."""
    return simulated("clean")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for scenario files."""
    out = tmp_path / "scenarios"
    out.mkdir()
    return out
