"""The tables that the simulator writes: their shape, their truth, and what must not leak."""

from __future__ import annotations

import ast
import hashlib
import ipaddress
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import stillhunt_simulator
from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt_simulator import SMALL, simulate
from stillhunt_simulator.personas import CAMPAIGNS, LAWFUL
from stillhunt_simulator.write import TRUTH_ACCOUNTS, TRUTH_EXCHANGES

SIZE = 8_000
TABLES = (
    "exchanges.parquet",
    "accounts.parquet",
    "truth/exchanges.parquet",
    "truth/accounts.parquet",
)


def digests(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in TABLES]


def grouped(table: pa.Table, key: str, value: str) -> dict[object, set[object]]:
    out: dict[object, set[object]] = defaultdict(set)
    for k, v in zip(table.column(key).to_pylist(), table.column(value).to_pylist(), strict=True):
        out[k].add(v)
    return out


def persona(table: pa.Table, name: str) -> pa.Table:
    return table.filter(pc.equal(table.column("persona"), name))


def campaign(table: pa.Table, name: str) -> pa.Table:
    return table.filter(pc.equal(table.column("campaign"), name))


def test_schemas_and_size(traffic: Path) -> None:
    expected = (EXCHANGE_SCHEMA, ACCOUNT_SCHEMA, TRUTH_EXCHANGES, TRUTH_ACCOUNTS)
    for name, schema in zip(TABLES, expected, strict=True):
        assert pq.read_schema(traffic / name).equals(schema), name
    assert pq.read_metadata(traffic / "exchanges.parquet").num_rows == SIZE
    assert sorted(p.name for p in traffic.iterdir()) == [
        "accounts.parquet",
        "exchanges.parquet",
        "truth",
    ]


def test_same_seed_same_bytes_other_seed_other_texts(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(tmp_path / name, seed=seed, exchanges=2_000)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    texts = {
        name: set(pq.read_table(tmp_path / name / "exchanges.parquet")["prompt"].to_pylist())
        for name in ("a", "c")
    }
    assert not texts["a"] & texts["c"]


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
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "accounts.parquet",
        "exchanges.parquet",
        "truth",
    ]


def test_too_small_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least"):
        simulate(tmp_path / "out", exchanges=100)
    assert not (tmp_path / "out").exists()


def test_every_persona_and_campaign_is_there(exchanges: pa.Table, accounts: pa.Table) -> None:
    names = {p.name for p in LAWFUL} | {"campaign"}
    planted = {p.campaign for p in CAMPAIGNS} | {None}
    for table in (exchanges, accounts):
        assert set(table.column("persona").to_pylist()) == names
        assert set(table.column("campaign").to_pylist()) == planted
        for name, of, operator in zip(
            *(table.column(c).to_pylist() for c in ("persona", "campaign", "operator")), strict=True
        ):
            assert (name == "campaign") == (of is not None) == (operator is not None)


def test_accounts_agree_with_exchanges(exchanges: pa.Table, accounts: pa.Table) -> None:
    ids = accounts.column("account").to_pylist()
    assert len(set(ids)) == len(ids)
    assert set(exchanges.column("account").to_pylist()) <= set(ids)
    for column in ("persona", "campaign", "organization"):
        of = dict(zip(ids, accounts.column(column).to_pylist(), strict=True))
        for account, values in grouped(exchanges, "account", column).items():
            assert values == {of[account]}


def test_no_account_writes_before_it_exists(exchanges: pa.Table, accounts: pa.Table) -> None:
    created = dict(
        zip(accounts["account"].to_pylist(), accounts["created_at"].to_pylist(), strict=True)
    )
    for account, time in zip(
        exchanges["account"].to_pylist(), exchanges["time"].to_pylist(), strict=True
    ):
        assert time >= created[account]


def test_in_order_of_time_within_the_period(exchanges: pa.Table) -> None:
    seconds = exchanges.column("time").cast(pa.int64()).to_numpy() / 1e6 - SMALL.start.timestamp()
    assert (np.diff(seconds) >= 0).all()
    assert seconds[0] >= 0
    assert seconds[-1] <= SMALL.seconds


