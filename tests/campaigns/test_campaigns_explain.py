"""Why an account was named, or was not; through the functions and through the command line."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hunts import hunt_of, read, run

from stillhunt.campaigns.explain import (
    explain_account,
    find_exchange,
    owner_of_exchange,
)
from stillhunt.campaigns.outputs import read_table
from stillhunt.cli.app import main
from stillhunt.errors import InputError
from stillhunt.linking.families import FAMILIES
from stillhunt.readers import Quarantine, ReadOptions
from stillhunt.records.pseudonyms import Pseudonymiser
from stillhunt.scoring.features import MIN_VOLUME

Rows = dict[str, dict[str, Any]]
Told = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def profiles(baseline: Path) -> Rows:
    return {r["account"]: r for r in read(baseline, "profiles")}


@pytest.fixture(scope="module")
def clusters(baseline: Path) -> Rows:
    found: Rows = json.loads((baseline / "details.json").read_text())["clusters"]
    return found


@pytest.fixture(scope="module")
def named(baseline: Path) -> Rows:
    return {r["account"]: r for r in read(baseline, "accounts")}


@pytest.fixture(scope="module")
def unnamed_exchange(baseline: Path, exchange_table: pa.Table, named: Rows) -> tuple[str, str]:
    """Id and account of an exchange of somebody who is not named."""
    rows = exchange_table.select(["exchange_id", "account"]).to_pylist()
    row = next(r for r in rows if r["account"] not in named)
    return row["exchange_id"], row["account"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """Runs ``stillhunt explain``; gives exit code, output and errors without lines and breaks."""

    def tell(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["stillhunt", "explain", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        plain = [" ".join(re.sub(r"[│┃━─┏┓┗┛└┘┌┐┡┩╇┳┻┴├┤┼╋]", " ", t).split()) for t in (out, err)]
        return int(end.value.code or 0), plain[0], plain[1]

    return tell


def only(accounts: Rows, **wanted: Any) -> str:
    """First account whose row is as wanted."""
    return next(a for a, r in accounts.items() if all(r[k] == v for k, v in wanted.items()))


def worth(signals: Any) -> float:
    return math.fsum(s.log_odds or 0.0 for s in signals)


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# Accounts


def test_every_named_account_is_explained(baseline: Path, named: Rows, clusters: Rows) -> None:
    campaigns = {r["campaign"]: r for r in read(baseline, "campaigns")}
    assert named
    for account, row in named.items():
        why = explain_account(baseline, account)
        assert why is not None
        assert why.account == account
        assert f"Named in campaign {row['campaign']}" in why.verdict
        assert f"{row['membership_probability']:.3f}" in why.verdict
        assert f"{row['campaign_exchanges']:,} of {row['exchanges']:,} exchanges" in why.verdict
        assert [s.name for s in why.membership] == [r["signal"] for r in row["reasons"]]
        assert sigma(worth(why.membership)) == pytest.approx(row["membership_probability"])
        assert sigma(worth(why.waterfall)) == pytest.approx(
            campaigns[row["campaign"]]["probability"]
        )
        assert len(why.waterfall) == len(clusters[row["campaign"]]["waterfall"])


def test_links_of_an_account_are_those_that_hold_its_entity(baseline: Path, named: Rows) -> None:
    members = read(baseline, "link_members")
    account, row = next(iter(named.items()))
    why = explain_account(baseline, account)
    assert why is not None
    held = [m["link"] for m in members if m["entity"] == row["entity"]]
    assert len(why.links) == len(held) > 1
    links = read(baseline, "links")
    assert sorted(r["p_value"] for r in why.links) == sorted(links[i]["p_value"] for i in held)
    assert [r["p_value"] for r in why.links] == sorted(r["p_value"] for r in why.links)


def test_an_innocent_account_in_no_cluster(
    baseline: Path, profiles: Rows, exchange_table: pa.Table
) -> None:
    account = only(profiles, cluster=None, licensed=False)
    why = explain_account(baseline, account)
    assert why is not None
    assert why.verdict.startswith("Not named: it is in no cluster")
    assert why.links == why.membership == why.waterfall == ()
    sent = exchange_table.column("account").to_pylist().count(account)
    assert why.signals[0].seen.startswith(f"{sent:,} from ")


def test_an_innocent_account_in_a_lawful_cluster(
    baseline: Path, profiles: Rows, clusters: Rows
) -> None:
    lawful = [c for c, v in clusters.items() if not v["is_campaign"]]
    assert lawful
    for cluster in lawful:
        why = explain_account(baseline, only(profiles, cluster=cluster))
        assert why is not None
        assert why.verdict.startswith("Not named: its cluster of ")
        assert f"cluster of {clusters[cluster]['entities']} entities" in why.verdict
        assert clusters[cluster]["why_not"]
        assert all(reason in why.verdict for reason in clusters[cluster]["why_not"])
        assert why.membership == ()
        assert sigma(worth(why.waterfall)) == pytest.approx(clusters[cluster]["probability"])


def test_a_licensed_account(baseline: Path, profiles: Rows) -> None:
    why = explain_account(baseline, only(profiles, licensed=True))
    assert why is not None
    assert "licence" in why.verdict
    assert why.waterfall == why.membership == ()


def test_an_allowed_account_is_not_said_to_share_nothing(
    tmp_path: Path, small_traffic: Path, named: Rows
) -> None:
    account = next(iter(named))
    hunt_of(small_traffic, tmp_path / "out", allow=frozenset([account]))
    why = explain_account(tmp_path / "out", account)
    assert why is not None
    assert why.links
    assert "allow list" in why.verdict
    assert "nothing it shares" not in why.verdict


def test_a_member_of_which_too_little_is_known(tmp_path: Path, baseline: Path) -> None:
    """In a campaign's cluster, and not among its accounts."""
    row = next(r for r in read(baseline, "accounts"))
    for path in baseline.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    accounts = pq.read_table(baseline / "accounts.parquet")
    others = [r for r in accounts.to_pylist() if r["account"] != row["account"]]
    pq.write_table(pa.Table.from_pylist(others, accounts.schema), tmp_path / "accounts.parquet")
    why = explain_account(tmp_path, row["account"])
    assert why is not None
    assert why.verdict.startswith(f"Not named: linked to campaign {row['campaign']}")


