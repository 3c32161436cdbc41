"""Verdict files, honest and hostile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.campaigns.verdicts import ReviewerVerdict, from_rows, read_verdicts
from stillhunt.errors import InputError
from stillhunt.records.pseudonyms import Pseudonymiser

ENTRY = {
    "campaign": "c-0ef4fdfeba3a",
    "verdict": "lawful",
    "reviewer": "A. Reviewer",
    "time": "2026-01-09T10:00:00Z",
    "reason": "contract seen",
}
EXPECTED = ReviewerVerdict(
    "campaign",
    "c-0ef4fdfeba3a",
    "lawful",
    "A. Reviewer",
    datetime(2026, 1, 9, 10, tzinfo=UTC),
    "contract seen",
)


def written(path: Path, *entries: object) -> Path:
    path.write_text("\n".join(e if isinstance(e, str) else json.dumps(e) for e in entries) + "\n")
    return path


def test_all_formats_say_the_same(tmp_path: Path) -> None:
    toml = written(
        tmp_path / "v.toml",
        "# reviewers' meeting",
        "[[verdict]]",
        *(f"{k} = {json.dumps(v)}" for k, v in ENTRY.items()),
    )
    lines = written(tmp_path / "v.jsonl", "", ENTRY)
    table = written(tmp_path / "v.csv", ",".join(ENTRY), ",".join(ENTRY.values()))
    marked = tmp_path / "w.csv"
    marked.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    for path in (toml, lines, table, marked):
        assert read_verdicts(path) == (EXPECTED,)
    assert from_rows([EXPECTED.row()]) == (EXPECTED,)


@pytest.mark.parametrize("change", [{"verdict": "[red]guilty"}, {"subject": "nation"}])
def test_a_table_that_was_tampered_with_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(InputError, match="table verdicts"):
        from_rows([EXPECTED.row() | change])


def test_toml_times_and_dates_and_an_end(tmp_path: Path) -> None:
    path = written(
        tmp_path / "v.toml",
        '[[verdict]]\naccount = "a"\nverdict = "unsure"\nreviewer = "R"\nreason = "r"\n'
        "time = 2026-01-09T12:00:00+02:00\nexpires = 2026-02-01",
    )
    (verdict,) = read_verdicts(path)
    assert verdict.time == datetime(2026, 1, 9, 10, tzinfo=UTC)
    assert verdict.expires == datetime(2026, 2, 1, tzinfo=UTC)
    assert verdict.holds(datetime(2026, 1, 31, 23, tzinfo=UTC))
    assert not verdict.holds(datetime(2026, 2, 1, tzinfo=UTC))


def test_the_latest_on_one_subject_stays(tmp_path: Path) -> None:
    later = ENTRY | {"verdict": "confirmed", "time": "2026-02-01"}
    other = {k: v for k, v in ENTRY.items() if k != "campaign"} | {"account": "c-0ef4fdfeba3a"}
    for order in ((ENTRY, later, other), (other, later, ENTRY)):
        found = read_verdicts(written(tmp_path / "v.jsonl", *order))
        assert [(v.subject, v.verdict) for v in found] == [
            ("account", "lawful"),
            ("campaign", "confirmed"),
        ]
    assert read_verdicts(written(tmp_path / "v.jsonl", ENTRY, ENTRY)) == (EXPECTED,)


BAD_ENTRIES = {
    "no subject": ({"campaign": None}, "neither"),
    "two subjects": ({"account": "a"}, "campaign and account"),
    "no verdict": ({"verdict": None}, "no verdict"),
    "another verdict": ({"verdict": "guilty"}, "'guilty'"),
    "a verdict that is a list": ({"verdict": ["lawful"]}, "no verdict"),
    "no reviewer": ({"reviewer": None}, "reviewer"),
    "an empty reviewer": ({"reviewer": "  "}, "reviewer"),
    "no time": ({"time": None}, "no time"),
    "a time in words": ({"time": "yesterday"}, "'yesterday'"),
    "a number for a time": ({"time": 1767952800}, "no time"),
    "a time out of range": ({"time": "0001-01-01T00:00:00+23:59"}, "out of range"),
    "no reason": ({"reason": None}, "reason"),
    "a reason of a novel's length": ({"reason": "x" * 3000}, "2,000"),
    "half a character": ({"reason": "\ud800"}, "half"),
    "ends before it begins": ({"expires": "2025-01-01"}, "expires"),
    "a column that means nothing": ({"verdikt": "lawful"}, "'verdikt'"),
    "a hidden name": ({"na\u202eme": "x"}, "\\\\u202e"),
}


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_every_mistake_is_told_with_its_line_and_remedy(tmp_path: Path, name: str) -> None:
    change, said = BAD_ENTRIES[name]
    bad = {k: v for k, v in (ENTRY | change).items() if v is not None}
    other = ENTRY | {"campaign": "c-1"}
    with pytest.raises(InputError) as caught:
        read_verdicts(written(tmp_path / "v.jsonl", other, "", bad))
    assert "v.jsonl, line 3:" in caught.value.problem
    assert said.replace("\\\\", "\\") in caught.value.problem
    assert caught.value.remedy
    assert caught.value.problem.isprintable()
    if name in ("a verdict that is a list", "half a character", "a hidden name"):
        return
    lines = [f"{k} = {json.dumps(v)}" for k, v in bad.items()]
    with pytest.raises(InputError, match=r"v\.toml, line 2:"):
        read_verdicts(written(tmp_path / "v.toml", "# first", "[[verdict]]", *lines))


BAD_FILES = {
    "no JSON": ("v.jsonl", b'{"campaign": \n', 1),
    "a list": ("v.jsonl", b"\n[]\n", 2),
    "very deep": ("v.jsonl", b"[" * 100_000, 1),
    "not UTF-8": ("v.jsonl", b"{}\n\xff\n", 2),
    "no TOML": ("v.toml", b'[[verdict]]\ncampaign = "a\n', 2),
    "another table": ("v.toml", b"\n\n[verdicts]\nx = 1\n", 3),
    "a verdict that is a number": ("v.toml", b"verdict = 3\n", 1),
    "too many fields": ("v.csv", b"campaign,verdict\nc-1,lawful,more\n", 2),
    "too few fields": ("v.csv", b"campaign,verdict\n\nc-1\n", 3),
    "an open quote": ("v.csv", b'campaign,verdict\n"c-1,lawful\n', 2),
    "a huge field": ("v.csv", b"campaign,verdict\n" + b"x" * 200_000 + b",lawful\n", 2),
    "an empty row of fields": ("v.csv", b"campaign,verdict\n,\n", 2),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_is_no_such_file_is_told_with_its_line(tmp_path: Path, name: str) -> None:
    file, content, line = BAD_FILES[name]
    path = tmp_path / file
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_verdicts(path)
    assert f"{file}, line {line}:" in caught.value.problem
    assert caught.value.problem.isprintable()


def test_a_csv_row_over_several_lines_is_told_by_its_first(tmp_path: Path) -> None:
    rows = ['c-1,lawful,R,2026-01-09,"one\ntwo"', 'c-2,guilty,R,2026-01-09,"one\ntwo\nthree"']
    path = written(tmp_path / "v.csv", ",".join(ENTRY), *rows)
    with pytest.raises(InputError, match=r"v\.csv, line 4:"):
        read_verdicts(path)


def test_verdicts_that_contradict_each_other_name_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "v.jsonl", ENTRY, ENTRY | {"verdict": "confirmed"})
    with pytest.raises(InputError, match=r"line 2: .* line 1"):
        read_verdicts(path)


def test_other_kinds_of_file_and_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_verdicts(tmp_path / "v.toml")
    with pytest.raises(InputError, match="neither"):
        read_verdicts(written(tmp_path / "v.yaml", "verdict: lawful"))
    (tmp_path / "large.csv").write_bytes(b"x" * (17 << 20))
    with pytest.raises(InputError, match="larger than"):
        read_verdicts(tmp_path / "large.csv")
    assert read_verdicts(written(tmp_path / "empty.toml", "")) == ()


def test_names_become_pseudonyms_unless_they_are(tmp_path: Path) -> None:
    key = Pseudonymiser(np.random.default_rng(1).bytes(32))
    hidden = key.pseudonym("account", "somebody")
    base = {k: v for k, v in ENTRY.items() if k != "campaign"}
    entries = [
        base | {"account": "somebody"},
        base | {"account": hidden},
        base | {"organization": "Acme"},
        ENTRY,
    ]
    found = read_verdicts(written(tmp_path / "v.jsonl", *entries), key)
    assert {(v.subject, v.name) for v in found} == {
        ("account", hidden),
        ("organization", key.pseudonym("organization", "Acme")),
        ("campaign", "c-0ef4fdfeba3a"),
    }


@given(st.binary(max_size=200), st.sampled_from([".toml", ".jsonl", ".csv"]))
def test_no_bytes_are_a_crash(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(content)
    try:
        read_verdicts(path)
    except InputError as error:
        told = error.problem
    else:
        return
    assert told.isprintable()
    assert "line " in told
