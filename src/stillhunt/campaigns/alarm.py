"""The window alarm: is recent traffic still like its own past? For what cannot yet be linked."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.campaigns.alarm_document import alarm_document
from stillhunt.campaigns.alarm_rows import rows_of
from stillhunt.campaigns.alarm_watch import MIN_PAST, needed, watch
from stillhunt.campaigns.ingest import Ingested, ingest
from stillhunt.campaigns.outputs import write_json
from stillhunt.campaigns.request import HuntRequest, Progress
from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.errors import InputError, OutputError, UsageError
from stillhunt.fingerprints.hashing import hash64
from stillhunt.linking.entities import build_entities
from stillhunt.readers import Quarantine, ReadOptions
from stillhunt.scoring.window.rows import NAMES, NUMBERS
from stillhunt.scoring.window.stream import Stream

LOOK_BACK = {"all": 12, "entity": 3}
"""Windows that one is compared with."""

LARGEST = 1500
SMALLEST = 50
"""Exchanges in a window of the whole provider's, where none is asked for."""

ENTITY_WINDOW = 30
"""Exchanges in a window of an entity's, where none is asked for."""

WHOLE = "all"


@dataclass(frozen=True)
class AlarmRequest:
    """What is watched, and how.

    Attributes:
        recent: logs, files or folders; past: logs of the benign past; or split: the past is what
            came before this moment in ``recent``.
        accounts: the accounts table; read: how logs are read.
        by: "all" for the provider as a whole, "entity" for each entity against its own past.
        window: exchanges in a window, None: chosen; false_alarms: share of ordinary windows that
            may alarm.
        out: folder for alarm.json and the page.
        max_bad, memory, threads: as for a hunt.
    """

    recent: tuple[Path, ...]
    past: tuple[Path, ...] = ()
    split: datetime | None = None
    accounts: Path | None = None
    read: ReadOptions = field(default_factory=ReadOptions)
    by: str = "all"
    window: int | None = None
    false_alarms: float = 0.01
    out: Path = Path("alarm")
    max_bad: float = 0.01
    memory: str = "1GB"
    threads: int | None = None


def alarm(request: AlarmRequest, progress: Progress | None = None) -> dict[str, Any]:
    """Watch recent traffic; writes ``alarm.json``.

    Returns:
        The document that ``alarm.json`` holds.

    Raises:
        UsageError: the request cannot mean anything.
        InputError: unreadable input, or a past too short to say anything.
        OutputError: ``out`` cannot be written.
    """
    _check(request)
    progress = progress or Progress()
    hunt = HuntRequest(
        logs=request.recent + request.past, out=request.out, accounts=request.accounts,
        read=request.read, max_bad=request.max_bad, memory=request.memory, threads=request.threads,
    )  # fmt: skip
    if (request.out / "hunt.json").exists():
        raise OutputError(
            f"{request.out} holds a hunt's findings.", "Name another folder with --out."
        )
    try:
        request.out.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".alarm.", dir=request.out)
    except OSError as error:
        raise OutputError(
            f"{request.out} cannot be written: {error.strerror}.", "Name another folder with --out."
        ) from error
    with folder as work:
        with (
            Quarantine(Path(work) / "quarantine.jsonl") as quarantine,
            DuckDBEngine(Path(work), request.memory, request.threads) as engine,
        ):
            progress.stage("Reading and fingerprinting")
            came = ingest(hunt, engine, Path(work), quarantine, progress, pairs=True)
            progress.stage("Comparing windows")
            document = _watch(request, engine, came)
            document["counts"]["quarantined"] = quarantine.count
        write_json(Path(work) / "alarm.json", document)
        (request.out / "alarm.html").unlink(missing_ok=True)  # of an earlier run
        for name in ("quarantine.jsonl", "alarm.json"):
            (Path(work) / name).replace(request.out / name)
    return document


def _check(request: AlarmRequest) -> None:
    if bool(request.past) == (request.split is not None):
        raise UsageError(
            "The past is either other logs or what came before a moment.",
            "Give one of --past LOGS and --split TIME.",
        )
    if request.by not in LOOK_BACK:
        raise UsageError(f"Nothing is watched by {request.by!r}.", "Use --by all or --by entity.")
    here = [path.resolve() for path in request.recent]
    for path in (p.resolve() for p in request.past):
        if any(path == r or path.is_relative_to(r) or r.is_relative_to(path) for r in here):
            raise UsageError(
                f"{path} is both recent and past.", "Keep the two apart, or use --split TIME."
            )


