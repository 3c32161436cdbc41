"""Stores made in bulk: exact columns, names that resolve, a truth that agrees, and likeness to what
is simulated with its texts."""

from __future__ import annotations

import dataclasses
import json
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import linregress

import growth
import headline
from _bulk.compare import MEASURES, measured_store, measured_twin, simulated
from _bulk.fits import fitted
from _bulk.generate import generate
from _bulk.hours import Day, Hour, differences
from _bulk.judged import judge
from _bulk.kernels import ID_BYTES, fill_ids
from _bulk.rows import NAMES, STORED
from _bulk.sizes import CAMPAIGNS, FULL_SIZE, MIN_CAMPAIGN_ACCOUNTS, bulk_scenario, size_at
from stillhunt.campaigns.request import HuntRequest
from stillhunt.fingerprints.hashing import hash32, hash64
from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt.records.findings import TABLES
from stillhunt.records.observation import OBSERVATION_SCHEMA

SIZE = size_at(0.0003)
LIBRARY = 20_000


def _make(folder: Path, **options: object) -> Path:
    settings = {"days": 2, "seed": 5, "jobs": 1, "library": LIBRARY, "stretch": 20_000} | options
    generate(folder, SIZE, **settings)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("bulk") / "store")


def _parts(store: Path, folder: str) -> list[Path]:
    return sorted((store / folder).rglob("*.parquet"))


def _observations(store: Path) -> pa.Table:
    return pa.concat_tables([pq.ParquetFile(path).read() for path in _parts(store, "observations")])


def test_columns_are_the_observations_and_a_key(store: Path) -> None:
    assert STORED.remove(STORED.get_field_index("key")).equals(OBSERVATION_SCHEMA)
    assert len(_parts(store, "observations")) > 2
    for path in _parts(store, "observations"):
        # Parquet calls the items of a list otherwise; names apart they are the same.
        read = pq.ParquetFile(path).read().cast(STORED)
        read.validate(full=True)
        assert [f.nullable for f in read.schema] == [f.nullable for f in STORED]
    assert sum(pq.read_metadata(p).num_rows for p in _parts(store, "names")) == SIZE.exchanges
    assert pq.ParquetFile(next((store / "accounts").iterdir())).schema_arrow.equals(ACCOUNT_SCHEMA)


def test_parts_are_of_one_day_and_sorted_by_account_then_time(store: Path) -> None:
    for path in _parts(store, "observations"):
        rows = pq.ParquetFile(path).read()
        account, time = np.asarray(rows["account"]), np.asarray(rows["time"].cast(pa.int64()))
        assert np.array_equal(np.lexsort((time, account)), np.arange(len(rows)))
        days = np.unique(np.asarray(rows["time"]).astype("datetime64[D]"))
        assert [f"day={day}" for day in days] == [path.parent.name]


def test_names_stand_beside_their_rows_and_hash_to_them(store: Path) -> None:
    for path in _parts(store, "observations"):
        rows = pq.ParquetFile(path).read()
        beside = pq.ParquetFile(store / "names" / path.relative_to(store / "observations")).read()
        assert beside.schema.equals(NAMES)
        digests = [
            blake2b(name.encode(), digest_size=16).digest()
            for name in beside["exchange_id"].to_pylist()
        ]
        assert rows["exchange"].to_pylist() == digests
        keys = [int.from_bytes(digest[:8], "little", signed=True) for digest in digests]
        assert rows["key"].to_pylist() == keys


def test_ids_are_all_different(store: Path) -> None:
    rows = pa.concat_tables([pq.ParquetFile(path).read() for path in _parts(store, "names")])
    assert len(set(rows["exchange_id"].to_pylist())) == SIZE.exchanges
    assert sorted(rows["row"].to_pylist()) == list(range(SIZE.exchanges))


def test_digests_are_those_of_the_standard_library() -> None:
    ids, digests = np.empty((500, ID_BYTES), np.uint8), np.empty((500, 2), np.uint64)
    fill_ids(np.uint64(3), ids, digests)
    for text, digest in zip(ids, digests, strict=True):
        assert blake2b(text.tobytes(), digest_size=16).digest() == digest.tobytes()


