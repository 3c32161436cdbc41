from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import sqlglot
from hunts import Found, found, hunt_of, read, run, same, write_json_lines

from stillhunt.engines.base import translate
from stillhunt.errors import InputError
from stillhunt.records.findings import TABLES


def replaced(table: pa.Table, name: str, values: object) -> pa.Table:
    at = table.column_names.index(name)
    return table.set_column(at, table.field(at), pa.array(values, table.field(at).type))


def write(folder: Path, exchanges: pa.Table, accounts: pa.Table) -> Path:
    folder.mkdir(exist_ok=True)
    pq.write_table(exchanges, folder / "exchanges.parquet")
    pq.write_table(accounts, folder / "accounts.parquet")
    return folder


def largest_campaign(found: Found) -> list[str]:
    campaign = max(found.campaigns, key=lambda r: r["accounts"])["campaign"]
    return [r["account"] for r in found.accounts if r["campaign"] == campaign]


# What it finds


def test_planted_campaigns_are_found_and_nobody_else(
    fuller: Found, fuller_truth: dict[str, str | None]
) -> None:
    named: dict[str, list[str]] = {}
    for row in fuller.accounts:
        named.setdefault(row["campaign"], []).append(row["account"])
    behind = {c: {fuller_truth[a] for a in accounts} for c, accounts in named.items()}
    assert all(len(who) == 1 and None not in who for who in behind.values()), behind
    assert sorted(str(next(iter(who))) for who in behind.values()) == ["datacentre", "residential"]
    guilty = {a for a, c in fuller_truth.items() if c}
    assert len({a for accounts in named.values() for a in accounts}) >= 0.9 * len(guilty)


def test_without_the_planted_accounts_nothing_is_found(
    tmp_path: Path, fuller_traffic: Path, fuller_truth: dict[str, str | None]
) -> None:
    lawful = pa.array([a for a, c in fuller_truth.items() if c is None])
    exchanges, accounts = (
        pq.read_table(fuller_traffic / f"{n}.parquet") for n in ("exchanges", "accounts")
    )
    write(
        tmp_path,
        exchanges.filter(pc.is_in(exchanges.column("account"), lawful)),
        accounts.filter(pc.is_in(accounts.column("account"), lawful)),
    )
    result = hunt_of(tmp_path, tmp_path / "out")
    assert result.campaigns.num_rows == 0
    for name in ("campaigns", "accounts", "exchanges"):
        assert read(tmp_path / "out", name) == []


def test_tables_agree_with_one_another_and_with_their_schemas(
    baseline: Path, exchange_table: pa.Table
) -> None:
    for name, schema in TABLES.items():
        assert pq.read_schema(baseline / f"{name}.parquet").equals(schema), name
    campaigns, accounts, exchanges = (
        read(baseline, n) for n in ("campaigns", "accounts", "exchanges")
    )
    owner = dict(
        zip(
            exchange_table.column("exchange_id").to_pylist(),
            exchange_table.column("account").to_pylist(),
            strict=True,
        )
    )
    per_account = Counter((r["campaign"], r["account"]) for r in exchanges)
    sent = Counter(exchange_table.column("account").to_pylist())
    assert len({r["exchange_id"] for r in exchanges}) == len(exchanges)
    assert all(owner[r["exchange_id"]] == r["account"] for r in exchanges)
    for row in accounts:
        assert row["exchanges"] == sent[row["account"]]
        assert row["campaign_exchanges"] == per_account[row["campaign"], row["account"]]
        odds = sum(reason["log_odds"] or 0.0 for reason in row["reasons"])
        assert row["membership_probability"] == pytest.approx(1 / (1 + np.exp(-odds)))
    for row in campaigns:
        mine = [a for a in accounts if a["campaign"] == row["campaign"]]
        assert row["accounts"] == len(mine)
        assert row["entities"] == len({a["entity"] for a in mine})
        assert row["exchanges"] == sum(a["campaign_exchanges"] for a in mine)
        assert row["exchanges_low"] <= row["exchanges"] <= row["exchanges_high"]
        assert row["q_value"] <= 0.01
        assert row["harvest_p"] >= row["harvest_p_floor"]
        assert row["first_seen"] <= row["last_seen"]
    links, members = read(baseline, "links"), read(baseline, "link_members")
    carried = Counter(r["link"] for r in members)
    assert [carried[i] for i in range(len(links))] == [r["entities"] for r in links]
    assert all(r["q_value"] <= 0.01 and r["p_value"] <= r["q_value"] for r in links)
    assert {r["campaign"] for r in links} - {None} <= {r["campaign"] for r in campaigns}


