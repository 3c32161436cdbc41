"""The page in plain words at the head of a case folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from stillhunt.report.details import CampaignDetails
from stillhunt.report.extras import load_extra
from stillhunt.report.templates import ASSETS, NUMBERS
from stillhunt.report.visible import visible

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#!|~&$@]|:(?=//)|(?i:(?<=www))\.|^[-+=])")


def plain(text: str, limit: int = 600) -> str:
    """Text that Markdown shows as it is: visible, cut, every character of markup escaped."""
    return _MARKUP.sub(r"\\\1", visible(text, limit))


def case_readme(row: Mapping[str, Any], details: CampaignDetails, hunt: Mapping[str, Any]) -> str:
    """Write README.md of a case folder.

    Args:
        row: the campaign's row of the campaigns table.
        details: the same campaign of details.json.
        hunt: hunt.json.

    Raises:
        MissingExtraError: the ``report`` extra is not installed.
    """
    text: str = _template().render(row=row, details=details, hunt=hunt)
    return text


@cache
def _template() -> Any:
    jinja = load_extra("jinja2")
    markup = load_extra("markupsafe").Markup

    def shown(value: object) -> object:
        # Only what `excerpt` has made plain, and what this package has worded, passes as it is.
        return value if isinstance(value, markup) or not isinstance(value, str) else plain(value)

    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(ASSETS),
        autoescape=False,
        undefined=jinja.StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["excerpt"] = lambda text, limit: markup(plain(text, limit))
    environment.filters |= NUMBERS
    return environment.get_template("case.md.j2")