def test_whatever_is_named_resolves(store: Path) -> None:
    for path in _parts(store, "identities"):
        known = pq.ParquetFile(path).read()
        for kind, hashed in (("account", hash64), ("organization", hash64), ("agent", hash32)):
            of = known.filter(pa.array([k == kind for k in known["kind"].to_pylist()]))
            assert of["value"].to_pylist() == hashed(of["name"], kind).to_pylist()
        rows = next(p for p in _parts(store, "observations") if p.name == path.name)
        for kind in ("account", "organization", "agent"):
            of = known.filter(pa.array([k == kind for k in known["kind"].to_pylist()]))
            seen = pq.ParquetFile(rows).read([kind])[kind].drop_null().to_pylist()
            assert set(seen) <= set(of["value"].to_pylist())


def test_the_truth_is_of_the_accounts_that_are_there(store: Path) -> None:
    truth = pq.read_table(store / "truth.parquet")
    counts = _observations(store).group_by("account").aggregate([("account", "count")])
    seen = dict(
        zip(counts["account"].to_pylist(), counts["account_count"].to_pylist(), strict=True)
    )
    hashes = hash64(truth["account"], "account").to_pylist()
    assert dict(zip(hashes, truth["exchanges"].to_pylist(), strict=True)) == seen
    planted = truth.group_by("campaign").aggregate([("exchanges", "sum"), ("account", "count")])
    found = {
        row["campaign"]: (row["exchanges_sum"], row["account_count"]) for row in planted.to_pylist()
    }
    assert {name: found[name] for name in CAMPAIGNS} == SIZE.campaigns
    assert found[None][0] == SIZE.lawful
    # So small, every persona still has one whole group.
    assert SIZE.entities <= found[None][1] < 2 * SIZE.entities
    personas = {p.name for p in bulk_scenario(2).lawful} | {"campaign"}
    assert set(truth["persona"].to_pylist()) == personas


def test_the_manifest_names_every_part(store: Path) -> None:
    (path,) = (store / "manifest").iterdir()
    named = {row["part"]: row for row in json.loads(path.read_text())["added"]}
    assert sorted(named) == sorted(path.stem for path in _parts(store, "observations"))
    for path in _parts(store, "observations"):
        assert named[path.stem]["rows"] == pq.read_metadata(path).num_rows
        assert named[path.stem]["bytes"] == path.stat().st_size
        assert f"day={named[path.stem]['day']}" == path.parent.name


def test_the_same_seed_gives_the_same_rows_in_any_number_of_processes(
    store: Path, tmp_path: Path
) -> None:
    again = _make(tmp_path / "again", jobs=2)
    assert _observations(again).equals(_observations(store))
    assert pq.read_table(again / "truth.parquet").equals(pq.read_table(store / "truth.parquet"))


def test_another_seed_gives_other_rows_and_a_day_can_come_in_hours(
    store: Path, tmp_path: Path
) -> None:
    keys = set(_observations(store)["key"].to_pylist())
    store = _make(tmp_path / "hourly", days=1, hourly=True, seed=6)
    assert not keys & set(_observations(store)["key"].to_pylist())
    transactions = [json.loads(p.read_text()) for p in sorted((store / "manifest").iterdir())]
    assert len(transactions) == 24
    for hour, transaction in enumerate(transactions):
        for part in transaction["added"]:
            path = store / "observations" / f"day={part['day']}" / f"{part['part']}.parquet"
            time = np.asarray(pq.ParquetFile(path).read(["time"])["time"]).astype("datetime64[h]")
            assert set((time - time.astype("datetime64[D]")).astype(int)) == {hour}
    assert sum(p["rows"] for t in transactions for p in t["added"]) == SIZE.exchanges


def test_what_is_no_store_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(FileExistsError):
        _make(tmp_path)
    with pytest.raises(ValueError, match="parts in time"):
        _make(tmp_path / "long", days=40)


