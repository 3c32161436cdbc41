"""The tables that the simulator writes: their shape, their truth, and that they can be had again."""

from __future__ import annotations

import ast
import hashlib
import ipaddress
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from simulated import Simulated, days, grouped, runs

import stillhunt_simulator
from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt_simulator import load, simulate, write
from stillhunt_simulator.columns import EXCHANGES, TRUTH_EXCHANGES
from stillhunt_simulator.write import TRUTH_ACCOUNTS

TABLES = (
    "exchanges.parquet",
    "accounts.parquet",
    "truth/exchanges.parquet",
    "truth/accounts.parquet",
)
FOLDER = ["accounts.parquet", "exchanges.parquet", "truth"]
Level = Callable[[str], Simulated]


def digests(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in TABLES]


def often(prompts: list[str]) -> set[tuple[str, ...]]:
    """Runs of eight words in several prompts: what templates say."""
    counts = Counter(run for prompt in prompts for run in runs([prompt], 8))
    return {run for run, count in counts.items() if count >= 5}


def test_schemas_and_size(clean: Simulated) -> None:
    expected = (EXCHANGES, ACCOUNT_SCHEMA, TRUTH_EXCHANGES, TRUTH_ACCOUNTS)
    for name, schema in zip(TABLES, expected, strict=True):
        assert pq.read_schema(clean.folder / name).equals(schema), name
    assert EXCHANGES.names == [*EXCHANGE_SCHEMA.names, "country", "language"]
    assert clean.exchanges.num_rows == 24_000
    assert sorted(p.name for p in clean.folder.iterdir()) == FOLDER


@pytest.mark.parametrize("scenario", ["small", "e5"])
def test_same_seed_same_bytes_other_seed_other_everything(tmp_path: Path, scenario: str) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(tmp_path / name, seed=seed, exchanges=2_000, scenario=scenario)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    one, other = Simulated(tmp_path / "a"), Simulated(tmp_path / "c")
    for column in ("prompt", "exchange_id", "account", "credential", "client_address"):
        assert not set(one.exchanges[column].to_pylist()) & set(other.exchanges[column].to_pylist())
    private = {d for d in one.accounts["email_domain"].to_pylist() if "-" in d}
    assert private
    assert not private & set(other.accounts["email_domain"].to_pylist())
    # Templates too are others: little of what campaigns say can be learnt from another simulation.
    said = [runs(s.of("campaign")["prompt"].to_pylist(), 8) for s in (one, other)]
    assert len(said[0] & said[1]) < 0.02 * len(said[1])
    recurring = [often(s.of("campaign")["prompt"].to_pylist()) for s in (one, other)]
    assert len(recurring[1]) > 20
    assert len(recurring[0] & recurring[1]) < 0.2 * len(recurring[1])


def test_texts_do_not_hang_on_the_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(tmp_path / "a", exchanges=2_000)
    monkeypatch.setattr(write, "_BATCH", 700)
    simulate(tmp_path / "b", exchanges=2_000)
    a, b = (pq.read_table(tmp_path / name / "exchanges.parquet") for name in "ab")
    for column in ("time", "account", "system", "prompt", "language"):
        assert a[column].equals(b[column]), column


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    simulate(tmp_path, seed=1, exchanges=2_000)
    before = digests(tmp_path)
    batches: list[int] = []
    simulate(tmp_path, seed=2, exchanges=2_500, progress=batches.append)
    assert sum(batches) == 2_500
    assert all(a != b for a, b in zip(before, digests(tmp_path), strict=True))


def test_an_interrupted_run_leaves_the_earlier_tables(tmp_path: Path) -> None:
    simulate(tmp_path, seed=1, exchanges=2_000)
    before = digests(tmp_path)

    def interrupt(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path, seed=2, exchanges=2_000, progress=interrupt)
    assert digests(tmp_path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == FOLDER


def test_too_small_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least"):
        simulate(tmp_path / "out", exchanges=100)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["clean", "small", "e4", "e7"])
def test_truth_is_whole_and_agrees_with_itself(simulated: Level, name: str) -> None:
    traffic, scenario = simulated(name), load(name)
    lawful = {p.name for p in scenario.lawful}
    planted = {p.campaign for p in scenario.campaigns}
    resold = {"resold"} if any(p.resold for p in scenario.campaigns) else set()
    harvest = {"campaign"} if planted else set()
    assert set(traffic.accounts["persona"].to_pylist()) == lawful | harvest
    assert set(traffic.exchanges["persona"].to_pylist()) == lawful | harvest | resold
    for table in (traffic.exchanges, traffic.accounts):
        assert set(table["campaign"].to_pylist()) == planted | {None}
        of = zip(*(table[c].to_pylist() for c in ("persona", "campaign", "operator")), strict=True)
        for persona, campaign, operator in of:
            assert (campaign is not None) == (persona == "campaign")
            assert (operator is not None) == (persona in ("campaign", "resold"))
            assert campaign is None or operator == f"operator of {campaign}"
    ids = traffic.accounts["account"].to_pylist()
    assert len(set(ids)) == len(ids)
    assert set(traffic.exchanges["account"].to_pylist()) <= set(ids)
    for column in ("operator", "organization"):
        of_account = dict(zip(ids, traffic.accounts[column].to_pylist(), strict=True))
        for account, values in grouped(traffic.exchanges, "account", column).items():
            assert values == {of_account[account]}