def test_the_waterfall_adds_up_to_the_probability(baseline: Path, expected: Found) -> None:
    for row in expected.campaigns:
        terms = expected.clusters[row["campaign"]]["waterfall"]
        score = sum(t["log_odds"] for t in terms)
        assert row["probability"] == pytest.approx(1 / (1 + np.exp(-score)))


def test_hunt_json_says_what_was_done(baseline: Path, small_traffic: Path) -> None:
    record = json.loads((baseline / "hunt.json").read_text())
    log = small_traffic / "exchanges.parquet"
    (given,) = record["inputs"]
    assert record["schema"] == 1
    assert record["package"] == "stillhunt"
    assert record["version"]
    assert given["path"] == str(log)
    assert given["sha256"] == sha256(log.read_bytes()).hexdigest()
    assert given["bytes"] == log.stat().st_size
    assert given["rows"] == 20_000
    assert record["parameters"]["fdr"] == 0.01
    assert record["parameters"]["accounts"] == str(small_traffic / "accounts.parquet")
    assert record["prior"]["probability"] == 0.5
    assert record["prior"]["source"]
    assert record["counts"]["exchanges"] == 20_000
    assert record["counts"]["quarantined"] == 0
    assert record["counts"]["campaigns"] == 2
    assert record["started"] < record["finished"]
    assert min(record["timings"].values()) >= 0
    assert len(record["timings"]) >= 5
    smallest = record["smallest_detectable"]
    assert smallest["sentence"]
    assert smallest["assumed"]
    assert all(0 <= n <= smallest["found_of"] for n in smallest["found_by_size"].values())


# What changes nothing


def test_renaming_accounts_changes_no_result(
    tmp_path: Path, exchange_table: pa.Table, account_table: pa.Table, expected: Found
) -> None:
    names = sorted(
        {
            *exchange_table.column("account").to_pylist(),
            *account_table.column("account").to_pylist(),
        }
    )
    order = np.random.default_rng(1).permutation(len(names))
    new = {name: f"né {i} é" for name, i in zip(names, order, strict=True)}
    old = {v: k for k, v in new.items()}
    tables = [
        replaced(t, "account", [new[a] for a in t.column("account").to_pylist()])
        for t in (exchange_table, account_table)
    ]
    write(tmp_path, *tables)
    hunt_of(tmp_path, tmp_path / "out")
    same(expected, found(tmp_path / "out", lambda name: old.get(name, name)))


def test_shuffling_rows_changes_no_result(
    tmp_path: Path, exchange_table: pa.Table, account_table: pa.Table, expected: Found
) -> None:
    rng = np.random.default_rng(2)
    tables = [
        t.take(pa.array(rng.permutation(t.num_rows))) for t in (exchange_table, account_table)
    ]
    write(tmp_path, *tables)
    hunt_of(tmp_path, tmp_path / "out")
    same(expected, found(tmp_path / "out"))


def test_splitting_into_many_files_of_two_formats_changes_no_result(
    tmp_path: Path, small_traffic: Path, exchange_table: pa.Table, expected: Found
) -> None:
    rng = np.random.default_rng(3)
    logs = tmp_path / "logs"
    logs.mkdir()
    part = rng.integers(0, 9, exchange_table.num_rows)
    for i in range(9):
        rows = exchange_table.filter(pa.array(part == i))
        if i % 2:
            write_json_lines(logs / f"part-{i}.jsonl.gz", rows)
        else:
            pq.write_table(rows, logs / f"part-{i}.parquet", row_group_size=700)
    result = run(tmp_path / "out", logs, accounts=small_traffic / "accounts.parquet")
    same(expected, found(tmp_path / "out"))
    assert sum(f["rows"] for f in result.record["inputs"]) == 20_000