def test_it_is_like_simulated_traffic_of_the_same_size(store: Path, tmp_path: Path) -> None:
    twin = simulated(tmp_path, 2, SIZE, seed=11)
    theirs = {row[0]: dict(zip(MEASURES, row[1:], strict=True)) for row in measured_twin(twin)}
    ours = {row[0]: dict(zip(MEASURES, row[1:], strict=True)) for row in measured_store(store)}
    assert set(ours) == set(theirs)
    for name, one in ours.items():
        assert one["grams"] == pytest.approx(theirs[name]["grams"], rel=0.15), name
        if name not in CAMPAIGNS:
            assert one["rows"] == pytest.approx(theirs[name]["rows"], abs=2), name
    for name in ("hobbyist", "tool_user"):  # of others there are too few at this size
        one, other = ours[name], theirs[name]
        for measure in ("addr/a", "net/a", "keys/a", "days/a"):
            assert one[measure] == pytest.approx(other[measure], rel=0.2), (name, measure)
    assert ours["hobbyist"]["tmpl"] == pytest.approx(theirs["hobbyist"]["tmpl"], abs=0.15)
    assert ours["hobbyist"]["out"] == pytest.approx(theirs["hobbyist"]["out"], rel=0.2)
    assert ours["tool_user"]["tmpl"] == pytest.approx(theirs["tool_user"]["tmpl"], rel=0.4)
    for name in ("evaluator", "benchmarker"):
        assert ours[name]["again"] > 0.9
        assert theirs[name]["again"] > 0.9
    for name in ("hobbyist", *CAMPAIGNS):
        assert ours[name]["again"] < 0.05
        assert theirs[name]["again"] < 0.05


def test_sizes_are_the_headlines_at_scale_one() -> None:
    full = size_at(1.0)
    assert full.exchanges == FULL_SIZE == 116_550_000
    assert full.entities == 1_000_000
    assert sum(accounts for _, accounts in full.campaigns.values()) == 24_000
    assert min(n for _, n in size_at(1e-5).campaigns.values()) == MIN_CAMPAIGN_ACCOUNTS


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 1.0, 1.7])
def test_a_power_law_is_found_again(exponent: float) -> None:
    sizes = [1e6, 4e6, 16e6, 64e6]
    law = fitted(sizes, [3.0 * size**exponent for size in sizes])
    assert law.exponent == pytest.approx(exponent, abs=1e-9)
    assert law.factor == pytest.approx(3.0)
    assert law.error == pytest.approx(0.0, abs=1e-6)
    rng = np.random.default_rng(1)
    costs = np.exp(rng.normal(0.0, 0.3, 4)) * np.array(sizes) ** exponent
    line = linregress(np.log(sizes), np.log(costs))
    noisy = fitted(sizes, costs.tolist())
    assert (noisy.exponent, noisy.error) == pytest.approx((line.slope, line.stderr))
    with pytest.raises(ValueError, match="two different sizes"):
        fitted([1e6, 1e6], [1.0, 2.0])


def _findings(folder: Path, campaigns: dict[str, list[str]], count: int) -> Path:
    folder.mkdir()
    moment = np.datetime64("2026-01-01", "us").item()
    campaign = {
        "probability": 0.9, "link_p": 0.0, "q_value": 0.0, "entities": 1, "exchanges": count,
        "exchanges_low": count, "exchanges_high": count, "first_seen": moment, "last_seen": moment,
        "kinds": [], "summary": "",
    }  # fmt: skip
    account = {
        "entity": "e", "membership_probability": 1.0, "exchanges": 1, "campaign_exchanges": 1,
        "reasons": [],
    }  # fmt: skip
    rows = {
        "campaigns": [
            campaign | {"campaign": c, "accounts": len(of)} for c, of in campaigns.items()
        ],
        "accounts": [
            account | {"campaign": c, "account": a} for c, of in campaigns.items() for a in of
        ],
        "links": [],
        "exchanges": [
            {"exchange_id": a, "account": a, "campaign": c}
            for c, of in campaigns.items()
            for a in of
        ],
    }
    for name, of in rows.items():
        pq.write_table(pa.Table.from_pylist(of, TABLES[name]), folder / f"{name}.parquet")
    return folder


