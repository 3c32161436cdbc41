"""Country, language and the ends of mail domains change nothing in what a hunt finds."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt import HuntRequest, hunt
from stillhunt_simulator import load, simulate

FINDINGS = ("campaigns", "accounts", "exchanges", "coverage")
LINKS = ("links", "link_members")
NAMES = ("x_value", "y_value")


def shuffled(folder: Path, out: Path, seed: int, domains_too: bool) -> None:
    """The same traffic, with those columns at random."""
    rng = np.random.default_rng(seed)
    exchanges = pq.read_table(folder / "exchanges.parquet")
    for name in ("country", "language"):
        column = exchanges[name].take(pa.array(rng.permutation(len(exchanges))))
        exchanges = exchanges.set_column(exchanges.column_names.index(name), name, column)
    accounts = pq.read_table(folder / "accounts.parquet")
    if domains_too:
        accounts = renamed(accounts, rng)
    out.mkdir()
    pq.write_table(exchanges, out / "exchanges.parquet")
    pq.write_table(accounts, out / "accounts.parquet")


def renamed(accounts: pa.Table, rng: np.random.Generator) -> pa.Table:
    """The same accounts, with mail domains that end in one another's ends."""
    domains = accounts["email_domain"].unique().to_pylist()
    # A domain keeps being one domain, whatever it ends in.
    ends = rng.permutation([domain.partition(".")[2] for domain in domains]).tolist()
    other = {
        domain: f"{domain.partition('.')[0]}.{end}"
        for domain, end in zip(domains, ends, strict=True)
    }
    assert len(set(other.values())) == len(domains)
    assert other != dict(zip(domains, domains, strict=True))
    column = pa.array([other[d] for d in accounts["email_domain"].to_pylist()])
    place = accounts.column_names.index("email_domain")
    return accounts.set_column(place, accounts.schema.field(place), column)


def linked(out: Path) -> Counter[tuple[Any, ...]]:
    """Links by all but the values' names, which say how a domain ends, and their order."""
    members = defaultdict(list)
    for row in pq.read_table(out / "link_members.parquet").to_pylist():
        members[row["link"]].append(row["entity"])
    links = pq.read_table(out / "links.parquet").drop_columns(list(NAMES)).to_pylist()
    return Counter((*row.values(), tuple(sorted(members[i]))) for i, row in enumerate(links))


def test_country_language_and_top_level_domain_change_nothing(tmp_path: Path) -> None:
    simulate(tmp_path / "as-is", seed=5, exchanges=20_000, scenario=load("small"))
    shuffled(tmp_path / "as-is", tmp_path / "said", seed=6, domains_too=False)
    shuffled(tmp_path / "as-is", tmp_path / "all", seed=6, domains_too=True)
    found = {}
    for name in ("as-is", "said", "all"):
        folder, out = tmp_path / name, tmp_path / f"{name}-findings"
        logs, accounts = (folder / "exchanges.parquet",), folder / "accounts.parquet"
        hunt(HuntRequest(logs=logs, accounts=accounts, out=out, clear=True))
        found[name] = out
    tables = {
        (name, table): pq.read_table(out / f"{table}.parquet")
        for name, out in found.items()
        for table in (*FINDINGS, *LINKS)
    }
    assert tables["as-is", "campaigns"].num_rows > 0
    assert tables["as-is", "links"].num_rows > 0
    for table in (*FINDINGS, *LINKS):
        assert tables["as-is", table].equals(tables["said", table]), table
    for table in FINDINGS:
        assert tables["as-is", table].equals(tables["all", table]), table
    # Links are in the order of their values' hashes, which another name changes.
    assert linked(found["as-is"]) == linked(found["all"])
