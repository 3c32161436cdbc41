"""All kinds of template, and what people write without any. Data only."""

from __future__ import annotations

from stillhunt_simulator.texts.harvests import HARVESTS
from stillhunt_simulator.texts.kind import Kind
from stillhunt_simulator.texts.work import WORK

KINDS: dict[str, Kind] = {**HARVESTS, **WORK}
"""Kinds of template, by the name that scenarios use."""

FREE_FORMS: tuple[tuple[float, str], ...] = (
    (0.22, "<<question:2>>"),
    (0.20, "<<question:1>>\n\n<<prose:9>>"),
    (0.16, "<<prose:5>> <<question:1>>"),
    (0.12, "<<task:2>>"),
    (0.12, "<<task:1>>\n\n<<prose:8>>"),
    (0.09, "<<question:1>>\n\n```\n<<code:8>>\n```"),
    (0.05, "<<problem:4>>"),
    (0.04, "<<record:7>>\n\n<<task:1>>"),
)
"""What people write by hand: weight and form. Answers are as long as in chat."""

COMMON_SYSTEM = ("You are a helpful assistant.", 0.15)
"""The system prompt that strangers copy from the same page, and the share of them that do."""

COURSEWORK: tuple[tuple[float, str], ...] = (
    (0.35, "<<item:problem:3+question:1>>"),
    (0.35, "<<question:1>>\n\n<<item:problem:3+question:1>>"),
    (0.30, "<<item:problem:3+question:1>>\n\n<<prose:3>> <<question:1>>"),
)
"""How students put a set exercise: as it stands, or among words of their own."""