def test_no_account_writes_before_it_exists(simulated: Level) -> None:
    for name in ("e2", "e7"):
        traffic = simulated(name)
        created = dict(
            zip(
                traffic.accounts["account"].to_pylist(),
                days(traffic.accounts, "created_at"),
                strict=True,
            )
        )
        first = defaultdict(lambda: np.inf)
        moments = days(traffic.exchanges)
        for account, moment in zip(traffic.exchanges["account"].to_pylist(), moments, strict=True):
            first[account] = min(first[account], moment)
        assert all(first[account] >= created[account] for account in first)
        assert (np.diff(moments) >= 0).all()
        assert moments[0] >= 0
        assert moments[-1] <= load(name).days


def test_identifiers_are_well_formed(simulated: Level) -> None:
    traffic = simulated("e3")
    assert len(set(traffic.exchanges["exchange_id"].to_pylist())) == traffic.exchanges.num_rows
    for name in ("account", "payment"):
        values = traffic.accounts[name].to_pylist()
        assert len({(len(value), value.split("_")[0]) for value in values}) == 1
    assert (np.diff(pc.rank(traffic.accounts["account"]).to_numpy().astype(np.int64)) > 0).all()
    for text in set(traffic.exchanges["client_address"].to_pylist()):
        address = ipaddress.ip_address(text)
        assert str(address) == text
        if address.version == 6:
            assert address in ipaddress.ip_network("2001:db8::/32")
        else:
            assert address.is_global


def test_a_user_agent_mostly_implies_its_fingerprint(clean: Simulated) -> None:
    rows = clean.of("hobbyist")
    inside = total = 0
    for agent in set(rows["user_agent"].to_pylist()):
        of = rows.filter(pc.equal(rows["user_agent"], agent))
        counts = [len(v) for v in grouped(of, "tls_fingerprint", "account").values()]
        inside += sum(sorted(counts, reverse=True)[:4])
        total += sum(counts)
    assert inside / total > 0.85


def test_tokens_follow_words(clean: Simulated) -> None:
    rows = clean.exchanges.filter(pc.equal(clean.exchanges["language"], "en"))
    words = np.array([len(p.split()) for p in rows["prompt"].to_pylist()])
    ratio = rows["input_tokens"].to_numpy() / words
    assert 1.0 < np.median(ratio) < 2.0
    failed = pc.not_equal(clean.exchanges["status"], 200).to_numpy()
    assert 0.003 < failed.mean() < 0.04
    assert (clean.exchanges["output_tokens"].is_null().to_numpy() == failed).all()


def test_strangers_share_no_long_run_of_words_by_accident(clean: Simulated) -> None:
    rows = clean.of("hobbyist")
    owners: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for account, prompt in zip(
        rows["account"].to_pylist(), rows["prompt"].to_pylist(), strict=True
    ):
        words = prompt.split()
        for i in range(len(words) - 7):
            owners[tuple(words[i : i + 8])].add(account)
    assert len(owners) > 50_000
    strangers = [len(v) for v in owners.values() if len(v) > 1]
    assert len(strangers) < 1e-4 * len(owners)
    assert max(strangers, default=2) == 2


def test_language_says_what_the_text_is_in(clean: Simulated) -> None:
    free = clean.of("hobbyist")
    chinese = pc.match_substring_regex(free["prompt"], r"\p{Han}").to_numpy(zero_copy_only=False)
    said = pc.equal(free["language"], "zh").to_numpy(zero_copy_only=False)
    assert said.mean() > 0.02
    # Code is in no language.
    assert (chinese <= said).all()
    assert chinese[said].mean() > 0.9


def test_memory_does_not_hold_the_texts(tmp_path: Path) -> None:
    """Ten times as many exchanges are ten times the file, written batch by batch."""
    simulate(tmp_path, exchanges=20_000, scenario="clean")
    groups = pq.ParquetFile(tmp_path / "exchanges.parquet").num_row_groups
    assert groups == -(-20_000 // 8_192)


def test_imports_of_stillhunt_are_records_only() -> None:
    root = Path(stillhunt_simulator.__file__).parent
    seen = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                seen.add(node.module)
            elif isinstance(node, ast.Import):
                seen |= {alias.name for alias in node.names}
    ours = {m for m in seen if m == "stillhunt" or m.startswith("stillhunt.")}
    assert ours
    assert all(m.startswith("stillhunt.records.") for m in ours)
