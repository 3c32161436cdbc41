"""Hunts one after another, through the command that a user types."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hunts import hunt_of, read, run

from stillhunt.campaigns.explain import explain_account
from stillhunt.campaigns.outputs import read_table
from stillhunt.campaigns.previous import read_previous
from stillhunt.errors import InputError

Rows = list[dict[str, Any]]
HALF = "2026-03-09"


def start(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stillhunt", "hunt", *map(str, args)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def given(traffic: Path) -> tuple[str | Path, ...]:
    return (traffic / "exchanges.parquet", "--accounts", traffic / "accounts.parquet")


@pytest.fixture(scope="module")
def week(fuller_traffic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first week's findings."""
    out = tmp_path_factory.mktemp("week") / "out"
    done = start(*given(fuller_traffic), "--until", HALF, "--out", out)
    assert done.returncode == 10, done.stderr
    return out


@pytest.fixture(scope="module")
def both(
    fuller_traffic: Path, week: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """Both weeks' findings after the first week's, and what was printed."""
    out = tmp_path_factory.mktemp("both") / "out"
    done = start(*given(fuller_traffic), "--previous", week, "--out", out)
    assert done.returncode == 10, done.stderr
    return out, " ".join(done.stdout.split())


@pytest.fixture(scope="module")
def plain(fuller_traffic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both weeks' findings by themselves."""
    out = tmp_path_factory.mktemp("plain") / "out"
    hunt_of(fuller_traffic, out, clear=False)
    return out


def members(out: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in read(out, "accounts"):
        found.setdefault(row["campaign"], set()).add(row["account"])
    return found


def test_campaigns_keep_their_ids_and_nothing_else_changes(
    week: Path, both: tuple[Path, str], plain: Path
) -> None:
    out, _ = both
    first, second, alone = members(week), members(out), members(plain)
    assert len(first) >= 2
    assert first.keys() <= second.keys()
    assert not first.keys() & alone.keys()  # by itself, the longer period has other ids
    for campaign, accounts in first.items():
        assert len(accounts & second[campaign]) > len(accounts) / 2
    assert sorted(map(sorted, alone.values())) == sorted(map(sorted, second.values()))
    unlike = {"campaign"}
    kept = [
        [{k: v for k, v in row.items() if k not in unlike} for row in read(folder, "campaigns")]
        for folder in (out, plain)
    ]
    assert kept[0] == kept[1]
    assert not (plain / "changes.parquet").exists()
    assert not (plain / "history.parquet").exists()
    record = json.loads((plain / "hunt.json").read_text())
    assert not {"lifecycle", "verdicts", "calibration"} & record.keys()


def test_changes_are_those_that_the_tables_show(week: Path, both: tuple[Path, str]) -> None:
    out, _ = both
    first, second = members(week), members(out)
    changes = read(out, "changes")
    by_kind: dict[str, set[tuple[str, str]]] = {}
    for row in changes:
        if row["account"] is not None:
            by_kind.setdefault(row["change"], set()).add((row["campaign"], row["account"]))
    joined = {(c, a) for c in second for a in second[c] - first.get(c, set())}
    assert joined
    assert by_kind["joined"] == joined
    now = max(row["last_seen"] for row in read(out, "profiles"))
    then = max(row["last_seen"] for row in read(week, "profiles"))
    last = {row["account"]: row["last_seen"] for row in read(out, "profiles")}
    stopped = by_kind["left"] | by_kind.get("replaced_by", set())
    assert stopped
    for _, account in stopped:
        assert (now - last[account]).total_seconds() >= 24 * 3600
    for _, account in by_kind["kept"]:
        assert (now - last[account]).total_seconds() < 14 * 24 * 3600
    assert not by_kind["kept"] & stopped
    state = {row["campaign"]: row["change"] for row in changes if row["account"] is None}
    assert state.keys() == second.keys() | first.keys()
    for campaign in first:
        assert state[campaign] in ("kept", "ended")
    for row in changes:
        if row["change"] == "replaced_by":
            assert (row["campaign"], row["other"]) in joined
            assert last[row["account"]] < row["at"]
    history = {(r["campaign"], r["account"]): r for r in read(out, "history")}
    assert history.keys() == {(c, a) for f in (first, second) for c in f for a in f[c]}
    for (campaign, account), row in history.items():
        assert row["first_named"] == (then if account in first.get(campaign, set()) else now)


def test_what_changed_is_told(both: tuple[Path, str]) -> None:
    out, printed = both
    details = json.loads((out / "details.json").read_text())["campaigns"]
    record = json.loads((out / "hunt.json").read_text())["lifecycle"]
    page = (out / "report.html").read_text()
    changes = read(out, "changes")
    assert "Since the hunt in" in printed
    for campaign, told in details.items():
        lifecycle = told["lifecycle"]
        count = sum(r["campaign"] == campaign and r["change"] == "joined" for r in changes)
        assert lifecycle["joined"] == count
        assert f"{campaign}: known" in printed
        assert f"{count} joined" in printed
        assert f"{count} joined" in page
    assert record["accounts"]["joined"] == sum(r["change"] == "joined" for r in changes)
    assert record["last_exchange"] > record["previous_last_exchange"]
    assert set(record["ids"]) >= {r["campaign"] for r in changes}


def test_into_the_same_folder_as_json_lines(
    tmp_path: Path, fuller_traffic: Path, week: Path, both: tuple[Path, str]
) -> None:
    out = tmp_path / "out"
    until = datetime.fromisoformat(HALF)
    hunt_of(fuller_traffic, out, jsonl=True, until=until, clear=False)
    assert read_table(out, "profiles").sort_by("account") == read_table(week, "profiles").sort_by(
        "account"
    )
    done = start(
        *given(fuller_traffic),
        "--previous",
        out,
        "--out",
        out,
        "--format",
        "jsonl",
        "--no-exit-code",
    )
    assert done.returncode == 0, done.stderr
    for table in ("changes", "history"):
        assert read_table(out, table) == read_table(both[0], table)


def test_renamed_accounts_and_shuffled_rows_change_nothing(
    tmp_path: Path, fuller_traffic: Path, both: tuple[Path, str]
) -> None:
    def renamed(account: str) -> str:
        return f"x{account[::-1]}"

    for name in ("exchanges", "accounts"):
        table = pq.read_table(fuller_traffic / f"{name}.parquet")
        at = table.column_names.index("account")
        names = pa.array([renamed(a) for a in table.column("account").to_pylist()], pa.string())
        order = np.random.default_rng(4).permutation(table.num_rows)
        shuffled = table.set_column(at, table.field(at), names).take(order)
        pq.write_table(shuffled, tmp_path / f"{name}.parquet")
    hunt_of(tmp_path, tmp_path / "first", until=datetime.fromisoformat(HALF))
    hunt_of(tmp_path, tmp_path / "second", previous=tmp_path / "first")
    columns = ("campaign", "account", "change", "at", "other")
    expected = {
        tuple(
            renamed(r[c]) if c in ("account", "other") and r[c] and r[c][:2] != "c-" else r[c]
            for c in columns
        )
        for r in read(both[0], "changes")
    }
    found = {tuple(r[c] for c in columns) for r in read(tmp_path / "second", "changes")}
    assert found == expected


def test_the_same_hunt_again_keeps_everything(
    tmp_path: Path, fuller_traffic: Path, both: tuple[Path, str]
) -> None:
    hunt_of(fuller_traffic, tmp_path / "out", previous=both[0])
    changes = read(tmp_path / "out", "changes")
    assert {r["change"] for r in changes} <= {"kept", "ended"}
    assert {r["change"] for r in changes if r["account"] is not None} == {"kept"}
    first_named = [
        {(r["campaign"], r["account"]): r["first_named"] for r in read(folder, "history")}
        for folder in (both[0], tmp_path / "out")
    ]
    assert first_named[0] == first_named[1]


def test_after_a_hunt_that_found_nothing_all_is_new(
    tmp_path: Path, fuller_traffic: Path, week: Path
) -> None:
    few = pq.read_table(fuller_traffic / "exchanges.parquet").sort_by("time").slice(0, 300)
    pq.write_table(few, tmp_path / "few.parquet")
    run(tmp_path / "before", tmp_path / "few.parquet")
    assert read(tmp_path / "before", "campaigns") == []
    until = datetime.fromisoformat(HALF)
    hunt_of(fuller_traffic, tmp_path / "out", previous=tmp_path / "before", until=until)
    changes = read(tmp_path / "out", "changes")
    assert {r["change"] for r in changes if r["account"] is None} == {"new"}
    assert {r["change"] for r in changes if r["account"] is not None} <= {"joined", "left"}
    assert members(tmp_path / "out") == members(week)


def test_a_hunt_that_finds_nothing_tells_what_was_lost_and_it_may_return(
    tmp_path: Path, fuller_traffic: Path, week: Path
) -> None:
    exchanges = pq.read_table(fuller_traffic / "exchanges.parquet").sort_by("time")
    at = pc.less(exchanges.column("time"), pa.scalar(datetime(2026, 3, 9, 12, tzinfo=UTC)))
    pq.write_table(exchanges.filter(at).slice(pc.sum(at).as_py() - 300), tmp_path / "few.parquet")
    done = start(tmp_path / "few.parquet", "--previous", week, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    changes = {
        r["campaign"]: r["change"]
        for r in read(tmp_path / "out", "changes")
        if r["account"] is None
    }
    assert changes == dict.fromkeys(members(week), "no_longer_named")
    for campaign in changes:
        assert f"{campaign}: no campaign any more" in " ".join(done.stdout.split())
    hunt_of(fuller_traffic, tmp_path / "back", previous=tmp_path / "out")
    changes = {
        r["campaign"]: r["change"]
        for r in read(tmp_path / "back", "changes")
        if r["account"] is None
    }
    assert {changes[c] for c in members(week)} <= {"returned", "ended"}


def refused(*args: str | Path) -> str:
    done = start(*args)
    assert done.returncode == 2, done.stdout
    assert "What to do:" in done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_a_chain_is_not_broken_without_a_word(tmp_path: Path, both: tuple[Path, str]) -> None:
    missing = tmp_path / "missing.parquet"
    assert "--previous would" in refused(missing, "--out", both[0])
    assert "--previous would" not in refused(missing, "--previous", both[0], "--out", both[0])
    assert "--previous would" not in refused(missing, "--out", tmp_path / "out")


def test_names_made_with_another_key_are_not_taken_for_other_accounts(
    tmp_path: Path, fuller_traffic: Path, week: Path
) -> None:
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    out = tmp_path / "out"
    args = (*given(fuller_traffic), "--previous", week, "--pseudonymise", key, "--out", out)
    said = refused(*args)
    assert "cannot be compared" in said
    assert "--pseudonymise" in said
    assert not out.exists()


def test_an_earlier_hunt_that_is_none(
    tmp_path: Path, fuller_traffic: Path, small_traffic: Path, week: Path, both: tuple[Path, str]
) -> None:
    out = tmp_path / "out"
    for name, said in (("nowhere", "no folder"), ("", "hunt.json is missing")):
        told = refused(*given(fuller_traffic), "--previous", tmp_path / name, "--out", out)
        # A long path may break the line anywhere.
        assert said.replace(" ", "") in "".join(told.split())
    # A later hunt, and one of other accounts.
    args = (*given(fuller_traffic), "--until", HALF, "--previous", both[0], "--out", out)
    assert "before those of" in refused(*args)
    assert "None of the" in refused(*given(small_traffic), "--previous", week, "--out", out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("hunt.json", b'{"schema": 99}'),
        ("hunt.json", b"[]"),
        ("history.parquet", b"PAR1 and nothing of the kind"),
        ("history.jsonl", b'{"campaign": "c-1"}\n'),
        ("links.parquet", None),
        ("accounts.jsonl", b"3\n"),
    ],
)
def test_a_broken_earlier_hunt_is_told(
    tmp_path: Path, fuller_traffic: Path, week: Path, file: str, content: bytes | None
) -> None:
    broken = copytree(week, tmp_path / "broken")
    (broken / file).with_suffix(".parquet").unlink(missing_ok=True)
    (broken / file).unlink(missing_ok=True)
    if content is not None:
        (broken / file).write_bytes(content)
    with pytest.raises(InputError):
        hunt_of(fuller_traffic, tmp_path / "out", previous=broken)
    assert not (tmp_path / "out").exists()


def test_tables_that_do_not_fit_together_are_told(
    tmp_path: Path, fuller_traffic: Path, week: Path
) -> None:
    broken = copytree(week, tmp_path / "broken")
    profiles = pq.read_table(broken / "profiles.parquet")
    pq.write_table(profiles.slice(0, 3), broken / "profiles.parquet")
    with pytest.raises(InputError, match="do not fit together"):
        hunt_of(fuller_traffic, tmp_path / "out", previous=broken)


def everything_said_of(out: Path) -> str:
    """All that a hunt says of accounts, but for profiles, links and the list of whom to spare."""
    details = json.loads((out / "details.json").read_text())["campaigns"]
    for told in details.values():
        del told["do_not_act"]
    tables = [read(out, t) for t in ("accounts", "exchanges", "changes", "history", "seeds")]
    return json.dumps([details, *tables], default=str)


def test_who_is_on_the_allow_list_is_named_nowhere(
    tmp_path: Path, fuller_traffic: Path, week: Path, both: tuple[Path, str]
) -> None:
    named = members(week)
    allowed = {a for accounts in named.values() for a in sorted(accounts)[::2]}
    seeds = {sorted(accounts)[1] for accounts in named.values()}
    # So that the list has something to hide in each table.
    before = {
        table: {r["account"] for r in read(both[0], table)} for table in ("changes", "history")
    }
    assert all(allowed & names for names in before.values())
    hunt_of(
        fuller_traffic,
        tmp_path / "out",
        previous=week,
        allow=frozenset(allowed),
        seeds=frozenset(seeds),
    )
    assert read(tmp_path / "out", "changes")
    assert read(tmp_path / "out", "seeds")
    said = everything_said_of(tmp_path / "out")
    assert [a for a in allowed if a in said] == []
    rows = {r["account"]: r for r in read(tmp_path / "out", "profiles")}
    assert {rows[a]["cluster"] for a in allowed} == {None}


@pytest.fixture(scope="module")
def organization(
    fuller_traffic: Path, week: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The traffic, with two accounts of a campaign declared to be of one organization."""
    folder = tmp_path_factory.mktemp("organization")
    accounts = pq.read_table(fuller_traffic / "accounts.parquet")
    pair = sorted(max(members(week).values(), key=len))[:2]
    at = accounts.column_names.index("organization")
    theirs = pc.is_in(accounts.column("account"), pa.array(pair))
    owner = pc.if_else(theirs, pa.scalar("Acme"), accounts.column("organization"))
    pq.write_table(accounts.set_column(at, "organization", owner), folder / "accounts.parquet")
    (folder / "exchanges.parquet").symlink_to(fuller_traffic / "exchanges.parquet")
    return folder


def test_an_allowed_account_hides_its_organization(
    tmp_path: Path, organization: Path, week: Path
) -> None:
    pair = sorted(max(members(week).values(), key=len))[:2]
    hunt_of(
        organization,
        tmp_path / "out",
        previous=week,
        allow=frozenset(pair[:1]),
        seeds=frozenset("x"),
    )
    said = everything_said_of(tmp_path / "out")
    assert not [name for name in (*pair, "Acme") if name in said]


def test_an_organization_that_is_gone_stays_hidden(tmp_path: Path, week: Path) -> None:
    """Its account is on the list and in neither these logs nor the accounts table any more."""
    before = copytree(week, tmp_path / "before")
    pair = sorted(max(members(week).values(), key=len))[:2]
    for name in ("accounts", "profiles"):
        table = pq.read_table(before / f"{name}.parquet")
        theirs = pc.is_in(table.column("account"), pa.array(pair))
        owner = pc.if_else(theirs, pa.scalar("Acme"), table.column("entity"))
        at = table.column_names.index("entity")
        pq.write_table(table.set_column(at, "entity", owner), before / f"{name}.parquet")
    for listed in (pair[0], "Acme"):
        history = read_previous(before, None, frozenset([listed])).before.history
        assert history
        assert not {k.account for k in history} & set(pair)


def write_verdicts(path: Path, **verdicts: str) -> Path:
    path.write_text(
        "\n".join(
            json.dumps(
                {
                    "campaign": f"c-{name[1:]}", "verdict": verdict, "reviewer": "[red]R\u202e",
                    "time": "2026-03-16", "reason": "<script>contract</script>",
                }
            )
            for name, verdict in verdicts.items()
        )
    )  # fmt: skip
    return path


def test_verdicts_are_shown_and_remembered_and_change_no_number(
    tmp_path: Path, fuller_traffic: Path, both: tuple[Path, str]
) -> None:
    campaigns = read(both[0], "campaigns")
    # The surer one at face value is confirmed, so that it stays named when the other stands for lawful
    # customers.
    told = json.loads((both[0] / "details.json").read_text())["campaigns"]
    face = {
        name: sum(t["log_odds"] for t in campaign["waterfall"] if t["signal"] != "calibration")
        for name, campaign in told.items()
    }
    order = sorted(range(2), key=lambda i: face[campaigns[i]["campaign"]])
    lawful, confirmed = (campaigns[i]["campaign"] for i in order)
    given_ = {
        f"c{lawful[2:]}": "lawful",
        f"c{confirmed[2:]}": "confirmed",
        "cffffffffffff": "unsure",
    }
    file = write_verdicts(tmp_path / "verdicts.jsonl", **given_)
    out = tmp_path / "out"
    done = start(*given(fuller_traffic), "--previous", both[0], "--verdicts", file, "--out", out)
    assert done.returncode == 10, done.stderr
    printed = " ".join(done.stdout.split())
    assert "1 confirmed, 1 lawful, 1 unsure" in printed
    assert (
        f"{lawful}: lawful, by [red]R⟨U+202E⟩ on 2026-03-16: <script>contract</script>" in printed
    )
    assert "c-ffffffffffff" in printed
    now = read(out, "campaigns")
    for before, after in zip(campaigns, now, strict=True):
        assert after["summary"].startswith(before["summary"])
        assert {k: v for k, v in before.items() if k != "summary"} == {
            k: v for k, v in after.items() if k != "summary"
        }
    assert "judged it lawful on 2026-03-16" in now[order[0]]["summary"]
    page = (out / "report.html").read_text()
    assert "What reviewers concluded" in page
    assert "&lt;script&gt;contract" in page
    assert "<script>contract" not in page
    why = explain_account(out, sorted(members(out)[lawful])[0])
    assert why is not None
    seen = {s.name: s.seen for s in why.signals}
    assert "judged lawful by [red]R" in seen["reviewer"]
    assert lawful in seen["first named"]
    # Remembered where none are given; a number changes only on demand.
    done = start(*given(fuller_traffic), "--previous", out, "--out", out, "--calibrate-on-verdicts")
    assert done.returncode == 10, done.stderr
    printed = " ".join(done.stdout.split())
    assert "Calibrated on 1 confirmed and 1 lawful" in printed
    assert "no longer named: judged lawful" in printed
    assert [r["campaign"] for r in read(out, "campaigns")] == [confirmed]
    record = json.loads((out / "hunt.json").read_text())
    assert record["calibration"]["prior_after"] == pytest.approx((1 + 1) / (2 + 2))
    assert record["prior"]["probability"] == record["calibration"]["prior_after"]
    assert record["parameters"]["prior"] == 0.5
    told = {r["campaign"]: r for r in record["calibration"]["campaigns"]}
    assert told[confirmed]["before"] == campaigns[order[1]]["probability"]
    assert told[confirmed]["after"] < told[confirmed]["before"]
    assert read(out, "campaigns")[0]["probability"] == told[confirmed]["after"]
    why_not = json.loads((out / "details.json").read_text())["clusters"][lawful]["why_not"]
    assert why_not[0] == "a reviewer judged it lawful on 2026-03-16"
    # Its id is kept for it, and it returns under it once the verdict is withdrawn.
    changes = {r["campaign"]: r["change"] for r in read(out, "changes") if r["account"] is None}
    assert changes[lawful] == "no_longer_named"
    hunt_of(fuller_traffic, out, previous=out)
    changes = {r["campaign"]: r["change"] for r in read(out, "changes") if r["account"] is None}
    assert changes[lawful] == "returned"


def test_verdicts_on_accounts_count_for_a_cluster_where_half_of_it_agree(
    tmp_path: Path, fuller_traffic: Path, plain: Path
) -> None:
    campaign, accounts = min(members(plain).items(), key=lambda pair: len(pair[1]))
    entries = [
        {"account": a, "verdict": "lawful", "reviewer": "R", "time": "2026-03-16", "reason": "r"}
        for a in sorted(accounts)
    ]
    few, most = tmp_path / "few.jsonl", tmp_path / "most.jsonl"
    few.write_text("\n".join(map(json.dumps, entries[: len(entries) // 3])))
    most.write_text("\n".join(map(json.dumps, entries)))
    for file, named in ((few, True), (most, False)):
        out = tmp_path / "out"
        result = hunt_of(fuller_traffic, out, verdicts=file, calibrate_on_verdicts=True)
        assert (campaign in result.campaigns.column("campaign").to_pylist()) is named
        assert result.record["calibration"]["lawful"] == (0 if named else 1)


def test_nothing_to_calibrate_on_is_wrong_usage(tmp_path: Path, fuller_traffic: Path) -> None:
    said = refused(*given(fuller_traffic), "--out", tmp_path / "out", "--calibrate-on-verdicts")
    assert "no verdicts" in said
    bad = tmp_path / "bad.csv"
    bad.write_text("campaign,verdict\nc-1,guilty\n")
    said = refused(*given(fuller_traffic), "--out", tmp_path / "out", "--verdicts", bad)
    assert "line 2" in said


def test_an_expired_verdict_is_shown_and_does_nothing(
    tmp_path: Path, fuller_traffic: Path, plain: Path
) -> None:
    campaign = read(plain, "campaigns")[0]["campaign"]
    file = tmp_path / "v.toml"
    file.write_text(
        f'[[verdict]]\ncampaign = "{campaign}"\nverdict = "lawful"\nreviewer = "R"\n'
        'reason = "r"\ntime = 2026-01-01\nexpires = 2026-03-01\n'
    )
    out = tmp_path / "out"
    done = start(
        *given(fuller_traffic), "--out", out, "--verdicts", file, "--calibrate-on-verdicts"
    )
    assert done.returncode == 10, done.stderr
    assert "lawful (expired)" in " ".join(done.stdout.split())
    drop = {"summary"}
    for before, after in zip(read(plain, "campaigns"), read(out, "campaigns"), strict=True):
        assert {k: v for k, v in before.items() if k not in drop} == {
            k: v for k, v in after.items() if k not in drop
        }
