"""A few prompts of each campaign, redacted and capped; the only text that outlives a hunt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.campaigns.cluster_ingest import TABLE
from stillhunt.campaigns.cluster_texts import read_rows
from stillhunt.campaigns.redaction import redact
from stillhunt.campaigns.request import HuntRequest, is_address
from stillhunt.engines.base import Engine
from stillhunt.engines.spark import SparkEngine
from stillhunt.readers import LogReader, Quarantine, ReadBatch
from stillhunt.store.inputs import at_hand
from stillhunt.store.manifest import Input

PER_TEMPLATE = 5
TEMPLATES = 6
"""Exemplars of a template, and templates of a campaign, that are kept."""

READ = 2400
"""Characters of an exemplar that are compared to find its slots."""


@dataclass(frozen=True)
class Template:
    """One of a campaign's own templates.

    Attributes:
        template: int64 hash; entities, exchanges: of the campaign; items: distinct fillings.
        texts: redacted prompts up to READ characters, each of another account where there are several;
            what is shown of them is capped further.
        gone: how many more there would be, had their logs stayed where they were.
    """

    template: int
    entities: int
    exchanges: int
    items: int
    texts: tuple[str, ...]
    gone: int = 0


def mark_main_templates(engine: Engine) -> None:
    """Make ``main_use`` (cluster, key, entity, template, item) of campaigns' exchanges.

    Each is counted once, for the own template that most of the campaign's exchanges hold.
    """
    engine.create(
        "campaign_use",
        """
        SELECT c.cluster, c.key, c.entity, t.template, t.item
        FROM campaign_exchange AS c
        JOIN exchange_template AS t ON t.key = c.key
        JOIN own_template AS w ON w.cluster = c.cluster AND w.template = t.template
        """,
    )
    engine.create(
        "template_rank",
        """
        SELECT cluster, template, ROW_NUMBER() OVER (
            PARTITION BY cluster ORDER BY n DESC, template) AS place
        FROM (
            SELECT cluster, template, COUNT(*) AS n FROM campaign_use GROUP BY cluster, template
        ) AS u
        """,
    )
    engine.create(
        "main_use",
        """
        SELECT u.cluster, u.key, u.entity, r.template, u.item
        FROM (
            SELECT c.cluster, c.key, c.entity, c.item, MIN(r.place) AS place
            FROM campaign_use AS c
            JOIN template_rank AS r ON r.cluster = c.cluster AND r.template = c.template
            GROUP BY c.cluster, c.key, c.entity, c.item
        ) AS u
        JOIN template_rank AS r ON r.cluster = u.cluster AND r.place = u.place
        """,
    )
    engine.drop("campaign_use", "template_rank")


def campaign_templates(
    engine: Engine,
    request: HuntRequest,
    inputs: Sequence[Input],
    clusters: Sequence[int],
    quarantine: Quarantine,
) -> dict[int, tuple[Template, ...]]:
    """The most used own templates of each campaign, with exemplars read from the logs again.

    Args:
        engine: with ``main_use``.
        request: how the logs are read; inputs: which, by number.
        clusters: of campaigns.
        quarantine: for what cannot be read the second time.
    """
    counts = engine.query(
        """
        SELECT cluster, template, COUNT(DISTINCT entity) AS entities, COUNT(*) AS exchanges,
            COUNT(DISTINCT item) AS items
        FROM main_use GROUP BY cluster, template
        ORDER BY cluster, exchanges DESC, template
        """
    ).to_pylist()
    chosen: dict[int, list[dict[str, int]]] = defaultdict(list)
    for row in counts:
        if row["cluster"] in clusters and len(chosen[row["cluster"]]) < TEMPLATES:
            chosen[row["cluster"]].append(row)
    picked = _pick(engine, [r for rows in chosen.values() for r in rows])
    texts = _read_again(engine, request, inputs, picked, quarantine)

    def template(cluster: int, row: dict[str, int]) -> Template:
        places = picked[cluster, row["template"]]
        found = tuple(texts[place] for place in places if place in texts)
        return Template(
            template=row["template"],
            entities=row["entities"],
            exchanges=row["exchanges"],
            items=row["items"],
            texts=found,
            gone=len(places) - len(found),
        )

    return {
        cluster: tuple(template(cluster, row) for row in rows) for cluster, rows in chosen.items()
    }


Place = tuple[int, int]


def _pick(engine: Engine, rows: Sequence[dict[str, int]]) -> dict[tuple[int, int], list[Place]]:
    """(file, row) of each template's exemplars: one an account, then by key, which is arbitrary."""
    engine.load(
        "shown_template",
        pa.table(
            {
                "cluster": pa.array([r["cluster"] for r in rows], pa.int64()),
                "template": pa.array([r["template"] for r in rows], pa.int64()),
            }
        ),
    )
    found = engine.query(
        f"""
        SELECT p.cluster, p.template, n.file, n.row FROM (
            SELECT cluster, template, key, ROW_NUMBER() OVER (
                PARTITION BY cluster, template ORDER BY turn, key) AS place
            FROM (
                SELECT m.cluster, m.template, m.key, ROW_NUMBER() OVER (
                    PARTITION BY m.cluster, m.template, m.entity ORDER BY m.key) AS turn
                FROM main_use AS m
                JOIN shown_template AS s ON s.cluster = m.cluster AND s.template = m.template
            ) AS t
        ) AS p
        JOIN exchange_name AS n ON n.key = p.key
        WHERE p.place <= {PER_TEMPLATE}
        ORDER BY p.cluster, p.template, p.place
        """  # noqa: S608
    )
    picked: dict[tuple[int, int], list[Place]] = defaultdict(list)
    for row in found.to_pylist():
        picked[row["cluster"], row["template"]].append((row["file"], row["row"]))
    return picked


