"""The charts as PNG and SVG files, made without a network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stillhunt.errors import UsageError
from stillhunt.report.details import CampaignDetails
from stillhunt.report.extras import load_extra
from stillhunt.report.files import write_whole
from stillhunt.report.findings import read_findings

FORMATS = ("png", "svg")

_PIXELS = 2.0
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def write_charts(findings: Path, out: Path, formats: Iterable[str] = FORMATS) -> list[Path]:
    """Write every chart of every campaign as an image, ``CAMPAIGN-CHART.png`` and so on.

    Args:
        findings: a folder that ``stillhunt hunt --out`` has written.
        out: folder for the images; made when missing.
        formats: of FORMATS.

    Returns:
        The files, in order.

    Raises:
        UsageError: an unknown format.
        InputError: the findings cannot be read.
        OutputError: the images cannot be written.
        MissingExtraError: the ``report`` extra is not installed.
    """
    wanted = checked(formats)
    found = read_findings(findings)
    written: list[Path] = []
    names: set[str] = set()
    for number, row in enumerate(found.campaigns, start=1):
        details = found.details.get(row["campaign"])
        name = file_name(row["campaign"])
        if name in names:
            name = f"{name}-{number}"
        names.add(name)
        if details is not None:
            images = draw(details, wanted)
            for image, content in images.items():
                path = out / f"{name}-{image}"
                write_whole(path, content)
                written.append(path)
    return written


def checked(formats: Iterable[str]) -> tuple[str, ...]:
    """Return the formats, without repetition, or raise UsageError for an unknown one."""
    wanted = tuple(dict.fromkeys(formats))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise UsageError(
            f"{', '.join(unknown) or 'Nothing'} is no format for charts.",
            f"Choose of: {', '.join(FORMATS)}.",
        )
    return wanted


def draw(details: CampaignDetails, formats: Iterable[str]) -> Mapping[str, bytes]:
    """Draw a campaign's charts; returns file names (``network.png``) and contents."""
    charts = load_extra("stillhunt.report.charts.campaign")
    images: dict[str, bytes] = {}
    for drawing in charts.campaign_charts(details).values():
        for kind in formats:
            images[f"{drawing.name}.{kind}"] = _convert(drawing.specification, kind)
    return images


def _convert(specification: dict[str, Any], kind: str) -> bytes:
    converter = load_extra("vl_convert")
    # No base URL is allowed: a specification can make the converter fetch nothing.
    if kind == "svg":
        svg: str = converter.vegalite_to_svg(specification, allowed_base_urls=[])
        return svg.encode()
    png: bytes = converter.vegalite_to_png(specification, scale=_PIXELS, allowed_base_urls=[])
    return png


def file_name(campaign: str) -> str:
    """Turn a campaign's id into a name that is safe in any folder."""
    return _UNSAFE.sub("_", campaign[:200])[:60].strip("_") or "campaign"
