"""What stops a query that is sound, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stillhunt.errors import UsageError

FOLDER = "spark.stillhunt.folder"
"""Setting: a folder that driver and executors reach, for tables; needed on a cluster only."""


@contextmanager
def told() -> Iterator[None]:
    """Say in plain words what stops a query that is sound: room, or the bound on what is collected."""
    try:
        yield
    except Exception as error:
        problem, remedy = _plain_words(str(error))
        if not problem:
            raise
        raise UsageError(problem, remedy) from error


def _plain_words(message: str) -> tuple[str, str]:
    if "spark.driver.maxResultSize" in message:
        return (
            "A result is larger than what is collected on the driver (spark.driver.maxResultSize).",
            "Raise it and the driver's memory, for example --memory 16GB --spark-conf "
            "spark.driver.maxResultSize=8g, or hunt in a shorter period with --since and --until.",
        )
    if "No space left on device" in message:
        return (
            "The engine ran out of disk space.",
            f"Free space where Spark spills (spark.local.dir) and keeps tables ({FOLDER}).",
        )
    if "java.lang.OutOfMemoryError" in message:
        return (
            "The engine ran out of memory.",
            "Raise --memory, or on a cluster --spark-conf spark.executor.memory=16g.",
        )
    return "", ""
