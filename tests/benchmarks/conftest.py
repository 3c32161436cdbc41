from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stillhunt_simulator import simulate

# Benchmarks are scripts: they import one another by their bare names.
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds one folder of traffic, ``small``: 20,000 simulated exchanges."""
    root = tmp_path_factory.mktemp("simulated")
    simulate(root / "small", seed=7, exchanges=20_000)
    return root
