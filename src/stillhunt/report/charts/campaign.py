"""All charts of one campaign, in the order in which a reader wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stillhunt.report.charts.activity import activity_chart
from stillhunt.report.charts.hours import hours_chart
from stillhunt.report.charts.kinds import kinds_chart
from stillhunt.report.charts.network import network_chart
from stillhunt.report.charts.timeline import timeline_chart, timeline_note
from stillhunt.report.charts.waterfall import waterfall_chart
from stillhunt.report.details import CampaignDetails


@dataclass(frozen=True)
class Drawing:
    """A chart: its name (also the stem of its file), what it shows in words, its Vega-Lite.

    ``note`` says what the chart leaves out; empty where it leaves out nothing.
    """

    name: str
    description: str
    specification: dict[str, Any]
    note: str = ""


def campaign_charts(details: CampaignDetails) -> dict[str, Drawing]:
    """Draw every chart of a campaign for which there is something to draw, by name."""
    made: dict[str, dict[str, Any]] = {}
    if details.network.nodes:
        made["network"] = network_chart(details.network)
    if details.activity:
        made["activity"] = activity_chart(details.activity)
    if any(details.hours):
        made["hours"] = hours_chart(details.hours)
    if details.kinds:
        made["kinds"] = kinds_chart(details.kinds)
    if details.waterfall:
        made["waterfall"] = waterfall_chart(details.waterfall)
    if details.accounts:
        made["timeline"] = timeline_chart(details.accounts)
    notes = {"timeline": timeline_note(details.accounts)}
    return {
        name: Drawing(name, specification["description"], specification, notes.get(name, ""))
        for name, specification in made.items()
    }