def _watch(request: AlarmRequest, engine: Engine, came: Ingested) -> dict[str, Any]:
    rows = _rows(request, engine, came)
    recent = np.asarray(rows.column("recent"))
    skipped = {"without_past": 0, "licensed": 0}
    if request.by == "all":
        size = request.window or _chosen(int((~recent).sum()), request.false_alarms)
        groups = {WHOLE: np.arange(rows.num_rows)}
    else:
        size = request.window or ENTITY_WINDOW
        groups, skipped = _entities(engine, came, rows, recent, size)
    streams = {}
    everything = rows_of(rows)
    for name, index in groups.items():
        past = int((~recent[index]).sum())
        streams[name] = Stream(everything.take(index), past, size, LOOK_BACK[request.by])
    watched = watch(streams, request.false_alarms)
    if watched is None or not watched.windows:
        raise InputError(
            f"The past or the recent log is too short: windows are of {size} exchanges, and "
            f"{2 * LOOK_BACK[request.by] + MIN_PAST} past ones and a recent one are needed.",
            "Give a longer past, or smaller windows with --window.",
        )
    parameters = {
        "by": request.by,
        "window": size,
        "look_back": LOOK_BACK[request.by],
        "false_alarms": request.false_alarms,
        "split": request.split,
    }
    return alarm_document(parameters, came, rows, groups, watched, skipped)


def _rows(request: AlarmRequest, engine: Engine, came: Ingested) -> pa.Table:
    """Observations in time order, the past's first, with ``entity`` and ``recent``."""
    build_entities(engine)
    columns = ", ".join(
        f"o.{name}" for name in (*NUMBERS, *NAMES, "cues", "item", "grams", "pairs")
    )
    rows = engine.query(
        f"""
        SELECT o.time, n.file, m.entity, {columns}
        FROM observations AS o
        JOIN account_entity AS m ON m.account = o.account
        JOIN exchange_name AS n ON n.key = o.key
        ORDER BY o.time, o.key
        """  # noqa: S608
    )
    if request.split is not None:
        moment = pa.scalar(request.split, pa.timestamp("us", tz="UTC"))
        recent = np.asarray(pc.greater_equal(rows.column("time"), moment))
    else:
        here = [path.resolve() for path in request.recent]
        new = [
            any(path.resolve() == r or path.resolve().is_relative_to(r) for r in here)
            for path in (Path(i.path) for i in came.inputs)
        ]
        recent = np.array(new, dtype=bool)[np.asarray(rows.column("file"))]
    rows = rows.append_column("recent", pa.array(recent))
    return rows.take(pa.array(np.argsort(recent, kind="stable")))


def _chosen(past: int, false_alarms: float) -> int:
    """The largest window that leaves enough past windows for ranks to reach the level."""
    windows = 2 * LOOK_BACK["all"] + needed(false_alarms)
    return int(min(LARGEST, max(SMALLEST, past // windows)))


def _entities(
    engine: Engine, came: Ingested, rows: pa.Table, recent: np.ndarray, size: int
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Rows of each entity with past and recent windows enough, by name; and whom that leaves out."""
    entity = np.asarray(rows.column("entity"))
    licensed = set(engine.query("SELECT entity FROM licensed_entity").column(0).to_pylist())
    names = _names(engine, came)
    order = np.argsort(entity, kind="stable")
    groups: dict[str, np.ndarray] = {}
    skipped = {"without_past": 0, "licensed": 0}
    for index in np.split(order, np.nonzero(np.diff(entity[order]))[0] + 1):
        past = int((~recent[index]).sum())
        if len(index) - past < size:
            continue
        code = int(entity[index[0]])
        if code in licensed:
            skipped["licensed"] += 1
        elif past < 2 * LOOK_BACK["entity"] * size:
            skipped["without_past"] += 1
        else:
            groups[names[code]] = index
    # In the order of names, so that the document does not hang on hashes.
    return dict(sorted(groups.items())), skipped


def _names(engine: Engine, came: Ingested) -> dict[int, str]:
    rows = engine.query(
        """
        SELECT m.entity, MIN(m.account) AS account, MIN(a.name) AS account_name,
            MIN(g.name) AS organization_name
        FROM account_entity AS m
        JOIN identity AS a ON a.kind = 'account' AND a.value = m.account
        LEFT JOIN identity AS g ON g.kind = 'organization' AND g.value = m.entity
        GROUP BY m.entity
        """
    ).to_pylist()
    names = {
        r["entity"]: r["account_name"]
        if r["entity"] == r["account"]
        else r["organization_name"] or r["account_name"]
        for r in rows
    }
    declared = came.accounts.column("organization").combine_chunks()
    codes = hash64(declared, "organization").to_pylist()
    return names | {
        code: name for code, name in zip(codes, declared.to_pylist(), strict=True) if name
    }