def test_signals_are_the_profiles(baseline: Path, profiles: Rows) -> None:
    for account, row in list(profiles.items())[:60]:
        why = explain_account(baseline, account)
        assert why is not None
        told = {s.name: s.seen for s in why.signals}
        for family in FAMILIES:
            values = row[f"{family}_values"] or 0
            name = family.replace("_", " ")
            assert (name in told) == (values > 0)
            if values:
                assert told[name].startswith(
                    f"{values:,} used, {row[f'{family}_shared']:,} of them by others"
                )
            else:
                assert f"{name}: none known for this account" in why.missing
        few = any("too few" in lost for lost in why.missing)
        assert few == (row["intent"] is None and row["exchanges"] < MIN_VOLUME)
        assert ("intent" in told) == (row["intent"] is not None)


def test_what_the_log_does_not_carry_is_named(tmp_path: Path, exchange_table: pa.Table) -> None:
    pq.write_table(exchange_table.drop_columns(["prompt", "system"]), tmp_path / "log.parquet")
    run(tmp_path / "out", tmp_path / "log.parquet")
    why = explain_account(tmp_path / "out", exchange_table.column("account")[0].as_py())
    assert why is not None
    lost = {r["signal"]: r["consequence"] for r in read(tmp_path / "out", "coverage")}
    gone = [f"{s}: {c}" for s, c in lost.items() if f"{s}: {c}" in why.missing]
    assert len(gone) >= 2
    assert "template: none known for this account" in why.missing


def test_who_was_never_seen_has_no_explanation(baseline: Path) -> None:
    assert explain_account(baseline, "nobody") is None
    assert owner_of_exchange(baseline, "nothing") is None


# Exchanges


def test_owner_is_told_only_of_attributed_exchanges(
    baseline: Path, named: Rows, unnamed_exchange: tuple[str, str]
) -> None:
    for row in read(baseline, "exchanges")[:20]:
        assert owner_of_exchange(baseline, row["exchange_id"]) == row["account"]
    assert owner_of_exchange(baseline, unnamed_exchange[0]) is None


def test_an_exchange_is_fingerprinted_alone(
    small_traffic: Path, exchange_table: pa.Table, unnamed_exchange: tuple[str, str]
) -> None:
    name, account = unnamed_exchange
    with Quarantine(Path(os.devnull)) as quarantine:
        logs = [small_traffic / "exchanges.parquet"]
        seen = find_exchange(logs, ReadOptions(), name, quarantine)
        nothing = find_exchange(logs, ReadOptions(), "nothing", quarantine)
    assert nothing is None
    assert seen is not None
    assert (seen.exchange_id, seen.account, seen.text) == (name, account, True)
    chances = [chance for _, chance in seen.kinds]
    assert chances == sorted(chances, reverse=True)
    assert 0.5 < sum(chances) <= 1 + 1e-9
    at = exchange_table.column("exchange_id").to_pylist().index(name)
    texts = (exchange_table.column(c)[at].as_py() or "" for c in ("system", "prompt"))
    words = sum(len(re.findall(r"\w+", text)) for text in texts)
    assert words / 2 < seen.words < 2 * words