def test_one_core_finds_what_two_find(tmp_path: Path, small_traffic: Path, expected: Found) -> None:
    hunt_of(small_traffic, tmp_path / "one", threads=1)
    same(expected, found(tmp_path / "one"))
    hunt_of(small_traffic, tmp_path / "two", threads=2)
    same(expected, found(tmp_path / "two"))


def test_json_lines_say_what_parquet_says(
    tmp_path: Path, small_traffic: Path, baseline: Path
) -> None:
    out = tmp_path / "out"
    hunt_of(small_traffic, out, jsonl=True)
    assert not list(out.glob("*.parquet"))
    for name in (*TABLES, "profiles"):
        as_lines, as_parquet = read(out, name), read(baseline, name)
        plain = json.loads(json.dumps(as_parquet, default=_instant))
        same(plain, as_lines, name)


def _instant(value: object) -> str:
    assert isinstance(value, datetime)
    moment = value.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat() + "Z"


def test_country_and_language_never_enter(
    tmp_path: Path, exchange_table: pa.Table, account_table: pa.Table, expected: Found
) -> None:
    rng = np.random.default_rng(4)
    words = {
        "country": ["CN", "US", "DE", "IR"], "language": ["zh", "en", "de", "fa"],
        "name": ["Wei", "Anna", "Reza", "Bob"], "nationality": ["a", "b", "c", "d"],
    }  # fmt: skip
    tables = []
    for table in (exchange_table, account_table):
        more = table
        for name, values in words.items():
            more = more.append_column(name, pa.array(rng.choice(values, table.num_rows)))
        tables.append(more)
    write(tmp_path, *tables)
    hunt_of(tmp_path, tmp_path / "out")
    same(expected, found(tmp_path / "out"))


# What is asked for


def test_since_and_until_bound_the_period(
    tmp_path: Path, small_traffic: Path, exchange_table: pa.Table
) -> None:
    since, until = datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 13)
    time = exchange_table.column("time")
    inside = exchange_table.filter(
        pc.and_(
            pc.greater_equal(time, pa.scalar(since, time.type)),
            pc.less(time, pa.scalar(until.replace(tzinfo=UTC), time.type)),
        )
    )
    pq.write_table(inside, tmp_path / "inside.parquet")
    bounded = hunt_of(small_traffic, tmp_path / "bounded", since=since, until=until)
    accounts = small_traffic / "accounts.parquet"
    run(tmp_path / "cut", tmp_path / "inside.parquet", accounts=accounts)
    one, other = found(tmp_path / "bounded"), found(tmp_path / "cut")
    outside = exchange_table.num_rows - inside.num_rows
    assert one.counts.pop("outside_period") == outside > 0
    assert other.counts.pop("outside_period") == 0
    same(one, other)
    assert bounded.record["parameters"]["since"] == since


def test_a_period_with_nothing_in_it_is_an_error(tmp_path: Path, small_traffic: Path) -> None:
    with pytest.raises(InputError, match="No exchange is left"):
        hunt_of(small_traffic, tmp_path / "out", since=datetime(2030, 1, 1, tzinfo=UTC))
    assert not (tmp_path / "out").exists()


def test_duplicates_are_counted_once_and_quarantined(
    tmp_path: Path, exchange_table: pa.Table, account_table: pa.Table, expected: Found
) -> None:
    again = exchange_table.slice(500, 120)
    # The later of two rows with one id is the one that goes, whatever it claims and wherever it is.
    late = replaced(again, "time", [datetime(2026, 3, 20, tzinfo=UTC)] * again.num_rows)
    late = replaced(late, "account", ["forged"] * again.num_rows)
    write(tmp_path, pa.concat_tables([late, exchange_table, again.slice(0, 20)]), account_table)
    result = hunt_of(tmp_path, tmp_path / "out")
    ours = found(tmp_path / "out")
    assert ours.counts.pop("duplicates") == ours.counts.pop("quarantined") == 140
    trusted = Found(**vars(expected))
    trusted.counts = {
        k: v for k, v in expected.counts.items() if k not in ("duplicates", "quarantined")
    }
    trusted.coverage = ours.coverage  # shares are of all rows read
    same(trusted, ours)
    lines = [
        json.loads(line)
        for line in (tmp_path / "out" / "quarantine.jsonl").read_text().splitlines()
    ]
    assert len(lines) == 140
    assert {line["file"] for line in lines} == {str(tmp_path / "exchanges.parquet")}
    assert all("seen before" in line["reason"] for line in lines)
    assert {line["row"] for line in lines[:120]} == set(range(1, 121))
    assert result.record["counts"]["exchanges"] == 20_000


