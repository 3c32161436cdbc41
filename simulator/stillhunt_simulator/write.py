"""The simulation as Parquet, a batch at a time: memory does not grow with the texts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt_simulator.columns import EXCHANGES, TRUTH_EXCHANGES, Clerk, behind
from stillhunt_simulator.draws import named
from stillhunt_simulator.plan import plan
from stillhunt_simulator.population import Population
from stillhunt_simulator.scenario import MIN_EXCHANGES, Scenario
from stillhunt_simulator.scenarios import load
from stillhunt_simulator.settling import populate

TRUTH_ACCOUNTS: pa.Schema = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("persona", pa.string(), nullable=False),
        pa.field("operator", pa.string()),
        pa.field("campaign", pa.string()),
    ]
)
"""Who really was behind each account."""

_BATCH = 8_192


def simulate(
    out: Path,
    *,
    seed: int = 7,
    exchanges: int | None = None,
    scenario: Scenario | str | Path = "small",
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write ``exchanges.parquet``, ``accounts.parquet`` and ``truth/`` into a folder.

    The same arguments give the same bytes; another seed gives other texts, names and addresses.

    Args:
        out: folder, made where it does not exist; earlier tables in it are replaced at the end.
        seed: source of all chance.
        exchanges: how many; as many as the scenario says, where it is left out.
        scenario: who is there: a scenario, the name of a built-in one, or a file.
        progress: called with the number of exchanges of each batch written.

    Raises:
        ScenarioError: the scenario cannot be used.
        ValueError: fewer exchanges than the personas need, or a negative seed.
        OSError: the folder cannot be written.
    """
    chosen = scenario if isinstance(scenario, Scenario) else load(scenario)
    count = chosen.exchanges if exchanges is None else exchanges
    if count < MIN_EXCHANGES:
        raise ValueError(f"A simulation needs at least {MIN_EXCHANGES} exchanges, not {count}.")
    rng = np.random.default_rng(seed)
    population = populate(rng, chosen, count, named(seed, "texts"))
    rows = plan(rng, chosen, population, count)
    clerk = Clerk(chosen, population)

    unfinished = out / ".unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "truth").mkdir(parents=True)
    try:
        _write_accounts(chosen, population, unfinished)
        with ExitStack() as stack:
            tables = stack.enter_context(_writer(unfinished / "exchanges.parquet", EXCHANGES))
            truth = stack.enter_context(
                _writer(unfinished / "truth" / "exchanges.parquet", TRUTH_EXCHANGES)
            )
            for low in range(0, count, _BATCH):
                batch, real = clerk.rows(rng, rows, low, min(low + _BATCH, count))
                tables.write_batch(batch)
                truth.write_batch(real)
                if progress is not None:
                    progress(batch.num_rows)
        (out / "truth").mkdir(exist_ok=True)
        for path in sorted(unfinished.rglob("*.parquet")):
            path.replace(out / path.relative_to(unfinished))
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # Texts and identifiers hardly ever repeat: a dictionary of them would only cost.
    repeated = [f.name for f in schema if f.name not in ("prompt", "exchange_id", "time")]
    return pq.ParquetWriter(
        path, schema, compression="zstd", compression_level=1, use_dictionary=repeated
    )


def _write_accounts(scenario: Scenario, population: Population, out: Path) -> None:
    """Both tables of accounts, in the order of their names, which tells nothing."""
    rows: list[dict[str, Any]] = []
    truth: list[dict[str, Any]] = []
    for account in sorted(population.accounts, key=lambda a: a.account):
        persona = scenario.personas[account.persona]
        owner = persona.ownership
        rows.append(
            {
                "account": account.account,
                "organization": account.organization,
                "created_at": scenario.start + timedelta(seconds=account.created),
                "payment": account.payment,
                "email_domain": account.email_domain,
                "tier": account.tier,
                "declared_use": owner.declared_use,
                "licence": owner.licence,
            }
        )
        campaign, operator = behind(persona)
        truth.append(
            {
                "account": account.account,
                "persona": persona.name,
                "operator": operator,
                "campaign": campaign,
            }
        )
    pq.write_table(pa.Table.from_pylist(rows, ACCOUNT_SCHEMA), out / "accounts.parquet")
    pq.write_table(pa.Table.from_pylist(truth, TRUTH_ACCOUNTS), out / "truth" / "accounts.parquet")
