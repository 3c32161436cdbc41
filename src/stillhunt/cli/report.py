"""``stillhunt report``: make the page, or the charts, from a findings folder."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stillhunt.errors import UsageError
from stillhunt.report import write_charts, write_report
from stillhunt.report.visible import visible


class ChartFormat(StrEnum):
    """Image formats of --charts."""

    PNG = "png"
    SVG = "svg"
    BOTH = "both"


def report(
    findings: Annotated[
        Path, typer.Argument(help="Folder written by `stillhunt hunt --out`.", show_default=False)
    ],
    charts: Annotated[
        Path | None,
        typer.Option(help="Write the charts as images into this folder instead of the page."),
    ] = None,
    chart_format: Annotated[
        ChartFormat, typer.Option("--format", help="Of the images.")
    ] = ChartFormat.BOTH,
    price_input: Annotated[
        float | None,
        typer.Option(help="Price of a million input tokens, for what a licence would cost."),
    ] = None,
    price_output: Annotated[
        float | None, typer.Option(help="Price of a million output tokens.")
    ] = None,
) -> None:
    """Write report.html from findings: one page that opens offline.

    \b
    Examples:
      stillhunt report out
      stillhunt report out --price-input 3 --price-output 15
      stillhunt report out --charts images --format svg
    """
    # Plain output: a path may hold anything, also what rich takes for markup.
    console = Console(markup=False, highlight=False, soft_wrap=True)
    if charts is None:
        page = write_report(findings, price_input=price_input, price_output=price_output)
        console.print(visible(str(page), 4096))
        return
    if price_input is not None or price_output is not None:
        raise UsageError(
            "Prices mean nothing for charts.",
            "Leave out --charts, or --price-input and --price-output.",
        )
    formats = ("png", "svg") if chart_format is ChartFormat.BOTH else (chart_format.value,)
    written = write_charts(findings, charts, formats)
    for path in written:
        console.print(visible(str(path), 4096))
    if not written:
        Console(stderr=True, markup=False).print(
            "Nothing to draw: no campaign was found, or details.json is missing."
        )