def test_campaigns_sweep_items_that_never_return(exchanges: pa.Table) -> None:
    for of in CAMPAIGNS:
        assert of.campaign is not None
        prompts = campaign(exchanges, of.campaign).column("prompt").to_pylist()
        assert len(set(prompts)) == len(prompts) > 200
        # Every prompt begins with one of the campaign's few templates.
        assert len({prompt[:25] for prompt in prompts}) <= of.writing.templates


def test_residential_campaign_hides_as_said(exchanges: pa.Table, accounts: pa.Table) -> None:
    rows, who = campaign(exchanges, "residential"), campaign(accounts, "residential")
    bundles = [len(v) for v in grouped(who, "payment", "account").values()]
    assert max(bundles) <= 6
    assert np.mean(bundles) >= 2
    used = [len(v) for v in grouped(rows, "account", "client_address").values()]
    assert np.median(used) >= 8
    assert len(set(rows.column("user_agent").to_pylist())) > 1
    # Accounts are replaced: at no time are all of them active.
    days = grouped(
        rows.append_column("day", pc.floor_temporal(rows.column("time"), unit="day")),
        "day",
        "account",
    )
    assert max(len(v) for v in days.values()) < 0.8 * who.num_rows


def test_datacentre_campaign_is_plainer(exchanges: pa.Table) -> None:
    rows = campaign(exchanges, "datacentre")
    assert len(set(rows.column("client_address").to_pylist())) <= 6
    assert len(set(rows.column("user_agent").to_pylist())) == 1


def test_lawful_personas_are_what_their_names_say(exchanges: pa.Table, accounts: pa.Table) -> None:
    declared = {p.name for p in LAWFUL if p.ownership.declared}
    for name in {p.name for p in LAWFUL}:
        organizations = set(persona(accounts, name).column("organization").to_pylist())
        assert (None not in organizations) == (name in declared), name
    licences = persona(accounts, "licensed").column("licence")
    assert licences.null_count == 0
    assert accounts.column("licence").null_count == accounts.num_rows - len(licences)

    # The evaluator asks the same every night; laboratories ask the same as one another.
    nightly = persona(exchanges, "evaluator")
    for of in grouped(nightly, "account", "prompt").values():
        assert len(of) <= 45
    shared = grouped(persona(exchanges, "benchmarker"), "prompt", "account")
    assert max(len(v) for v in shared.values()) > 1
    homes = grouped(persona(exchanges, "benchmarker"), "client_address", "account")
    assert all(len(v) == 1 for v in homes.values())

    crowded = grouped(persona(exchanges, "campus"), "client_address", "account")
    assert max(len(v) for v in crowded.values()) >= 10
    libraries = grouped(persona(exchanges, "tool_user"), "account", "user_agent")
    assert all(len(v) == 1 for v in libraries.values())
    subsidiaries = persona(accounts, "undeclared_subsidiaries")
    assert len(set(subsidiaries.column("payment").to_pylist())) == len(
        set(subsidiaries.column("email_domain").to_pylist())
    )


def test_answers_of_campaigns_are_long_and_of_applications_short(exchanges: pa.Table) -> None:
    def median(rows: pa.Table) -> float:
        return float(np.median(rows.column("output_tokens").drop_null().to_numpy()))

    for name in ("enterprise_app", "data_pipeline", "undeclared_subsidiaries"):
        assert median(persona(exchanges, name)) < 150
    for of in ("residential", "datacentre"):
        assert median(campaign(exchanges, of)) > 400


def test_identifiers_tell_nothing(exchanges: pa.Table, accounts: pa.Table) -> None:
    planted = np.array([c is not None for c in exchanges.column("campaign").to_pylist()])
    order = np.argsort(np.argsort(exchanges.column("exchange_id").to_pylist()))
    gap = order[planted].mean() - order[~planted].mean()
    error = order.std() * np.sqrt(1 / planted.sum() + 1 / (~planted).sum())
    assert abs(gap) < 4 * error
    for name in ("account", "payment"):
        values = accounts.column(name).to_pylist()
        assert len({(len(value), value.split("_")[0]) for value in values}) == 1
    assert all(v.endswith(".example") for v in accounts.column("email_domain").to_pylist())
    assert (np.diff(pc.rank(accounts.column("account")).to_numpy().astype(np.int64)) > 0).all()


