from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_findings as made
import pytest

from stillhunt.errors import InputError
from stillhunt.report.details import parse_details
from stillhunt.report.findings import read_findings


def _set(path: list[Any], value: Any) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        for key in path[:-1]:
            body = body[key]
        body[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["score"], 99.0, "waterfall"),
        (["waterfall", 2, "log_odds"], "3", "waterfall[2].log_odds"),
        (["waterfall", 2, "log_odds"], True, "waterfall[2].log_odds"),
        (["hours"], [1] * 23, "hours"),
        (["hours"], [-1] * 24, "hours"),
        (["activity", 0, "day"], "yesterday", "activity[0].day"),
        (["activity"], {}, "activity"),
        (["kinds", 0, "exchanges"], -1, "kinds[0].exchanges"),
        (["network"], None, "network"),
        (["network", "edges", 0, "source"], 7, "network.edges[0].source"),
        (["accounts", 0, "first_seen"], None, "accounts[0].first_seen"),
        (["templates", 0, "parts", 0, "slot"], 1, "templates[0].parts[0].slot"),
        (["innocent_if"], ["a", 1], "innocent_if"),
        (["lifecycle"], 3, "lifecycle"),
        (["lifecycle", "state"], None, "lifecycle.state"),
        (["lifecycle", "joined"], -1, "lifecycle.joined"),
        (["lifecycle", "first_named"], "then", "lifecycle.first_named"),
        (["verdicts"], {}, "verdicts"),
        (["verdicts", 0, "reason"], None, "verdicts[0].reason"),
        (["verdicts", 1, "holds"], "no", "verdicts[1].holds"),
    ],
)
def test_wrong_details_are_named_by_their_path(path: list[Any], value: Any, said: str) -> None:
    body = made.details()
    _set(path, value)(body)
    with pytest.raises(InputError) as caught:
        parse_details({"schema": 1, "campaigns": {"c": body}})
    assert f"campaigns.c.{said}" in caught.value.problem


def test_without_an_earlier_hunt_and_verdicts_there_is_nothing_of_them() -> None:
    body = made.details()
    del body["lifecycle"], body["verdicts"]
    details = parse_details({"schema": 1, "campaigns": {"c": body}})["c"]
    assert details.lifecycle is None
    assert details.reviews == ()


def test_another_schema_is_refused() -> None:
    with pytest.raises(InputError, match="schema"):
        parse_details({"schema": 2, "campaigns": {}})


def test_json_lines_and_parquet_read_the_same(tmp_path: Path) -> None:
    campaigns = {"cmp_a": (9, ""), "cmp_b": (4, "")}
    one = read_findings(made.write(tmp_path / "parquet", campaigns))
    two = read_findings(made.write(tmp_path / "jsonl", campaigns, jsonl=True))
    assert one == two
    assert len(one.campaigns) == 2
    assert {row["campaign"] for row in one.links_of("cmp_b")} == {"cmp_b"}
    assert [row["link"] for row in one.links_of("cmp_b")][:2] == [11, 12]
    assert len(one.accounts_of("cmp_a")) == 9
    assert one.named_accounts() == 9


def test_what_is_missing_or_broken_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        read_findings(tmp_path / "nowhere")
    folder = made.write(tmp_path / "out", {"c": (3, "")})
    for name, content in {
        "hunt.json": b'{"schema": NaN}',
        "details.json": b"[" * 100_000,
        "campaigns.parquet": b"PAR1 no",
    }.items():
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(content)
        with pytest.raises(InputError):
            read_findings(folder)
        (folder / name).write_bytes(kept)
    (folder / "links.parquet").unlink()
    with pytest.raises(InputError, match=r"links\.parquet"):
        read_findings(folder)


def test_a_line_that_lacks_a_column_is_an_error(tmp_path: Path) -> None:
    folder = made.write(tmp_path / "out", {"c": (3, "")}, jsonl=True)
    row = json.loads((folder / "campaigns.jsonl").read_text())
    del row["q_value"]
    (folder / "campaigns.jsonl").write_text(json.dumps(row))
    with pytest.raises(InputError, match="q_value"):
        read_findings(folder)