def test_an_exchange_without_text(tmp_path: Path, exchange_table: pa.Table, told: Told) -> None:
    log = tmp_path / "log.parquet"
    pq.write_table(exchange_table.slice(0, 2000).drop_columns(["prompt", "system"]), log)
    run(tmp_path / "out", log)
    name = exchange_table.column("exchange_id")[5].as_py()
    code, out, _ = told(name, "--findings", tmp_path / "out", "--logs", log)
    assert code == 0
    assert "Its log carries no text" in out
    assert exchange_table.column("account")[5].as_py() in out


# The command


def test_command_on_accounts(baseline: Path, named: Rows, profiles: Rows, told: Told) -> None:
    account, row = next(iter(named.items()))
    code, out, err = told(account, "--findings", baseline)
    assert (code, err) == (0, "")
    assert f"Named in campaign {row['campaign']}" in out
    assert "Why it is a member" in out
    why = explain_account(baseline, account)
    assert why is not None
    assert f"sum {worth(why.waterfall):+.2f}" in out
    code, out, _ = told(only(profiles, cluster=None, licensed=False), "--findings", baseline)
    assert code == 0
    assert "Not named" in out
    assert "Links: none." in out
    assert "Its cluster's score" not in out


def test_command_on_an_attributed_exchange(baseline: Path, small_traffic: Path, told: Told) -> None:
    row = read(baseline, "exchanges")[0]
    code, out, _ = told(row["exchange_id"], "--findings", baseline)
    assert code == 0
    assert f"Exchange {row['exchange_id']} was attributed to a campaign." in out
    assert f"Named in campaign {row['campaign']}" in out
    assert "log-odds that it asks for training material" not in out
    logs = small_traffic / "exchanges.parquet"
    code, out, _ = told(row["exchange_id"], "--findings", baseline, "--logs", logs)
    assert code == 0
    assert f"Exchange {row['exchange_id']} was attributed to a campaign." in out
    assert "log-odds that it asks for training material" in out
    assert f"Named in campaign {row['campaign']}" in out


def test_command_on_another_exchange(
    baseline: Path, small_traffic: Path, unnamed_exchange: tuple[str, str], told: Told
) -> None:
    name, account = unnamed_exchange
    code, out, err = told(name, "--findings", baseline)
    assert (code, out) == (2, "")
    assert "What to do:" in err
    assert "--logs" in err
    logs = small_traffic / "exchanges.parquet"
    code, out, _ = told(name, "--findings", baseline, "--logs", logs)
    assert code == 0
    assert f"Exchange {name} was not attributed to a campaign." in out
    assert account in out
    assert "Not named" in out


def test_command_on_what_does_not_exist(baseline: Path, small_traffic: Path, told: Told) -> None:
    logs = small_traffic / "exchanges.parquet"
    for more in ((), ("--logs", logs)):
        code, out, err = told("nobody", "--findings", baseline, *more)
        assert (code, out) == (2, "")
        assert "'nobody'" in err
        assert "What to do:" in err
        assert "Traceback" not in err


def test_command_on_logs_of_another_hunt(
    tmp_path: Path, baseline: Path, exchange_table: pa.Table, told: Told
) -> None:
    """The exchange is there, but the hunt never saw its account."""
    few = exchange_table.slice(0, 3)
    at = few.column_names.index("account")
    stranger = few.set_column(at, few.field(at), pa.array(["stranger"] * 3, few.field(at).type))
    ids = few.column_names.index("exchange_id")
    stranger = stranger.set_column(
        ids, few.field(ids), pa.array(["other-1", "other-2", "other-3"], few.field(ids).type)
    )
    pq.write_table(stranger, tmp_path / "log.parquet")
    code, _, err = told("other-2", "--findings", baseline, "--logs", tmp_path / "log.parquet")
    assert code == 2
    assert "never saw the account" in err
    assert "What to do:" in err