def test_too_many_bad_rows_stop_the_hunt_and_keep_the_old_findings(
    tmp_path: Path, exchange_table: pa.Table
) -> None:
    log = tmp_path / "log.jsonl.gz"
    out = tmp_path / "out"
    write_json_lines(log, exchange_table.slice(0, 3000))
    run(out, log)
    before = (out / "hunt.json").read_bytes()
    ids = exchange_table.column("exchange_id").to_pylist()[:3000]
    ids[:40] = [""] * 40
    write_json_lines(log, replaced(exchange_table.slice(0, 3000), "exchange_id", ids))
    with pytest.raises(InputError, match="40 of 3,000 rows are bad") as raised:
        run(out, log)
    assert raised.value.exit_code == 2
    assert "--max-bad" in raised.value.remedy
    assert (out / "hunt.json").read_bytes() == before
    left = Path(f"{out}.quarantine.jsonl")
    assert len(left.read_text().splitlines()) == 40
    assert str(left) in raised.value.remedy
    result = run(out, log, max_bad=0.02)
    assert result.record["counts"]["quarantined"] == 40


def test_licensed_and_allowed_accounts_are_never_named(
    tmp_path: Path, fuller_traffic: Path, fuller: Found
) -> None:
    """A licence exempts its entity, and not the others in its cluster."""
    members = largest_campaign(fuller)
    licensed, allowed = set(members[:2]), set(members[2:4])
    accounts = pq.read_table(fuller_traffic / "accounts.parquet")
    licence = [
        "research" if a in licensed else old
        for a, old in zip(
            accounts.column("account").to_pylist(),
            accounts.column("licence").to_pylist(),
            strict=True,
        )
    ]
    pq.write_table(replaced(accounts, "licence", licence), tmp_path / "accounts.parquet")
    log = fuller_traffic / "exchanges.parquet"
    out = tmp_path / "out"
    run(out, log, accounts=tmp_path / "accounts.parquet", allow=frozenset(allowed))
    ours = found(out)
    named = {r["account"] for r in ours.accounts}
    assert not named & (licensed | allowed)
    assert {a for _, a, _ in ours.exchanges}.isdisjoint(licensed | allowed)
    assert len(named & set(members)) >= 0.9 * (len(members) - 4)


def test_all_members_allowed_is_no_campaign(
    tmp_path: Path, small_traffic: Path, expected: Found
) -> None:
    everybody = frozenset(r["account"] for r in expected.accounts)
    result = hunt_of(small_traffic, tmp_path / "out", allow=everybody)
    assert not {r["account"] for r in result.accounts.to_pylist()} & everybody


def test_a_declared_organization_is_no_campaign(
    tmp_path: Path, exchange_table: pa.Table, account_table: pa.Table, expected: Found
) -> None:
    """Togetherness that was declared is no link, in either table."""
    members = {r["account"] for r in expected.accounts}
    for name, table in (("accounts", account_table), ("exchanges", exchange_table)):
        declared = [
            "One Company" if a in members else old
            for a, old in zip(
                table.column("account").to_pylist(),
                table.column("organization").to_pylist(),
                strict=True,
            )
        ]
        mine = replaced(table, "organization", declared)
        pair = (exchange_table, mine) if name == "accounts" else (mine, account_table)
        folder = write(tmp_path / name, *pair)
        result = hunt_of(folder, folder / "out")
        assert not {r["account"] for r in result.accounts.to_pylist()} & members


