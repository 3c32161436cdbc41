"""The main job: logs in, findings out."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from stillhunt.campaigns.coverage import coverage_rows
from stillhunt.campaigns.details import details_document, names_beside
from stillhunt.campaigns.detectable import smallest_detectable
from stillhunt.campaigns.engine import open_engine, take_in
from stillhunt.campaigns.exemplars import campaign_templates, mark_main_templates
from stillhunt.campaigns.ingest import Ingested, take_from_store
from stillhunt.campaigns.investigate import Investigation, investigate, unknown_names
from stillhunt.campaigns.named import gather_named
from stillhunt.campaigns.outputs import staged, write_json, write_table
from stillhunt.campaigns.over_time import OverTime
from stillhunt.campaigns.profiles import profile_rows
from stillhunt.campaigns.request import HuntRequest, Progress
from stillhunt.campaigns.seeds import seed_rows
from stillhunt.campaigns.tables import (
    account_rows,
    campaign_rows,
    exchange_rows,
    link_rows,
    name_things,
)
from stillhunt.engines.base import Engine
from stillhunt.errors import InputError
from stillhunt.linking.links import MAX_BY_CHANCE
from stillhunt.readers import Quarantine
from stillhunt.records.findings import FINDINGS_VERSION
from stillhunt.records.observation import OBSERVATION_VERSION
from stillhunt.scoring.controls import CONTROLS
from stillhunt.scoring.curve import shipped_curve
from stillhunt.scoring.harvest import MOST_ORDINARY_TAKING, VETO
from stillhunt.store.store import Store, store_to_read


@dataclass(frozen=True)
class HuntResult:
    """What a hunt found and where it wrote it.

    Attributes:
        out: the findings folder.
        campaigns, accounts, coverage: tables (``records.findings``).
        seeds: accounts that known-bad ones lead to, or None where none were given.
        record: what ``hunt.json`` holds.
        lifecycles: campaign to what became of it since an earlier hunt; empty without one.
        reviews: campaign to reviewers' verdicts on it and on its accounts; empty without any.
    """

    out: Path
    campaigns: pa.Table
    accounts: pa.Table
    coverage: pa.Table
    seeds: pa.Table | None
    record: dict[str, Any]
    lifecycles: dict[str, dict[str, Any]] = field(default_factory=dict)
    reviews: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


Finish = Callable[[Path], None]


def hunt(
    request: HuntRequest, progress: Progress | None = None, finish: Sequence[Finish] = ()
) -> HuntResult:
    """Run a hunt; the findings folder is replaced as a whole or not at all.

    Args:
        request: inputs and settings.
        progress: told how far it is.
        finish: called with the new folder before it takes its place, to add to it (the report).

    Raises:
        InputError: unreadable or empty input, or too much of it bad. The quarantine is then left
            beside ``out`` as ``OUT.quarantine.jsonl``.
        OutputError: ``out`` cannot be written.
    """
    progress = progress or Progress()
    timings = _Timings(progress)
    started = datetime.now(UTC)
    refused = request.out.with_name(f"{request.out.name}.quarantine.jsonl")
    over_time = OverTime.read(request)
    with staged(request.out) as (new, put), _workdir(request.out) as work:
        with (
            Quarantine(new / "quarantine.jsonl", told=refused) as quarantine,
            open_engine(request, work) as engine,
            nullcontext() if request.store is None else store_to_read(request.store) as store,
        ):
            watched = timings.progress
            try:
                came = _come(request, engine, work, quarantine, watched, store)
            except InputError:
                quarantine.close()
                if quarantine.count:
                    shutil.copy(new / "quarantine.jsonl", refused)
                raise
            over_time.check(engine)
            found = over_time.conclude(engine, investigate(request, engine, watched))
            watched.stage("Writing findings")
            result = _write(request, engine, came, found, new, over_time)
            watched.stage("Smallest detectable campaign")
            detectable = smallest_detectable(
                engine, found.totals, found.links, request.fdr, len(found.verdicts)
            )
            record = (
                _record(request, came, found, quarantine, started)
                | {
                    "smallest_detectable": detectable,
                    "unknown_names": {
                        "allow": unknown_names(engine, request.allow),
                        "seed": unknown_names(engine, request.seeds),
                    },
                }
                | over_time.record()
            )
            if store is not None:
                record["store"] = {
                    "path": str(store.root),
                    "transactions": store.state.transactions,
                }
            statements = engine.statements
        record["timings"] = timings.done()
        record["statements"] = len(statements)
        write_json(new / "hunt.json", record)
        for step in finish:
            timings.progress.stage("Report")
            step(new)
        put()
    lifecycles, reviews = over_time.told(found)
    return HuntResult(request.out, *result, record, lifecycles, reviews)


def _come(
    request: HuntRequest,
    engine: Engine,
    work: Path,
    quarantine: Quarantine,
    progress: Progress,
    store: Store | None,
) -> Ingested:
    if store is None:
        progress.stage("Reading and fingerprinting")
        return take_in(request, engine, work, quarantine, progress)
    progress.stage("Opening the store")
    return take_from_store(request, engine, store, quarantine)


def _write(
    request: HuntRequest,
    engine: Engine,
    came: Ingested,
    found: Investigation,
    new: Path,
    over_time: OverTime,
) -> tuple[pa.Table, pa.Table, pa.Table, pa.Table | None]:
    key = None if request.clear else _value_key(request)
    gather_named(engine)
    mark_main_templates(engine)
    names = name_things(engine, found, came.accounts, key)
    campaigns = campaign_rows(engine, found, licences_known=came.accounts_given)
    accounts = account_rows(engine, found, names)
    links, members = link_rows(found, names)
    coverage = coverage_rows(engine, came.carried)
    tables = {
        "campaigns": campaigns,
        "accounts": accounts,
        "links": links,
        "link_members": members,
        "coverage": coverage,
        "profiles": profile_rows(engine, found, came.accounts),
    }
    seeds = None
    if request.seeds:
        seeds = seed_rows(engine, found.null, request.seeds, names, request.fdr)
        tables["seeds"] = seeds
    tables |= over_time.tables(engine, found, names, tables)
    for name, rows in tables.items():
        write_table(new, name, rows, jsonl=request.jsonl)
    write_table(new, "exchanges", exchange_rows(engine, found), jsonl=request.jsonl)
    clusters = [i for i, _ in found.campaigns]
    with Quarantine(Path(os.devnull)) as seen_before:
        templates = campaign_templates(engine, request, came.inputs, clusters, seen_before)
    creation = dict(
        zip(
            came.accounts.column("account").to_pylist(),
            came.accounts.column("created_at").to_pylist(),
            strict=True,
        )
    )
    beside = names_beside(engine)
    write_json(
        new / "details.json",
        over_time.annotate(
            details_document(engine, found, names, templates, beside, creation), found
        ),
    )
    return tables["campaigns"], accounts, coverage, seeds


def _value_key(request: HuntRequest) -> bytes:
    """Key for indicator values: the pseudonymiser's, or one that is forgotten with the hunt."""
    if request.read.pseudonymiser is not None:
        return request.read.pseudonymiser.derived_key(b"linked values")
    return os.urandom(32)


