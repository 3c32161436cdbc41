"""Which engine a hunt runs on."""

from __future__ import annotations

from pathlib import Path

from stillhunt.campaigns.request import HuntRequest
from stillhunt.engines.base import Engine
from stillhunt.engines.duckdb import DuckDBEngine
from stillhunt.engines.spark import SparkEngine


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
