"""Options of the Spark engine."""

from __future__ import annotations

from stillhunt.errors import UsageError


def spark_settings(
    engine: str, master: str | None, given: list[str]
) -> tuple[tuple[str, str], ...]:
    """Settings of Spark as they were given.

    Raises:
        UsageError: no such engine, Spark's options without Spark, or no KEY=VALUE.
    """
    if engine not in ("duckdb", "spark"):
        raise UsageError(
            f"There is no engine {engine!r}.", "Use --engine duckdb or --engine spark."
        )
    if engine == "duckdb" and (master or given):
        raise UsageError(
            "--master and --spark-conf are Spark's, and this hunt is not to run on it.",
            "Give --engine spark as well, or leave them out.",
        )
    for setting in given:
        if not setting.partition("=")[0].strip() or "=" not in setting:
            raise UsageError(
                f"The setting {setting!r} is no KEY=VALUE.",
                "Write for example --spark-conf spark.executor.memory=16g.",
            )
    pairs = (setting.partition("=") for setting in given)
    return tuple((key.strip(), value.strip()) for key, _, value in pairs)
