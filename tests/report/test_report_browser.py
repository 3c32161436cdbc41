"""Opens the page in a real browser and sees that nothing ran, and that the charts did."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import hostile
import made_findings as made
import pytest

from stillhunt.report import write_report

CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

CHARTS = 6


def _open(page: Path, *what: str) -> str:
    profile = page.parent / f"profile-{len(list(page.parent.iterdir()))}"
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", f"--user-data-dir={profile}", "--virtual-time-budget=20000",
            "--window-size=1200,4000", "--enable-logging=stderr", *what, page.as_uri(),
        ],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    shutil.rmtree(profile, ignore_errors=True)
    messages = [line for line in done.stderr.decode().splitlines() if ":CONSOLE:" in line]
    return "\n".join(messages) if "--screenshot" in " ".join(what) else done.stdout.decode()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.title = ""
        self.text: list[str] = []
        self.drawn: list[str] = []
        self.tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.tag = tag

    def handle_data(self, data: str) -> None:
        if self.tag in {"text", "tspan"}:
            self.drawn.append(data)
        if self.tag == "title":
            self.title += data
            self.tag = ""
        elif self.tag not in {"script", "style"}:
            self.text.append(data)


def _parse(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    return page


def _hostile(folder: Path) -> Path:
    campaigns = {f"{text}{name}": (5, text) for name, text in hostile.PAYLOADS.items()}
    # Browsers draw a campaign's charts in a blink; twenty are shown in full.
    made.write(
        folder, dict(list(campaigns.items())[:20]), hunt_text="".join(hostile.PAYLOADS.values())
    )
    return write_report(folder, price_input=3, price_output=15)


def test_nothing_hostile_runs_and_every_chart_is_drawn(tmp_path: Path) -> None:
    report = _hostile(tmp_path)
    dom = _open(report, "--dump-dom")
    page = _parse(dom)
    assert page.title == "Stillhunt report"
    assert page.tags["script"] == 3
    assert page.tags["style"] == 1
    assert not {"iframe", "img", "image", "object", "embed", "foreignobject", "b", "body2"} & set(
        page.tags
    )
    assert not [a for a in page.attributes if a[1].startswith(("on", "data-pwned", "autofocus"))]
    links = [value for _, name, value in page.attributes if name.endswith("href") or name == "src"]
    assert links
    assert all(re.fullmatch(r"#campaign-\d+", str(link)) for link in links)
    drawn = [a for a in page.attributes if a[:2] == ("svg", "class") and "marks" in str(a[2])]
    assert len(drawn) == 20 * CHARTS
    labels = "".join(page.drawn)
    for name in ("handler", "svg", "marker", "template", "expression"):
        assert hostile.PAYLOADS[name][:20] in labels
    said = "".join(page.text)
    assert "could not be drawn" not in said
    assert "{{7*7}}{% for x in [] %}" in said
    assert hostile.PAYLOADS["script"] in said
    assert "⟨U+202E⟩evil" in said
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\x00\x1b]", dom)


def test_a_megabyte_in_every_place_is_cut(tmp_path: Path) -> None:
    made.write(tmp_path, {"c": (2, "A" * 1_000_000)})
    page = _parse(_open(write_report(tmp_path), "--dump-dom"))
    assert len([a for a in page.attributes if a[:2] == ("svg", "class")]) == CHARTS
    assert sum(map(len, page.text)) < 100_000


def test_what_gets_past_escaping_is_stopped_by_the_policy(tmp_path: Path) -> None:
    report = write_report(made.write(tmp_path, {"c": (3, "")}))
    injected = "".join(
        hostile.PAYLOADS[name] for name in ("script", "handler", "svg", "frame", "fetch")
    )
    broken = tmp_path / "broken.html"
    broken.write_text(report.read_text().replace("</main>", injected + "</main>"))
    page = _parse(_open(broken, "--dump-dom"))
    assert page.tags["script"] == 4
    assert page.title == "Stillhunt report"
    # The same without the policy does run: the test can tell.
    open_door = tmp_path / "open.html"
    open_door.write_text(re.sub(r"<meta http-equiv[^>]*>", "", broken.read_text()))
    assert _parse(_open(open_door, "--dump-dom")).title == "PWNED"


def test_screenshot_without_a_word_of_complaint(tmp_path: Path) -> None:
    report = write_report(
        made.write(tmp_path, {"cmp_3f9a": (60, "")}), price_input=3, price_output=15
    )
    image = tmp_path / "report.png"
    assert _open(report, f"--screenshot={image}") == ""
    assert image.read_bytes().startswith(b"\x89PNG")
    assert image.stat().st_size > 100_000
