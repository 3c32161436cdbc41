"""DuckDB's dialect to Spark's, with the types that DuckDB gives."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank)


def to_spark(sql: str) -> str:
    """Carry one statement to Spark.

    Ranks are BIGINT, as DuckDB has them; Spark's own are INT, and would end at two billion. What is
    left to whoever writes a statement: CAST of a fraction to a whole number rounds in DuckDB and cuts
    off in Spark (say ROUND or FLOOR), and LN of zero is minus infinity there and null here.

    Raises:
        sqlglot.errors.SqlglotError: the statement uses something that Spark lacks, or is none.
    """
    tree = sqlglot.parse_one(sql, read="duckdb").transform(_wide_rank)
    return tree.sql("spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


def _wide_rank(node: exp.Expression) -> exp.Expression:
    ranks = isinstance(node, exp.Window) and isinstance(node.this, _RANKS)
    if ranks and not isinstance(node.parent, exp.Cast):
        return exp.cast(node, "BIGINT")
    return node