def _read_again(
    engine: Engine,
    request: HuntRequest,
    inputs: Sequence[Input],
    picked: dict[tuple[int, int], list[Place]],
    quarantine: Quarantine,
) -> dict[Place, str]:
    """Redacted prompts at the places picked; reads only files that hold one, and of them enough."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for places in picked.values():
        for file, row in places:
            wanted[file].add(row)
    columns = frozenset({"exchange_id", "time", "account", "system", "prompt"})
    texts: dict[Place, str] = {}
    for file, rows in wanted.items():
        left = set(rows)
        for batch in _batches(engine, request, inputs[file], rows, columns, quarantine):
            here = pc.is_in(pa.array(batch.rows), value_set=pa.array(sorted(left), pa.int64()))
            for at in pc.indices_nonzero(here).to_pylist():
                system = batch.exchanges.column("system")[at].as_py()
                prompt = batch.exchanges.column("prompt")[at].as_py()
                whole = "\n\n".join(part for part in (system, prompt) if part)
                texts[file, int(batch.rows[at])] = redact(whole, READ)
                left.discard(int(batch.rows[at]))
            if not left:
                break
    return texts


def _batches(
    engine: Engine,
    request: HuntRequest,
    taken: Input,
    rows: set[int],
    columns: frozenset[str],
    quarantine: Quarantine,
) -> Iterable[ReadBatch]:
    """An input's exchanges, or only those at some rows where it is far away; none where it is gone."""
    if any(map(is_address, request.logs)):  # file:///... too: it may not be here
        # Rows of a table have no place at which to find them again.
        if isinstance(engine, SparkEngine) and not taken.path.startswith(TABLE):
            return read_rows(request, engine, taken.path, rows, columns)
        return ()
    source = taken.source if request.store is not None else request.read.source
    if not at_hand(taken) or (source == "mapping" and request.read.mapping is None):
        return ()
    options = replace(request.read, columns=columns, source=source or "auto")
    return LogReader([Path(taken.path)], options, quarantine)
