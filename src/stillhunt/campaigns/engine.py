"""Which engine a hunt runs on, and who reads its logs."""

from __future__ import annotations

from pathlib import Path

from stillhunt.campaigns.cluster_ingest import ingest_on_cluster, reads_on_cluster
from stillhunt.campaigns.ingest import Ingested, ingest
from stillhunt.campaigns.request import HuntRequest, Progress
from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.engines.spark import SparkEngine
from stillhunt.readers import Quarantine


def open_engine(request: HuntRequest, work: Path) -> Engine:
    """The engine that was asked for; to be closed by the caller.

    Args:
        request: with ``engine``, ``memory``, ``threads`` and, for Spark, ``master`` and ``spark_conf``.
        work: an existing folder for what it keeps on disk; the caller removes it.

    Raises:
        MissingExtraError, UsageError: it cannot be had with these settings.
    """
    if request.engine == "spark":
        return SparkEngine(
            work, request.memory, request.threads, request.master, dict(request.spark_conf)
        )
    return DuckDBEngine(work, request.memory, request.threads)


def take_in(
    request: HuntRequest, engine: Engine, work: Path, quarantine: Quarantine, progress: Progress
) -> Ingested:
    """Read logs and accounts: on the engine's executors where they can, otherwise here.

    Raises:
        InputError: unreadable input, nothing in it, or more bad rows than allowed.
    """
    if isinstance(engine, SparkEngine) and reads_on_cluster(request):
        return ingest_on_cluster(request, engine, quarantine, progress)
    return ingest(request, engine, work, quarantine, progress)