def test_command_on_what_is_no_findings_folder(tmp_path: Path, told: Told) -> None:
    code, _, err = told("anybody", "--findings", tmp_path)
    assert code == 2
    assert "profiles.parquetismissing" in "".join(err.split())  # a long path may break the line
    assert "--out" in err
    (tmp_path / "profiles.parquet").write_bytes(b"PAR1 and nothing of the kind")
    assert told("anybody", "--findings", tmp_path)[0] == 2


def test_findings_without_details_ask_for_another_hunt(
    tmp_path: Path, baseline: Path, named: Rows
) -> None:
    for path in baseline.glob("*.parquet"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"details\.json"):
        explain_account(tmp_path, next(iter(named)))


# Other forms of findings


def test_json_lines_are_explained_as_parquet_is(
    tmp_path: Path, small_traffic: Path, baseline: Path, named: Rows, profiles: Rows
) -> None:
    hunt_of(small_traffic, tmp_path / "out", jsonl=True)
    assert not list((tmp_path / "out").glob("*.parquet"))
    for account in (
        next(iter(named)),
        only(profiles, cluster=None, licensed=False),
        only(profiles, licensed=True),
    ):
        one, other = (explain_account(out, account) for out in (baseline, tmp_path / "out"))
        assert one is not None
        assert other is not None
        assert one.verdict == other.verdict
        assert one.missing == other.missing
        assert one.signals == other.signals
        assert one.membership == other.membership
        assert worth(one.waterfall) == pytest.approx(worth(other.waterfall))
        assert len(one.links) == len(other.links)


def test_json_lines_of_nothing_found(tmp_path: Path, exchange_table: pa.Table) -> None:
    pq.write_table(exchange_table.slice(0, 300), tmp_path / "log.parquet")
    run(tmp_path / "out", tmp_path / "log.parquet", jsonl=True)
    assert read_table(tmp_path / "out", "accounts").num_rows == 0
    account = exchange_table.column("account")[0].as_py()
    why = explain_account(tmp_path / "out", account)
    assert why is not None
    assert "Not named" in why.verdict
    assert owner_of_exchange(tmp_path / "out", "nothing") is None


def test_pseudonymised_findings(
    tmp_path: Path,
    small_traffic: Path,
    named: Rows,
    unnamed_exchange: tuple[str, str],
    told: Told,
) -> None:
    secret = np.random.default_rng(1).bytes(32)
    key = tmp_path / "key"
    key.write_bytes(secret)
    key.chmod(0o600)
    pseudonymiser = Pseudonymiser.from_file(key)
    out, logs = tmp_path / "out", small_traffic / "exchanges.parquet"
    hunt_of(small_traffic, out, read=ReadOptions(pseudonymiser=pseudonymiser))
    guilty = {r["account"] for r in read(out, "accounts")}
    clear = next(a for a in named if pseudonymiser.pseudonym("account", a) in guilty)
    pseudonym = pseudonymiser.pseudonym("account", clear)
    code, said, _ = told(pseudonym, "--findings", out)
    assert code == 0
    assert "Named in campaign" in said
    assert clear not in said
    # With the key, the clear name is enough.
    code, said, _ = told(clear, "--findings", out, "--pseudonymise", key)
    assert code == 0
    assert f"{pseudonym} Named in campaign" in said
    assert clear not in said
    # An exchange of the clear logs leads to the pseudonym, given the key.
    name, account = unnamed_exchange
    code, said, _ = told(name, "--findings", out, "--logs", logs, "--pseudonymise", key)
    assert code == 0
    assert pseudonymiser.pseudonym("account", account) in said
    assert account not in said
    # Without it the logs' accounts are none that the hunt saw.
    code, _, err = told(name, "--findings", out, "--logs", logs)
    assert code == 2
    assert "What to do:" in err


def test_names_are_neither_markup_nor_control(
    tmp_path: Path, exchange_table: pa.Table, told: Told
) -> None:
    evil = "[bold]x[/]\x1b[2J\u202e"
    few = exchange_table.slice(0, 400)
    at = few.column_names.index("account")
    names = [evil, *few.column("account").to_pylist()[1:]]
    log = tmp_path / "log.parquet"
    pq.write_table(few.set_column(at, few.field(at), pa.array(names, few.field(at).type)), log)
    run(tmp_path / "out", log)
    name = few.column("exchange_id")[0].as_py()
    for words in ((evil,), (name, "--logs", log)):
        code, out, _ = told(*words, "--findings", tmp_path / "out")
        assert code == 0
        assert "[bold]x[/]" in out
        assert "\x1b" not in out
        assert "\u202e" not in out
