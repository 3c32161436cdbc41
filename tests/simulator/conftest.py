from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillhunt_simulator import simulate

SIZE = 8_000


@pytest.fixture(scope="session")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulation of 8,000 exchanges."""
    out = tmp_path_factory.mktemp("traffic")
    simulate(out, seed=7, exchanges=SIZE)
    return out


@pytest.fixture(scope="session")
def exchanges(traffic: Path) -> pa.Table:
    """Its exchanges, each with what was behind it."""
    table = pq.read_table(traffic / "exchanges.parquet")
    truth = pq.read_table(traffic / "truth" / "exchanges.parquet")
    assert table.column("exchange_id").equals(truth.column("exchange_id"))
    for name in ("persona", "campaign", "operator"):
        table = table.append_column(name, truth.column(name))
    return table


@pytest.fixture(scope="session")
def accounts(traffic: Path) -> pa.Table:
    """Its accounts, each with who was behind it."""
    table = pq.read_table(traffic / "accounts.parquet")
    truth = pq.read_table(traffic / "truth" / "accounts.parquet")
    assert table.column("account").equals(truth.column("account"))
    for name in ("persona", "campaign", "operator"):
        table = table.append_column(name, truth.column(name))
    return table