@pytest.mark.parametrize("column", ["temperature", "max_tokens"])
def test_settings_tell_nothing(exchanges: pa.Table, column: str) -> None:
    """Per account, the share of planted and lawful ones that leave a setting out is alike."""
    share = {
        account: np.mean([v is None for v in values])
        for account, values in _lists(exchanges, column).items()
    }
    planted = {a for a, v in grouped(exchanges, "account", "campaign").items() if v != {None}}
    inside = np.array([s for a, s in share.items() if a in planted])
    outside = np.array([s for a, s in share.items() if a not in planted])
    error = np.sqrt(inside.var() / len(inside) + outside.var() / len(outside))
    assert abs(inside.mean() - outside.mean()) < 4 * error


def _lists(table: pa.Table, value: str) -> dict[str, list[object]]:
    out: dict[str, list[object]] = defaultdict(list)
    for k, v in zip(table["account"].to_pylist(), table[value].to_pylist(), strict=True):
        out[k].append(v)
    return out


def test_language_tells_nothing(exchanges: pa.Table) -> None:
    chinese = pc.match_substring_regex(exchanges.column("prompt"), r"\p{Han}").to_numpy()
    planted = np.array([c is not None for c in exchanges.column("campaign").to_pylist()])
    programs = np.isin(exchanges.column("persona").to_pylist(), ["enterprise_app", "reseller"])
    for group in (planted, programs, ~planted):
        assert 0.03 < chinese[group].mean() < 0.1


def test_addresses_and_clients_are_well_formed(exchanges: pa.Table) -> None:
    for text in set(exchanges.column("client_address").to_pylist()):
        address = ipaddress.ip_address(text)
        assert str(address) == text
        if address.version == 6:
            assert address in ipaddress.ip_network("2001:db8::/32")
        else:
            assert address.is_global
    stacks = grouped(exchanges, "user_agent", "tls_fingerprint")
    assert len(stacks) > 8
    # A user agent mostly implies its fingerprint: three builds carry most of its accounts.
    rows = persona(exchanges, "hobbyist")
    share = []
    for agent in stacks:
        of = rows.filter(pc.equal(rows.column("user_agent"), agent))
        counts = sorted(
            (len(v) for v in grouped(of, "tls_fingerprint", "account").values()), reverse=True
        )
        share.append((sum(counts[:3]), sum(counts)))
    assert sum(s for s, _ in share) / sum(n for _, n in share) > 0.85


def test_tokens_follow_words(exchanges: pa.Table) -> None:
    spaced = exchanges.filter(
        pc.invert(pc.match_substring_regex(exchanges.column("prompt"), r"\p{Han}"))
    )
    words = np.array(
        [
            len(p.split()) + len((s or "").split())
            for p, s in zip(spaced["prompt"].to_pylist(), spaced["system"].to_pylist(), strict=True)
        ]
    )
    ratio = spaced.column("input_tokens").to_numpy() / np.maximum(words, 1)
    assert 1.25 < np.median(ratio) < 1.45
    failed = pc.not_equal(exchanges.column("status"), 200).to_numpy()
    assert 0.003 < failed.mean() < 0.04
    assert (exchanges.column("output_tokens").is_null().to_numpy() == failed).all()


def test_prompts_are_as_long_as_real_ones(exchanges: pa.Table) -> None:
    words = np.array([len(p.split()) for p in exchanges.column("prompt").to_pylist()])
    assert 60 < np.median(words) < 110
    assert np.quantile(words, 0.99) > 4 * np.median(words)


def test_strangers_share_no_long_run_of_words_by_accident(exchanges: pa.Table) -> None:
    rows = persona(exchanges, "hobbyist")
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
