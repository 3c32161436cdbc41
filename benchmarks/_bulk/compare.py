"""Sets traffic made in bulk beside simulated traffic of the same size, persona by persona."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from _bulk.sizes import Size, twin
from stillhunt.fingerprints.hashing import hash64
from stillhunt.fingerprints.observe import Observer
from stillhunt_simulator.write import simulate

Rows = list[tuple[object, ...]]

_BATCH = 32_768

MEASURES: dict[str, str] = {
    "rows": "exchanges",
    "acc": "accounts",
    "p90": "exchanges of an account, 90th percentile over the median",
    "grams": "grams per exchange",
    "tmpl": "of them template grams: with 8 items or more",
    "common": "of them in 10 accounts or more",
    "public": "of them in accounts of several personas",
    "tpl/a": "template grams an account uses, distinct",
    "addr/a": "addresses an account uses",
    "net/a": "networks an account uses",
    "shared": "share of an account's addresses that others use too",
    "again": "share of exchanges whose item has come before",
    "words": "words asked, mean",
    "in": "input tokens, mean",
    "out": "output tokens, mean",
    "cues": "cue groups seen in an exchange, mean",
    "sys": "share with a system text",
    "pay": "payers per account",
    "cli/a": "client programs per account",
    "cli": "distinct client programs per account, over the persona",
    "keys/a": "credentials an account uses",
    "days/a": "days on which an account is active",
}
"""Columns of the table and what they are."""

_SQL = """
WITH o AS (SELECT s.*, t.persona FROM seen AS s JOIN truth AS t ON t.account = s.account),
posting AS (SELECT key, account, persona, item, UNNEST(grams) AS gram FROM o),
gram AS (SELECT gram, COUNT(DISTINCT item) AS items, COUNT(DISTINCT account) AS accounts,
    COUNT(DISTINCT persona) AS personas FROM posting GROUP BY gram HAVING COUNT(*) >= 8),
g AS (SELECT p.persona, COUNT(*) AS n, SUM((r.items >= 8)::INT) AS tmpl,
    SUM((r.items >= 8 AND r.accounts >= 10)::INT) AS common,
    SUM((r.items >= 8 AND r.personas >= 2)::INT) AS public,
    COUNT(DISTINCT CASE WHEN r.items >= 8 THEN (p.account, p.gram) END) AS used
    FROM posting AS p LEFT JOIN gram AS r ON r.gram = p.gram GROUP BY p.persona),
i AS (SELECT item, COUNT(*) AS n FROM o GROUP BY item),
ad AS (SELECT address, COUNT(DISTINCT account) AS accounts FROM o GROUP BY address),
aa AS (SELECT persona, COUNT(*) AS n, AVG((accounts > 1)::INT) AS shared FROM
    (SELECT DISTINCT persona, account, address FROM o) JOIN ad USING (address) GROUP BY persona),
a AS (SELECT persona, account, COUNT(*) AS n, COUNT(DISTINCT network) AS networks,
    COUNT(DISTINCT (tls, agent)) AS clients, COUNT(DISTINCT credential) AS keys,
    COUNT(DISTINCT CAST(time AS DATE)) AS days FROM o GROUP BY persona, account),
b AS (SELECT persona, COUNT(*) AS accounts, QUANTILE_CONT(n, 0.9) / MEDIAN(n) AS p90,
    AVG(networks) AS networks, AVG(clients) AS clients, AVG(keys) AS keys, AVG(days) AS days
    FROM a GROUP BY persona),
pay AS (SELECT persona, COUNT(DISTINCT payment) AS payers, COUNT(*) AS n FROM truth GROUP BY persona)
SELECT o.persona, COUNT(*), ANY_VALUE(b.accounts), ANY_VALUE(b.p90), ANY_VALUE(g.n) / COUNT(*),
    ANY_VALUE(g.tmpl) / COUNT(*), ANY_VALUE(g.common) / COUNT(*), ANY_VALUE(g.public) / COUNT(*),
    ANY_VALUE(g.used) / ANY_VALUE(b.accounts), ANY_VALUE(aa.n) / ANY_VALUE(b.accounts),
    ANY_VALUE(b.networks), ANY_VALUE(aa.shared), AVG((i.n > 1)::INT), AVG(o.words),
    AVG(o.input_tokens), AVG(o.output_tokens), AVG(BIT_COUNT(o.cues)), AVG((o.system IS NOT NULL)::INT),
    ANY_VALUE(pay.payers / pay.n), ANY_VALUE(b.clients),
    COUNT(DISTINCT (o.tls, o.agent)) / ANY_VALUE(b.accounts), ANY_VALUE(b.keys), ANY_VALUE(b.days)
FROM o JOIN g USING (persona) JOIN i USING (item) JOIN aa USING (persona) JOIN b USING (persona)
JOIN pay USING (persona)
GROUP BY o.persona ORDER BY o.persona
"""


def simulated(folder: Path, days: int, size: Size, seed: int) -> Path:
    """Simulate a store's twin, and fingerprint it.

    Returns:
        ``folder``, with ``exchanges.parquet`` and so on, and ``observations.parquet``.
    """
    simulate(folder, seed=seed, exchanges=size.exchanges, scenario=twin(days, size))
    observer, writer = Observer(), None
    for batch in pq.ParquetFile(folder / "exchanges.parquet").iter_batches(_BATCH):
        table = pa.Table.from_batches([observer.observe(batch)])
        writer = writer or pq.ParquetWriter(folder / "observations.parquet", table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return folder


def measured_twin(folder: Path) -> Rows:
    """The measures of simulated traffic: persona, then ``MEASURES``."""
    connection = duckdb.connect()
    connection.execute(
        f"""
        CREATE VIEW seen AS SELECT *, exchange AS key FROM '{folder}/observations.parquet';
        """  # noqa: S608
    )
    truth = pq.read_table(
        folder / "truth" / "accounts.parquet", columns=["account", "persona", "campaign"]
    )
    return _measured(connection, truth, pq.read_table(folder / "accounts.parquet"))


def measured_store(store: Path) -> Rows:
    """The measures of a store made in bulk."""
    connection = duckdb.connect()
    connection.execute(f"CREATE VIEW seen AS SELECT * FROM '{store}/observations/*/*.parquet'")  # noqa: S608
    accounts = pq.read_table(next((store / "accounts").iterdir()))
    return _measured(connection, pq.read_table(store / "truth.parquet"), accounts)


def _measured(connection: duckdb.DuckDBPyConnection, truth: pa.Table, accounts: pa.Table) -> Rows:
    by_name = truth.select(["account", "persona", "campaign"]).join(
        accounts.select(["account", "payment"]), "account"
    )
    connection.register(
        "named",
        by_name.append_column("hash", hash64(by_name.column("account"), "account")),
    )
    connection.execute(
        """
        CREATE TABLE truth AS
        SELECT hash AS account, COALESCE(campaign, persona) AS persona, payment FROM named
        """
    )
    connection.execute("SET memory_limit = '4GB'")
    return connection.execute(_SQL).fetchall()