def test_seeds_lead_to_their_campaign_and_are_kept_apart(
    tmp_path: Path, fuller_traffic: Path, fuller: Found, fuller_truth: dict[str, str | None]
) -> None:
    members = largest_campaign(fuller)
    out = tmp_path / "out"
    result = hunt_of(fuller_traffic, out, seeds=frozenset(members[:1]))
    same(fuller, found(out))
    assert result.seeds is not None
    rows = read(out, "seeds")
    assert rows
    assert {r["seed"] for r in rows} == {members[0]}
    reached = {r["account"] for r in rows}
    assert members[0] not in reached
    # Now and then a stranger came out of two of the same proxied households.
    strangers = {a for a in reached if fuller_truth[a] != fuller_truth[members[0]]}
    assert len(strangers) <= 0.1 * len(reached)
    assert all(r["q_value"] <= 0.01 for r in rows)


def test_unknown_seeds_lead_nowhere(tmp_path: Path, small_traffic: Path) -> None:
    result = hunt_of(small_traffic, tmp_path / "out", seeds=frozenset(["nobody"]))
    assert result.seeds is not None
    assert result.seeds.num_rows == 0


# What is missing


@pytest.mark.parametrize(
    ("columns", "lost"),
    [
        (("system", "prompt", "response"), {"prompt text"}),
        (("client_address",), {"client address"}),
        (("tls_fingerprint", "user_agent"), {"client fingerprint"}),
        (
            ("system", "prompt", "response", "client_address", "tls_fingerprint", "user_agent",
             "client_asn", "output_tokens", "input_tokens"),
            {"prompt text", "client address", "client fingerprint", "output tokens", "input tokens"},
        ),
    ],
)  # fmt: skip
def test_missing_columns_are_said_to_be_missing(
    tmp_path: Path,
    exchange_table: pa.Table,
    account_table: pa.Table,
    columns: tuple[str, ...],
    lost: set[str],
) -> None:
    write(tmp_path, exchange_table.drop_columns(list(columns)), account_table)
    hunt_of(tmp_path, tmp_path / "out")
    coverage = {r["signal"]: r for r in read(tmp_path / "out", "coverage")}
    assert {s for s, r in coverage.items() if not r["available"]} == lost
    for signal in lost:
        assert coverage[signal]["share"] == 0.0
        assert len(coverage[signal]["consequence"]) > 20
        assert "none" not in coverage[signal]["consequence"].split()[0]


def test_without_accounts_it_still_runs(
    tmp_path: Path, exchange_table: pa.Table, truth: dict[str, str | None]
) -> None:
    pq.write_table(exchange_table, tmp_path / "exchanges.parquet")
    result = run(tmp_path / "out", tmp_path / "exchanges.parquet")
    coverage = {r["signal"]: r for r in result.coverage.to_pylist()}
    for signal in (
        "payment instrument", "e-mail domain", "account creation",
        "declared organizations and licences",
    ):  # fmt: skip
        assert not coverage[signal]["available"]
    named = {r["account"] for r in result.accounts.to_pylist()}
    assert sum(truth[a] is not None for a in named) >= 0.9 * len(named)


def test_with_nothing_but_ids_there_is_nothing_to_find(
    tmp_path: Path, exchange_table: pa.Table
) -> None:
    pq.write_table(
        exchange_table.select(["exchange_id", "time", "account"]), tmp_path / "bare.parquet"
    )
    result = run(tmp_path / "out", tmp_path / "bare.parquet")
    assert result.campaigns.num_rows == 0
    assert result.record["smallest_detectable"]["accounts"] is None
    assert not any(r["available"] for r in result.coverage.to_pylist())


# Another engine


def test_every_statement_can_be_carried_to_spark(statements: list[str]) -> None:
    assert len(set(statements)) > 60
    for statement in statements:
        spark = translate(statement, "spark")
        tree = sqlglot.parse_one(spark, read="spark")
        anonymous = {f.name.upper() for f in tree.find_all(sqlglot.exp.Anonymous)}
        assert not anonymous, spark  # a function that the translator does not know
