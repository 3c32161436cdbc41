"""The simulation as Parquet, a batch at a time: memory does not grow with the texts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt_simulator.personas import SMALL
from stillhunt_simulator.plan import Plan, plan
from stillhunt_simulator.population import Account, Population, populate
from stillhunt_simulator.scenario import MIN_EXCHANGES, REFERENCE_EXCHANGES, Persona, Scenario
from stillhunt_simulator.texts.render import render, token_counts

TRUTH_EXCHANGES: pa.Schema = pa.schema(
    [
        pa.field("exchange_id", pa.string(), nullable=False),
        pa.field("campaign", pa.string()),
        pa.field("operator", pa.string()),
        pa.field("persona", pa.string(), nullable=False),
    ]
)
"""Who really was behind each exchange; campaign and operator are null for lawful ones."""

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
_MODELS = ("corvus-2", "corvus-2-mini", "corvus-3")
_STATUS = np.array([200, 429, 500, 400])
_STATUS_SHARES = (0.985, 0.007, 0.004, 0.004)
# An account mostly keeps its settings, its client and its address of preference.
_FAITHFUL = 0.9


def simulate(
    out: Path,
    *,
    seed: int = 7,
    exchanges: int = REFERENCE_EXCHANGES,
    scenario: Scenario = SMALL,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write ``exchanges.parquet``, ``accounts.parquet`` and ``truth/`` into a folder.

    The same arguments give the same bytes; another seed gives other texts, names and addresses.

    Args:
        out: folder, made where it does not exist; earlier tables in it are replaced at the end.
        seed: source of all chance.
        exchanges: how many.
        scenario: who is there.
        progress: called with the number of exchanges of each batch written.

    Raises:
        ValueError: fewer exchanges than the personas need, or a negative seed.
        OSError: the folder cannot be written.
    """
    if exchanges < MIN_EXCHANGES:
        raise ValueError(f"A simulation needs at least {MIN_EXCHANGES} exchanges, not {exchanges}.")
    rng = np.random.default_rng(seed)
    population = populate(rng, scenario, exchanges)
    rows = plan(rng, scenario, population, exchanges)

    unfinished = out / ".unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "truth").mkdir(parents=True)
    try:
        _write_accounts(scenario, population, unfinished)
        with ExitStack() as stack:
            tables = stack.enter_context(
                pq.ParquetWriter(
                    unfinished / "exchanges.parquet", EXCHANGE_SCHEMA, compression="zstd"
                )
            )
            truth = stack.enter_context(
                pq.ParquetWriter(
                    unfinished / "truth" / "exchanges.parquet",
                    TRUTH_EXCHANGES,
                    compression="zstd",
                )
            )
            for batch, behind in _batches(rng, scenario, population, rows):
                tables.write_batch(batch)
                truth.write_batch(behind)
                if progress is not None:
                    progress(batch.num_rows)
        (out / "truth").mkdir(exist_ok=True)
        for path in sorted(unfinished.rglob("*.parquet")):
            path.replace(out / path.relative_to(unfinished))
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _truth(persona: Persona) -> tuple[str | None, str | None]:
    """Campaign and operator of a persona's exchanges."""
    operator = f"operator of {persona.campaign}" if persona.campaign else None
    return persona.campaign, operator


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
        campaign, operator = _truth(persona)
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


