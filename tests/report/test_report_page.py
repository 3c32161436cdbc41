from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import hostile
import made_findings as made
import pytest

from stillhunt.errors import InputError, MissingExtraError
from stillhunt.report import write_report
from stillhunt.report.page import script_json
from stillhunt.report.view import MOST_CAMPAIGNS


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inside: str | None = None
        self.ids: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.inside = tag if tag in {"script", "style"} else self.inside
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if found.get("href"):
            self.targets.append(str(found["href"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == self.inside:
            self.inside = None

    def handle_data(self, data: str) -> None:
        if self.inside is None:
            self.words.append(data)


def _read(page: Path) -> _Words:
    parser = _Words()
    parser.feed(page.read_text())
    return parser


def _text(page: Path) -> str:
    return re.sub(r"\s+", " ", " ".join(_read(page).words))


def _charts(page: Path) -> dict[str, Any]:
    body = page.read_text().split('id="chart-data">', 1)[1].split("</script>", 1)[0]
    charts: dict[str, Any] = json.loads(body)
    return charts


def test_headline_sums_up_and_prices(tmp_path: Path) -> None:
    folder = made.write(tmp_path, {"cmp_a": (60, ""), "cmp_b": (25, "")})
    said = _text(write_report(folder, price_input=3, price_output=15))
    assert "2 distillation campaigns found" in said
    for number in (
        "48,000",
        "between 47,300 and 48,820",
        "88,400,000",
        "28,800,000 in, 59,600,000 out",
        "980",
    ):
        assert number in said
    for phrase in (
        "almost certain", "more than 99.9 %",
        "p = 3.2 \u00d7 10⁻⁴¹", "it cannot be below 0.032",
        "q = 4.4 \u00d7 10⁻³⁹", "What would have to be true for this to be innocent",
        "Do not act on", "acct_campus_17", "20 more are not", "68 of 280 are drawn",
        "9f9f9f",
        "A campaign of 6 accounts with 40 exchanges", "tls_fingerprint", "grades and preferences",
        "split from cmp_old; accounts: 11 joined, 4 left, 2 left and were replaced.",
        "3.2 days in the middle, 6.5 at the longest", "the operator said so", "lawful (expired)",
    ):  # fmt: skip
        assert phrase in said, phrase
    assert "no price given" in _text(write_report(folder))


def test_the_waterfall_that_is_drawn_sums_to_the_score(tmp_path: Path) -> None:
    folder = made.write(tmp_path, {"cmp_a": (6, "")})
    score = json.loads((folder / "details.json").read_text())["campaigns"]["cmp_a"]["score"]
    chart = _charts(write_report(folder))["chart-1-waterfall"]
    rows = next(rows for rows in chart["datasets"].values() if "log_odds" in rows[0])
    assert math.isclose(math.fsum(row["log_odds"] for row in rows[:-1]), score, abs_tol=1e-9)
    assert math.isclose(rows[-1]["end"], score, abs_tol=1e-9)


def test_a_waterfall_that_does_not_sum_is_not_shown(tmp_path: Path) -> None:
    folder = made.write(tmp_path, {"cmp_a": (6, "")})
    page = write_report(folder)
    before = page.read_bytes()
    body = json.loads((folder / "details.json").read_text())
    body["campaigns"]["cmp_a"]["score"] += 0.01
    (folder / "details.json").write_text(json.dumps(body))
    with pytest.raises(InputError, match="waterfall"):
        write_report(folder)
    assert page.read_bytes() == before
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_nothing_found_says_what_was_looked_at(tmp_path: Path) -> None:
    page = write_report(made.write(tmp_path, {}))
    said = _text(page)
    for phrase in (
        "No distillation campaign was found", "200,000", "clusters tested", "tls_fingerprint",
        "A campaign of 6 accounts with 40 exchanges", "no proof that there is none",
    ):  # fmt: skip
        assert phrase in said, phrase
    assert "<script" not in page.read_text()
    assert page.stat().st_size < 30_000


def test_nothing_found_and_nothing_measured_is_not_dressed_up(tmp_path: Path) -> None:
    said = _text(write_report(made.write(tmp_path, {}, smallest_detectable=None, inputs=None)))
    assert "was not measured" in said


@pytest.mark.parametrize("digest", [None, ""])
def test_inputs_that_nobody_digested_say_so(tmp_path: Path, digest: str | None) -> None:
    given = {"path": "s3a://bucket/a.parquet", "sha256": digest, "bytes": 0, "rows": 5}
    said = _text(write_report(made.write(tmp_path, {}, inputs=[given])))
    assert re.search(r"s3a://bucket/a.parquet +not recorded", said)


def test_findings_from_seeds_stand_apart(tmp_path: Path) -> None:
    folder = made.write(
        tmp_path, {"cmp_a": (3, "")}, seeds=[{"account": "acct_known", "found": 12}]
    )
    said = _text(write_report(folder))
    assert "the bound on false findings does not cover them" in said
    assert "acct_known" in said


def test_prompts_that_are_no_longer_at_hand_are_missed(tmp_path: Path) -> None:
    text = _text(write_report(made.write(tmp_path, {"cmp_a": (3, "")})))
    assert text.count("Its prompts are no longer at hand") == 1
    assert "Further prompts are no longer" not in text


def test_without_details_the_tables_still_speak(tmp_path: Path) -> None:
    folder = made.write(tmp_path, {"cmp_a": (3, "")})
    (folder / "details.json").unlink()
    page = write_report(folder)
    assert "kept no pictures" in _text(page)
    assert "Strongest links" in _text(page)


def test_the_policy_names_exactly_the_scripts_and_the_style(tmp_path: Path) -> None:
    html = write_report(made.write(tmp_path, {"cmp_a": (3, "")})).read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]

    def digests(tag: str) -> set[str]:
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        return {
            "sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
            for body in bodies
        }

    assert digests("script") | digests("style") == set(re.findall(r"sha256-[\w+/=]+", policy[1]))
    assert len(digests("script")) == 2


def test_every_link_leads_to_this_page_and_ids_are_unique(tmp_path: Path) -> None:
    campaigns = {f"cmp_{k}": (3, "") for k in range(MOST_CAMPAIGNS + 3)}
    read = _read(write_report(made.write(tmp_path, campaigns)))
    assert len(read.ids) == len(set(read.ids))
    assert read.targets == [f"#campaign-{k}" for k in range(1, MOST_CAMPAIGNS + 1)]
    assert {target[1:] for target in read.targets} <= set(read.ids)


def test_the_page_stays_small_when_flooded(tmp_path: Path) -> None:
    some = 4
    flood = {f"c{k}": (150, hostile.PAYLOADS["fetch"] * 3) for k in range(some)}
    page = write_report(made.write(tmp_path, flood))
    bundle = max(re.findall(r"<script>(.*?)</script>", page.read_text(), re.DOTALL), key=len)
    assert page.stat().st_size - len(bundle.encode()) < 3_000_000 * some / MOST_CAMPAIGNS


def test_chart_data_hold_no_markup() -> None:
    text = script_json({"a": "</script><!-- & \u2028\u202e"})
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"a": "</script><!-- & \u2028\u202e"}


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made.write(tmp_path, {"cmp_a": (3, "")})
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    from stillhunt.report import page

    page._bundle.cache_clear()
    with pytest.raises(MissingExtraError, match=r"stillhunt\[report\]"):
        write_report(folder)


def test_importing_the_report_needs_no_extra() -> None:
    code = (
        "import sys\n"
        "for name in ('altair', 'jinja2', 'markupsafe', 'vl_convert'): sys.modules[name] = None\n"
        "import stillhunt.report, stillhunt.cli.report, stillhunt.cli.case"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
