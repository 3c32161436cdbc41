"""Country, language and the ends of mail domains change nothing in what a hunt finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt import HuntRequest, hunt
from stillhunt_simulator import load, simulate

TABLES = ("campaigns", "accounts", "exchanges", "link_members", "coverage")
# Names of mail domains are printed there, so that only what is said of them can be compared.
NAMED = "links"


def shuffled(folder: Path, out: Path, seed: int) -> None:
    """The same traffic, with those columns at random."""
    rng = np.random.default_rng(seed)
    exchanges = pq.read_table(folder / "exchanges.parquet")
    for name in ("country", "language"):
        column = exchanges[name].take(pa.array(rng.permutation(len(exchanges))))
        exchanges = exchanges.set_column(exchanges.column_names.index(name), name, column)
    accounts = pq.read_table(folder / "accounts.parquet")
    domains = accounts["email_domain"].unique().to_pylist()
    # A domain keeps being one domain, whatever it ends in.
    ends = rng.permutation([domain.partition(".")[2] for domain in domains]).tolist()
    renamed = {
        domain: f"{domain.partition('.')[0]}.{end}"
        for domain, end in zip(domains, ends, strict=True)
    }
    assert len(set(renamed.values())) == len(domains)
    assert renamed != dict(zip(domains, domains, strict=True))
    column = pa.array([renamed[d] for d in accounts["email_domain"].to_pylist()])
    place = accounts.column_names.index("email_domain")
    accounts = accounts.set_column(place, accounts.schema.field(place), column)
    out.mkdir()
    pq.write_table(exchanges, out / "exchanges.parquet")
    pq.write_table(accounts, out / "accounts.parquet")


def test_country_language_and_top_level_domain_change_nothing(tmp_path: Path) -> None:
    simulate(tmp_path / "as-is", seed=5, exchanges=20_000, scenario=load("small"))
    shuffled(tmp_path / "as-is", tmp_path / "shuffled", seed=6)
    found = []
    for name in ("as-is", "shuffled"):
        folder, out = tmp_path / name, tmp_path / f"{name}-findings"
        logs, accounts = (folder / "exchanges.parquet",), folder / "accounts.parquet"
        hunt(HuntRequest(logs=logs, accounts=accounts, out=out, clear=True))
        found.append(out)
    assert pq.read_metadata(found[0] / "campaigns.parquet").num_rows > 0
    for table in TABLES:
        before, after = (pq.read_table(out / f"{table}.parquet") for out in found)
        assert before.equals(after), table
    before, after = (pq.read_table(out / f"{NAMED}.parquet") for out in found)
    for name in before.column_names:
        if not name.endswith("_value"):
            assert before[name].equals(after[name]), name