def _batches(
    rng: np.random.Generator, scenario: Scenario, population: Population, rows: Plan
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    released = scenario.release_day * 86_400e6
    origin = int(scenario.start.timestamp()) * 1_000_000
    for low in range(0, len(rows), _BATCH):
        here = slice(low, min(low + _BATCH, len(rows)))
        accounts = [population.accounts[i] for i in rows.account[here]]
        personas = [scenario.personas[a.persona] for a in accounts]
        n = len(accounts)
        forms = [population.forms[f] for f in rows.form[here]]
        items = [
            population.groups[a.group].items[i] if i >= 0 else None
            for a, i in zip(accounts, rows.item[here].tolist(), strict=True)
        ]
        systems = [form.system for form in forms]
        prompts = render(rng, population.lexicon, forms, rows.language[here].tolist(), items)
        ids = _identifiers(rng, n)
        columns: dict[str, Any] = {
            "exchange_id": ids,
            "time": pa.array(rows.time[here] + origin, pa.timestamp("us", tz="UTC")),
            "account": [a.account for a in accounts],
            "organization": [a.organization for a in accounts],
            "request_model": _models(
                rng, accounts, personas, (rows.time[here] > released).tolist()
            ),
            "system": systems,
            "prompt": prompts,
            "response": None,
            **_origins(rng, population, accounts),
            **_usage(
                rng, accounts, [form.answer for form in forms], token_counts(prompts, systems)
            ),
        }
        arrays = [
            pa.nulls(n, f.type) if columns[f.name] is None else pa.array(columns[f.name], f.type)
            for f in EXCHANGE_SCHEMA
        ]
        truth = [_truth(persona) for persona in personas]
        behind = {
            "exchange_id": ids,
            "campaign": [campaign for campaign, _ in truth],
            "operator": [operator for _, operator in truth],
            "persona": [persona.name for persona in personas],
        }
        yield (
            pa.RecordBatch.from_arrays(arrays, schema=EXCHANGE_SCHEMA),
            pa.RecordBatch.from_pydict(behind, schema=TRUTH_EXCHANGES),
        )


def _identifiers(rng: np.random.Generator, n: int) -> list[str]:
    """Random identifiers in the shape of UUIDs, version 4."""
    digits = rng.bytes(16 * n).hex()
    rows = (digits[i : i + 32] for i in range(0, 32 * n, 32))
    return [f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}" for h in rows]


def _models(
    rng: np.random.Generator, accounts: list[Account], personas: list[Persona], new: list[bool]
) -> list[str]:
    """The old model, its small sister, or after its release the new one."""
    moves, sizes = rng.random((2, len(accounts))).tolist()
    return [
        _MODELS[2] if out and move < persona.adoption else _MODELS[size < account.small_model]
        for account, persona, out, move, size in zip(
            accounts, personas, new, moves, sizes, strict=True
        )
    ]


def _origins(
    rng: np.random.Generator, population: Population, accounts: list[Account]
) -> dict[str, list[Any]]:
    """Credential, address, network and client of each request."""
    book = population.book
    which, key = rng.random((2, len(accounts))).tolist()
    addresses = [
        a.addresses[int(len(a.addresses) * u**1.3)] for a, u in zip(accounts, which, strict=True)
    ]
    return {
        "credential": [
            a.credentials[int(len(a.credentials) * u)] for a, u in zip(accounts, key, strict=True)
        ],
        "client_address": [book.addresses[i] for i in addresses],
        "client_asn": [book.networks[i] for i in addresses],
        "tls_fingerprint": [a.tls_fingerprint for a in accounts],
        "user_agent": [a.user_agent for a in accounts],
    }


def _usage(
    rng: np.random.Generator,
    accounts: list[Account],
    answers: list[tuple[float, float]],
    asked: list[float],
) -> dict[str, Any]:
    """Token counts, settings and outcome of each request."""
    n = len(accounts)
    status = _STATUS[rng.choice(4, size=n, p=_STATUS_SHARES)]
    failed = status != 200
    median, sigma = np.array(answers).T
    length = np.exp(np.log(median) + sigma * rng.normal(size=n))
    usual = rng.random(n) < _FAITHFUL
    limits = np.array([a.max_tokens or 0 for a in accounts])
    limits = np.where(usual, limits, 0)
    ceiling = np.where(limits == 0, 16_384, limits)
    cut = length >= ceiling
    output = np.clip(length, 1, ceiling).astype(np.int64)
    temperatures = np.array(
        [np.nan if a.temperature is None else a.temperature for a in accounts], dtype=np.float64
    )
    temperatures = np.where(rng.random(n) < _FAITHFUL, temperatures, np.nan)
    finish = np.where(cut, "length", "stop").astype(object)
    finish[failed] = None
    tokens = np.maximum(1, np.array(asked) * np.exp(rng.normal(0.0, 0.05, n))).astype(np.int64)
    return {
        "input_tokens": tokens,
        "output_tokens": pa.array(output, mask=failed),
        "max_tokens": pa.array(limits, mask=limits == 0),
        "status": status,
        "finish_reason": finish.tolist(),
        "temperature": pa.array(temperatures, mask=np.isnan(temperatures)),
        "stream": rng.random(n) < np.array([a.streams for a in accounts]),
    }
