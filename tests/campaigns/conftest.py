from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hunts import Found, found, hunt_of, planted

import stillhunt.campaigns.engine as the_engine
from stillhunt.engines.duckdb import DuckDBEngine


@pytest.fixture(scope="session")
def exchange_table(small_traffic: Path) -> pa.Table:
    return pq.read_table(small_traffic / "exchanges.parquet")


@pytest.fixture(scope="session")
def account_table(small_traffic: Path) -> pa.Table:
    return pq.read_table(small_traffic / "accounts.parquet")


@pytest.fixture(scope="session")
def truth(small_traffic: Path) -> dict[str, str | None]:
    return planted(small_traffic)


@pytest.fixture(scope="session")
def fuller_truth(fuller_traffic: Path) -> dict[str, str | None]:
    return planted(fuller_traffic)


@pytest.fixture(scope="session")
def baseline(small_traffic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Findings of the simulation as it is."""
    out = tmp_path_factory.mktemp("baseline") / "out"
    hunt_of(small_traffic, out)
    return out


@pytest.fixture(scope="session")
def expected(baseline: Path) -> Found:
    return found(baseline)


@pytest.fixture(scope="session")
def fuller(fuller_traffic: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What is found in the fuller simulation."""
    out = tmp_path_factory.mktemp("fuller") / "out"
    hunt_of(fuller_traffic, out)
    return found(out)


@pytest.fixture(scope="session")
def statements(
    small_traffic: Path,
    exchange_table: pa.Table,
    expected: Found,
    baseline: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[str]:
    """Every statement of a hunt that has everything to do: duplicates, seeds, an allow list, a past."""
    engines: list[DuckDBEngine] = []

    class Recorded(DuckDBEngine):
        def __init__(self, *args: object, **settings: object) -> None:
            super().__init__(*args, **settings)  # type: ignore[arg-type]
            engines.append(self)

    folder = tmp_path_factory.mktemp("statements")
    twice = pa.concat_tables([exchange_table, exchange_table.slice(0, 30)])
    pq.write_table(twice, folder / "exchanges.parquet")
    pq.write_table(pq.read_table(small_traffic / "accounts.parquet"), folder / "accounts.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(the_engine, "DuckDBEngine", Recorded)
        seeds = frozenset([expected.accounts[0]["account"]])
        verdicts = folder / "verdicts.csv"
        verdicts.write_text(
            "account,verdict,reviewer,time,reason\nsomebody else,lawful,R,2026-03-16,known\n"
        )
        hunt_of(
            folder,
            folder / "out",
            seeds=seeds,
            allow=frozenset(["somebody"]),
            previous=baseline,
            verdicts=verdicts,
        )
    assert len(engines) == 1
    return engines[0].statements
