from __future__ import annotations

from pathlib import Path

import pytest

from stillhunt_simulator import simulate


@pytest.fixture(scope="session")
def small_traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulation of 20,000 exchanges: exchanges.parquet, accounts.parquet, truth/."""
    out = tmp_path_factory.mktemp("small_traffic")
    simulate(out, seed=1, exchanges=20_000)
    return out


@pytest.fixture(scope="session")
def fuller_traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40,000 exchanges: enough for both planted campaigns to be as large as they are meant to be."""
    out = tmp_path_factory.mktemp("fuller_traffic")
    simulate(out, seed=3, exchanges=40_000)
    return out
