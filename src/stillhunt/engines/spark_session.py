"""A SparkSession with the settings under which Spark answers as DuckDB does."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stillhunt.errors import MissingExtraError, UsageError

_MEMORY = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s?([KMGT])?(i?)B", re.IGNORECASE)
_LEAST_HEAP = 512 << 20  # Spark itself refuses less than 471,859,200 bytes

# What makes two engines agree; these are not for the user to change.
_MEANING = {
    "spark.sql.session.timeZone": "UTC",
    # Overflow and division by zero stop the hunt rather than become null.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
}


def open_session(
    workdir: Path, memory: str, threads: int | None, master: str | None, conf: Mapping[str, str]
) -> tuple[Any, bool]:
    """A new session, and whether its SparkContext was begun for it.

    Args:
        workdir: for what Spark spills, where the master is local.
        memory, threads, master, conf: as of ``SparkEngine``.

    Raises:
        MissingExtraError: pyspark or Java is missing.
        UsageError: Spark does not begin with these settings.
    """
    try:
        from py4j.protocol import Py4JError  # noqa: PLC0415
        from pyspark import SparkContext  # noqa: PLC0415
        from pyspark.errors import PySparkException  # noqa: PLC0415
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pyspark", "py4j"):
            raise
        raise MissingExtraError(
            "The Spark engine needs the package pyspark, which is not installed.",
            "Run: pip install 'stillhunt[spark]'",
        ) from error
    running = SparkContext._active_spark_context is not None
    if not running and "PYSPARK_GATEWAY_PORT" not in os.environ:
        _find_java()
    try:
        # What Spark reads before it begins, given by the user or by spark-submit, comes first.
        builder = SparkSession.builder
        for name, value in _settings(workdir, memory, threads, master, conf).items():
            builder = builder.config(name, value)
        session = builder.getOrCreate().newSession()
        for name, value in {**conf, **_MEANING}.items():
            # What concerns the whole context is settled when that begins.
            if name.startswith("spark.sql.") and not _is_static(session, name):
                session.conf.set(name, value)
    except (PySparkException, Py4JError) as error:
        # The first line of what Java threw only says that it did.
        said = " ".join(str(error).splitlines()[:2]).rstrip(".")
        raise UsageError(
            f"Spark cannot begin: {said}.",
            "It needs Java 17 or newer (JAVA_HOME), a --master that can be reached and settings that it "
            "knows (--spark-conf).",
        ) from error
    return session, not running


def end_session(session: Any) -> None:
    """End a session, its SparkContext, and the JVM if it was started for it.

    A JVM remembers the folder it spills to and its heap, which the next hunt has others of.
    """
    from pyspark import SparkContext  # noqa: PLC0415

    session.stop()
    gateway = SparkContext._gateway
    process = getattr(gateway, "proc", None)
    if process is None:  # spark-submit's
        return
    gateway.shutdown()
    process.stdin.close()  # by which it is told to go
    process.wait()
    SparkContext._gateway = SparkContext._jvm = None


def _is_static(session: Any, name: str) -> bool:
    known = session.conf.get(name, None) is not None
    return known and not session.conf.isModifiable(name)


def is_local(master: str) -> bool:
    """Whether a master's executors share this machine's disk."""
    return master.startswith("local")


def heap(memory: str) -> str:
    """A limit as DuckDB writes it (``2GB``, ``300MiB``), as Spark does; at least what Spark needs.

    Raises:
        UsageError: it cannot be read.
    """
    read = _MEMORY.fullmatch(memory)
    if read is None or float(read[1]) == 0.0:
        raise UsageError(
            f"The memory limit {memory!r} cannot be read.",
            "Give --memory as a number with a unit, for example --memory 2GB.",
        )
    power = " KMGT".index((read[2] or " ").upper())
    size = float(read[1]) * (1024 if read[3] else 1000) ** power
    return f"{max(int(size), _LEAST_HEAP) >> 10}k"


def _settings(
    workdir: Path, memory: str, threads: int | None, master: str | None, conf: Mapping[str, str]
) -> dict[str, str]:
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if master is None and "spark.master" not in conf and not submitted:
        master = "local[*]"
    settings = {"spark.app.name": "stillhunt", "spark.driver.maxResultSize": "2g"}
    if submitted:
        settings = {}  # spark-submit has its own, and what is set here would outrank it
    settings |= {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    chosen = conf.get("spark.master", master or "")
    if is_local(chosen):
        cores = threads or os.cpu_count() or 1
        if chosen == "local[*]":
            chosen = f"local[{cores}]"
        # Executors are threads of this process; workers must be this Python.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        settings |= {
            "spark.driver.memory": heap(memory),
            "spark.driver.host": "localhost",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str(workdir.absolute()),
            "spark.sql.shuffle.partitions": str(2 * cores),
            "spark.ui.enabled": "false",
            # What fails is told by the error that reaches the caller.
            "spark.log.level": "OFF",
        }
    if chosen:
        settings["spark.master"] = chosen
    return settings | {name: value for name, value in conf.items() if name != "spark.master"}


def _find_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java")
    if java is None or not Path(java).is_file():
        where = f"JAVA_HOME is {home}" if home else "there is no java on the PATH"
        raise MissingExtraError(
            f"The Spark engine needs Java, which is not found ({where}).",
            "Install Java 17 or newer (a JRE will do) and set JAVA_HOME.",
        )
