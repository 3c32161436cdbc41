"""alarm.html: one file that opens offline, without scripts."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from stillhunt.errors import InputError
from stillhunt.report.extras import load_extra
from stillhunt.report.files import write_whole
from stillhunt.report.templates import ASSETS
from stillhunt.report.visible import visible

CELL = 200
"""Characters of one value that are shown."""

ROWS = 200
"""Episodes that are listed."""


def write_alarm_page(folder: Path) -> Path:
    """Write ``alarm.html`` beside ``alarm.json``, from that file alone.

    Raises:
        InputError: ``alarm.json`` cannot be read.
        OutputError: the page cannot be written.
        MissingExtraError: the ``report`` extra is not installed.
    """
    source = folder / "alarm.json"
    try:
        document = json.loads(source.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{source} cannot be read: {error}.", "Run stillhunt alarm again."
        ) from error
    page = folder / "alarm.html"
    write_whole(page, render_alarm(document).encode())
    return page


def render_alarm(document: dict[str, Any]) -> str:
    """Render the page; values are made visible, cut and escaped, and nothing in it can run.

    The picture is an image, not markup: what is in it cannot act.
    """
    chart = load_extra("stillhunt.report.charts.alarm")
    converter = load_extra("vl_convert")
    jinja = load_extra("jinja2")
    markup = load_extra("markupsafe").Markup
    svg = converter.vegalite_to_svg(chart.alarm_chart(document), allowed_base_urls=[])
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        finalize=lambda v: visible(v, CELL) if type(v) is str else v,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (ASSETS / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    alarms = sorted(document["episodes"], key=lambda e: (float(e["p"]), -int(e["windows"])))
    text: str = environment.get_template("alarm.html.j2").render(
        document=document,
        alarms=alarms[:ROWS],
        more=max(0, len(alarms) - ROWS),
        style=markup(style),
        style_hash=markup(f"sha256-{digest}"),
        picture=markup(f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"),
        description=chart.describe_alarm(document),
    )
    return text
