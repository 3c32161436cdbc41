from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import hostile
import made_findings as made
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhunt.errors import InputError, UsageError
from stillhunt.report import case, write_case
from stillhunt.report.case_readme import plain
from stillhunt.report.sheet import cell, sheet

FILES = {
    "README.md", "accounts.csv", "campaign.json", "do_not_act.csv", "exemplars.txt", "links.csv",
    "MANIFEST.sha256",
} | {f"charts/{n}.{f}" for n in ("network", "activity", "hours", "kinds", "waterfall", "timeline")
     for f in ("png", "svg")}  # fmt: skip


def _files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_the_folder_is_whole_and_speaks_of_one_campaign(tmp_path: Path) -> None:
    findings = made.write(
        tmp_path / "f", {"cmp_a": (60, ""), "cmp_b": (7, "")}, seeds=["acct_of_others"]
    )
    out = write_case(findings, "cmp_b", tmp_path / "cases" / "b")
    assert _files(out) == FILES
    for line in (out / "MANIFEST.sha256").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    assert len((out / "MANIFEST.sha256").read_text().splitlines()) == len(FILES) - 1
    accounts = list(csv.DictReader((out / "accounts.csv").open(newline="")))
    assert [row["account"] for row in accounts] == [f"acct_{k:04d}" for k in range(6, -1, -1)]
    assert accounts[0]["reasons"] == "template: t_7f3a (+3.10)"
    links = list(csv.DictReader((out / "links.csv").open(newline="")))
    assert len(links) == 11
    assert links[0]["entity_names"] == "ent_0; ent_1; ent_2; ent_3; ent_4"
    spared = list(csv.DictReader((out / "do_not_act.csv").open(newline="")))
    assert [row["account"] for row in spared] == ["acct_campus_17", "acct_lab_02"]
    body = json.loads((out / "campaign.json").read_text())
    assert body["campaign"]["campaign"] == "cmp_b"
    assert "acct_of_others" not in (out / "campaign.json").read_text()
    readme = (out / "README.md").read_text()
    for phrase in (
        "almost certain",
        "Do not act on the 2 accounts",
        "for this to be innocent",
        "sha256sum --check",
    ):
        assert phrase in readme
    assert "Why does ice float?" in (out / "exemplars.txt").read_text()
    assert "3 further prompts are no longer at hand" in (out / "exemplars.txt").read_text()


def test_of_other_campaigns_changes_and_verdicts_nothing_is_said(tmp_path: Path) -> None:
    others = {
        "lifecycle": {"ids": ["cmp_other"]},
        "verdicts": {"unknown_names": ["acct_of_others"]},
        "calibration": {
            "prior_after": 0.625,
            "campaigns": [{"campaign": "cmp_other"}, {"campaign": "cmp_a", "after": 0.75}],
        },
    }
    findings = made.write(tmp_path / "f", {"cmp_a": (6, "")}, **others)
    out = write_case(findings, "cmp_a", tmp_path / "out")
    text = (out / "campaign.json").read_text()
    assert "cmp_other" not in text
    assert "acct_of_others" not in text
    body = json.loads(text)
    assert body["hunt"]["calibration"]["prior_after"] == 0.625
    assert body["hunt"]["calibration"]["campaigns"] == [{"campaign": "cmp_a", "after": 0.75}]
    assert body["lifecycle"]["counts"]["joined"] == 11
    assert body["verdicts"][0]["reason"] == "the operator said so"
    readme = (out / "README.md").read_text()
    assert "11 joined" in readme
    assert "the operator said so" in readme


def test_an_account_that_is_also_to_be_spared_says_so_in_its_row(tmp_path: Path) -> None:
    findings = made.write(tmp_path / "f", {"c": (3, "")})
    body = json.loads((findings / "details.json").read_text())
    body["campaigns"]["c"]["do_not_act"].append({"account": "acct_0001", "why": "a reseller"})
    (findings / "details.json").write_text(json.dumps(body))
    out = write_case(findings, "c", tmp_path / "out")
    rows = {r["account"]: r for r in csv.DictReader((out / "accounts.csv").open(newline=""))}
    assert rows["acct_0001"]["do_not_act"] == "a reseller"
    assert rows["acct_0002"]["do_not_act"] == ""


@pytest.mark.parametrize("name", sorted(hostile.PAYLOADS))
def test_hostile_text_stays_text(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Images have their own test, and are slow.
    monkeypatch.setattr(case, "draw", lambda _details, _formats: {})
    text = hostile.PAYLOADS[name]
    findings = made.write(tmp_path / "f", {text: (3, text)})
    out = write_case(findings, text, tmp_path / "out")
    for file in ("accounts.csv", "links.csv", "do_not_act.csv"):
        with (out / file).open(newline="") as handle:
            for row in list(csv.reader(handle))[1:]:
                assert not [c for c in row if c[:1] in set("=+-@\t\r") and not _is_number(c)]
    for file in ("README.md", "accounts.csv", "exemplars.txt", "campaign.json"):
        content = (out / file).read_text()
        assert not set(content) & set("\0\x1b\x07\x08\x7f\x9b\u202e\u2066\u200b\ufeff\u2028")
    exact = json.loads((out / "campaign.json").read_text())
    assert exact["accounts"][0]["account"] == f"{text}acct_0002"
    readme = (out / "README.md").read_text()
    for bad in ("<script", "<img", "<svg", "<a ", "<http", "](java", "](http", "\n# H"):
        assert bad not in readme.replace("\\<", "").replace("\\]", "")
    prompts = (out / "exemplars.txt").read_text().split("Prompt 1:")[1].split("Prompt 2:")[0]
    assert all(line.startswith("  | ") for line in prompts.strip("\n").splitlines())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=40))
def test_no_text_starts_a_formula(text: str) -> None:
    row = next(
        csv.reader(io.StringIO(sheet(["a"], [[text]]).decode().split("\r\n", 1)[1], newline="")),
        [""],
    )
    assert row[0].lstrip()[:1] not in set("=+-@\t\r")


def test_cells() -> None:
    assert cell("=1+1") == "'=1+1"
    assert cell("  @SUM(A1)") == "'  @SUM(A1)"
    assert cell("\t=1") == "'⟨U+0009⟩=1"
    assert cell(-3.5) == -3.5
    assert cell(None) == ""
    assert cell("acct-1") == "acct-1"


def test_markdown_is_shown_not_obeyed() -> None:
    assert plain("[a](http://x) `b` <i>") == r"\[a\]\(http\://x\) \`b\` \<i\>"
    assert plain("- item") == r"\- item"
    assert plain("20:00 to 04:00, 5-7") == "20:00 to 04:00, 5-7"


def test_never_over_anything_else(tmp_path: Path) -> None:
    findings = made.write(tmp_path / "f", {"c": (3, "")})
    with pytest.raises(UsageError, match="no campaign"):
        write_case(findings, "d", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        write_case(findings, "c", tmp_path / "out")
    assert _files(tmp_path / "out") == {"mine.txt"}
    (findings / "details.json").unlink()
    with pytest.raises(InputError, match=r"details\.json"):
        write_case(findings, "c", tmp_path / "new")


def test_an_interrupted_case_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = made.write(tmp_path / "f", {"c": (3, "")})
    monkeypatch.setattr(case, "draw", lambda _details, _formats: {"network.png": b"x"})
    whole = Path.write_bytes

    def stop(path: Path, content: bytes) -> int:
        if path.name == "network.png":
            raise KeyboardInterrupt
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", stop)
    with pytest.raises(KeyboardInterrupt):
        write_case(findings, "c", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