def _record(
    request: HuntRequest,
    came: Ingested,
    found: Investigation,
    quarantine: Quarantine,
    started: datetime,
) -> dict[str, Any]:
    pseudonymiser = request.read.pseudonymiser
    return {
        "schema": FINDINGS_VERSION,
        "observation": OBSERVATION_VERSION,
        "package": "stillhunt",
        "version": version("stillhunt"),
        "started": started,
        "finished": datetime.now(UTC),
        "parameters": {
            "fdr": request.fdr,
            "prior": request.prior,
            "veto": VETO,
            "most_ordinary_taking": MOST_ORDINARY_TAKING,
            "controls": CONTROLS,
            "max_by_chance": MAX_BY_CHANCE,
            "max_bad": request.max_bad,
            "memory": request.memory,
            "engine": request.engine,
            "since": request.since,
            "until": request.until,
            "source": request.read.source,
            "trusted_hops": request.read.trusted_hops,
            "pseudonymised": pseudonymiser.key_id if pseudonymiser else None,
            "accounts": str(request.accounts) if request.accounts else None,
            "allow": len(request.allow),
            "seeds": len(request.seeds),
        },
        "prior": {
            "probability": request.prior,
            "source": "indifference between harvest and lawful togetherness, for clusters that act as "
            "one; set with --prior",
        },
        "probability_curve": shipped_curve().record(),
        "inputs": [
            {
                "path": i.path,
                "sha256": i.sha256 or None,
                "bytes": i.bytes,
                "rows": i.rows,
                "source": i.source,
            }
            for i in came.inputs
        ],
        "counts": {
            "exchanges": came.exchanges,
            "outside_period": came.outside,
            "entities": found.totals.entities,
            "accounts": came.accounts.num_rows,
            "quarantined": quarantine.count + came.quarantined,
            "duplicates": came.duplicates,
            "templates": found.templates,
            "conjunctions_possible": found.links.tests,
            "links": len(found.links),
            "clusters_tested": len(found.verdicts),
            "campaigns": len(found.campaigns),
        },
    }


class _Timings:
    """Seconds by stage, told off as stages begin."""

    def __init__(self, progress: Progress) -> None:
        self._told = progress
        self._stages: dict[str, float] = {}
        self._current: tuple[str, float] | None = None
        self.progress = Progress(stage=self._begin, advance=progress.advance)

    def _begin(self, name: str) -> None:
        self._end()
        self._current = (name, time.perf_counter())
        self._told.stage(name)

    def _end(self) -> None:
        if self._current is not None:
            name, began = self._current
            self._stages[name] = round(time.perf_counter() - began, 3)
            self._current = None

    def done(self) -> dict[str, float]:
        self._end()
        return dict(self._stages)


@contextmanager
def _workdir(out: Path) -> Any:
    """A private folder for spilled data, removed in the end."""
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.{os.getpid()}.", dir=out.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
