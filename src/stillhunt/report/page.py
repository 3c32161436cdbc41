"""report.html: one file that opens offline and in which nothing injected can run."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache, partial
from pathlib import Path
from typing import Any

from stillhunt.report.extras import load_extra
from stillhunt.report.files import write_whole
from stillhunt.report.findings import Findings, read_findings
from stillhunt.report.price import Price, price_of
from stillhunt.report.templates import ASSETS, NUMBERS
from stillhunt.report.view import report_view
from stillhunt.report.visible import visible
from stillhunt.scoring.calibration import ICD_203

CELL = 400
"""Characters of one value that are shown, unless its place says otherwise."""


def write_report(
    findings: Path, *, price_input: float | None = None, price_output: float | None = None
) -> Path:
    """Write ``report.html`` into a findings folder, replacing the one that is there.

    Args:
        findings: a folder that ``stillhunt hunt --out`` has written.
        price_input: price of a million input tokens, for what a licence would have cost.
        price_output: price of a million output tokens; both or neither.

    Returns:
        The page's path.

    Raises:
        UsageError: only one price, or not a price.
        InputError: the findings cannot be read.
        OutputError: the page cannot be written.
        MissingExtraError: the ``report`` extra is not installed.
    """
    price = price_of(price_input, price_output)
    page = findings / "report.html"
    write_whole(page, render(read_findings(findings), price).encode())
    return page


def render(findings: Findings, price: Price | None) -> str:
    """Render the page.

    Every value is made visible and cut, then escaped; chart data travel as JSON that holds no
    markup; the policy allows this page's own scripts and style sheet, by their hashes.
    """
    view = report_view(findings, price)
    specifications = {
        f"chart-{campaign.number}-{name}": drawing.specification
        for campaign in view.campaigns
        for name, drawing in campaign.charts.items()
    }
    markup = load_extra("markupsafe").Markup
    style = _asset("report.css")
    scripts = [_bundle(), _asset("draw.js")] if specifications else []
    text: str = _template().render(
        view=view,
        icd_203=ICD_203,
        style=markup(style),
        style_hash=_hash(style),
        scripts=[(markup(script), _hash(script)) for script in scripts],
        chart_data=markup(script_json(specifications)),
    )
    return text


@cache
def _template() -> Any:
    jinja = load_extra("jinja2")
    markup, escape = load_extra("markupsafe").Markup, load_extra("markupsafe").escape

    def shown(value: object) -> object:
        plain = isinstance(value, str) and not isinstance(value, markup)
        return visible(str(value), CELL) if plain else value

    def excerpt(text: str, limit: int, *, lines: bool = False) -> object:
        return escape(visible(text, limit, lines=lines))

    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["excerpt"] = excerpt
    environment.filters["passage"] = partial(excerpt, lines=True)
    environment.filters |= NUMBERS
    return environment.get_template("report.html.j2")


def script_json(value: Any) -> str:
    """JSON that can stand in a script element: ASCII only, and no ``<``, ``>`` or ``&``."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _bundle() -> str:
    bundle: str = load_extra("vl_convert").javascript_bundle()
    # Neither occurs today; either would change where the script element ends.
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