def test_findings_are_set_beside_the_truth(store: Path, tmp_path: Path) -> None:
    truth = pq.read_table(store / "truth.parquet").to_pylist()
    agents = [row["account"] for row in truth if row["campaign"] == "agents"]
    copier = next(row["account"] for row in truth if row["persona"] == "prompt_copier")
    vpn = next(row["account"] for row in truth if row["persona"] == "vpn")
    found = _findings(tmp_path / "f", {"c-1": [*agents[1:], copier], "c-2": [vpn]}, 100)
    result = judge(store / "truth.parquet", found)
    one = next(p for p in result.planted if p.name == "agents")
    assert (one.matched, one.right, one.named, one.strangers) == ("c-1", 11, 11, 1)
    assert one.recall == pytest.approx(11 / 12)
    assert one.count_error == pytest.approx(100 / one.exchanges - 1)
    assert [p.count_error for p in result.planted if p.name != "agents"] == [-1.0, -1.0]
    assert (result.campaigns, result.unmatched, result.named) == (2, 1, 13)
    assert result.lawful_by == {"prompt_copier": 1, "vpn": 1}
    assert result.false_discovery == pytest.approx(2 / 13)


def test_findings_that_differ_are_told_apart(tmp_path: Path) -> None:
    one = _findings(tmp_path / "one", {"c-1": ["a", "b"]}, 2)
    same = _findings(tmp_path / "same", {"c-1": ["b", "a"]}, 2)
    other = _findings(tmp_path / "other", {"c-1": ["a"]}, 2)
    assert set(differences(one, same).values()) == {0}
    assert differences(one, other) == {"campaigns": 2, "accounts": 1, "links": 0, "exchanges": 1}


def _hunts_stores() -> bool:
    return "store" in {field.name for field in dataclasses.fields(HuntRequest)}


@pytest.mark.skipif(not _hunts_stores(), reason="this version does not hunt in stores")
def test_the_headline_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--scale", "0.0003", "--days", "2", "--jobs", "1", "--library", str(LIBRARY)]
    assert headline.main([*asked, "--memory", "1GB", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "exchanges through" in said
    record = json.loads((tmp_path / "headline.json").read_text())
    assert record["made"]["exchanges"] == SIZE.exchanges
    assert {one["name"] for one in record["found"]["planted"]} == set(CAMPAIGNS)
    assert sum(one["right"] for one in record["found"]["planted"]) > 12
    assert record["stages"]
    assert "Account recall" in said


def test_growth_is_printed_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    costs = [
        growth.Cost(n, n // 100, 2 + n / 1e5, n / 1e5, n / 5e4, 0.1, 1_000 * n, 95, 19, 1.0, 0.0)
        for n in (10_000, 40_000, 160_000)
    ]
    growth.print_growth(headline.Console(width=200), costs, tmp_path)
    said = capsys.readouterr().out
    assert "seconds (stages): exponent 1.000 ± 0.000" in said
    assert "bytes an exchange on disk: exponent 0.000" in said
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_a_day_is_printed_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = tuple(Hour(h, 10, 10 * h, 1.0, float(h), float(h), 1 << 20) for h in range(1, 25))
    growth.print_day(headline.Console(width=200), Day(hours, 24.0, 3, {"links": 0}), tmp_path)
    said = capsys.readouterr().out
    assert "Hour 24 beside hour 2: 8.33 times the whole, 12.00 times the stages" in said
    assert "(3 campaigns) are the same" in said
    assert (tmp_path / "hours.png").read_bytes().startswith(b"\x89PNG")
    growth.print_day(headline.Console(width=200), Day(hours, 24.0, 3, {"links": 1}), tmp_path)
    assert "NOT the same" in capsys.readouterr().out
