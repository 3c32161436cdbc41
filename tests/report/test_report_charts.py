from __future__ import annotations

import json
import math
import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import altair as alt
import hostile
import made_findings as made
import numpy as np
import pytest

from stillhunt.errors import UsageError
from stillhunt.report import write_charts
from stillhunt.report.charts.activity import MOST_BARS, folded
from stillhunt.report.charts.campaign import campaign_charts
from stillhunt.report.charts.layout import force_layout
from stillhunt.report.charts.theme import finish
from stillhunt.report.charts.timeline import MOST_ACCOUNTS, chosen
from stillhunt.report.charts.waterfall import waterfall_rows
from stillhunt.report.details import ActiveDay, CampaignDetails, parse_details

DRAWN = {"svg", "g", "path", "text", "line", "rect", "defs", "clipPath", "title", "tspan"}
NAMES = ["network", "activity", "hours", "kinds", "waterfall", "timeline"]


def _details(**how: Any) -> CampaignDetails:
    return parse_details({"schema": 1, "campaigns": {"c": made.details(**how)}})["c"]


def test_every_chart_is_there_and_described() -> None:
    charts = campaign_charts(_details())
    assert list(charts) == NAMES
    assert all(len(drawing.description) > 30 for drawing in charts.values())
    assert "2026-01-05" in charts["activity"].description


def test_waterfall_bars_join_and_sum_to_the_score() -> None:
    details = _details()
    rows = waterfall_rows(details.waterfall)
    assert math.isclose(math.fsum(r["log_odds"] for r in rows[:-1]), details.score, abs_tol=1e-9)
    assert math.isclose(rows[-1]["end"], details.score, abs_tol=1e-9)
    assert all(a["end"] == b["start"] for a, b in pairwise(rows[:-1]))
    assert all(math.isclose(r["end"] - r["start"], r["log_odds"], abs_tol=1e-9) for r in rows)


def test_layout_is_the_same_every_time_and_inside() -> None:
    edges = np.array([[i, 30 + i % 3] for i in range(30)])
    at = force_layout(33, edges)
    assert at.shape == (33, 2)
    assert np.array_equal(at, force_layout(33, edges))
    assert ((at >= 0) & (at <= 1)).all()
    joined = np.hypot(*(at[edges[:, 0]] - at[edges[:, 1]]).T).mean()
    apart = np.hypot(*(at[:30] - at[30 + (np.arange(30) + 1) % 3]).T).mean()
    assert joined < apart
    for few in (0, 1, 2):
        assert np.isfinite(force_layout(few, np.zeros((0, 2), dtype=np.int64))).all()


def test_a_long_activity_folds_without_losing_exchanges() -> None:
    days = [ActiveDay(date(2020, 1, 1) + timedelta(days=k), 3, k % 5) for k in range(2000)]
    length, bars = folded(days)
    assert len(bars) <= MOST_BARS
    assert length == 7
    assert sum(bar["exchanges"] for bar in bars) == 6000
    assert folded(days[:30])[0] == 1
    assert folded([]) == (1, [])


def test_timeline_takes_the_busiest_in_order_of_joining() -> None:
    spans = _details(accounts=120).accounts
    shown = chosen(spans)
    assert len(shown) == MOST_ACCOUNTS
    least = min(row.campaign_exchanges for row in shown)
    assert all(row.campaign_exchanges <= least for row in spans if row not in shown)
    assert [row.first_seen for row in shown] == sorted(row.first_seen for row in shown)


def _strings(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _strings(inner, f"{path}.{key}")]
    if isinstance(value, list):
        return [pair for inner in value for pair in _strings(inner, path)]
    return [(path, value)] if isinstance(value, str) else []


def test_data_never_reach_an_expression_a_link_or_a_scale() -> None:
    import vl_convert

    for drawing in campaign_charts(_details(accounts=12, text="ZQX'\"]+")).values():
        compiled = vl_convert.vegalite_to_vega(drawing.specification)
        places = {path for path, text in _strings(compiled) if "ZQX" in text}
        allowed = r"\.description|\.data\.values\.(label|name|account)"
        assert all(re.fullmatch(allowed, path) for path in places), (drawing.name, places)
        assert not [
            path for path, _ in _strings(compiled) if path.endswith((".href", ".url", ".image"))
        ]


def test_finish_makes_visible_what_a_chart_forgot() -> None:
    forgotten = [{"name": "a\u202eb\0" + "x" * 10_000}]
    chart = alt.Chart(alt.InlineData(values=forgotten)).mark_text().encode(text="name:N")
    said = finish(chart, "a\u2066b")
    text = json.dumps(said, ensure_ascii=False)
    assert "a⟨U+202E⟩b⟨U+0000⟩xxx" in text
    assert "a⟨U+2066⟩b" in text
    assert len(text) < 3000


def test_images_are_images_and_hostile_text_stays_text(tmp_path: Path) -> None:
    text = hostile.PAYLOADS["svg"] + hostile.PAYLOADS["end_script"]
    folder = made.write(tmp_path / "f", {"../../e\0vil": (4, text), "cmp_ok": (4, "")})
    out = tmp_path / "images"
    written = write_charts(folder, out)
    assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in written)
    assert {p.stem for p in written} == {f"{c}-{n}" for c in ("e_vil", "cmp_ok") for n in NAMES}
    for path in written:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
            assert path.stat().st_size > 2000
            continue
        for element in ET.fromstring(path.read_text()).iter():  # noqa: S314
            assert element.tag.rpartition("}")[2] in DRAWN
            assert not [k for k in element.attrib if k.lower().startswith("on") or "href" in k]
    drawn = ET.fromstring((out / "e_vil-waterfall.svg").read_text()).itertext()  # noqa: S314
    assert any(hostile.PAYLOADS["svg"] in words for words in drawn)


def test_two_campaigns_never_share_a_file(tmp_path: Path) -> None:
    folder = made.write(tmp_path / "f", {"a/b": (2, ""), "a.b": (2, "")})
    assert len(set(write_charts(folder, tmp_path / "i", ["svg"]))) == 2 * len(NAMES)


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    folder = made.write(tmp_path / "f", {"c": (2, "")})
    for formats in (["gif"], []):
        with pytest.raises(UsageError):
            write_charts(folder, tmp_path / "i", formats)
