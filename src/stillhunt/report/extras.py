"""Loads what only the report needs, when it is needed."""

from __future__ import annotations

import importlib
from typing import Any

from stillhunt.errors import MissingExtraError

_OF_THE_EXTRA = frozenset({"altair", "jinja2", "markupsafe", "typst", "vl_convert"})


def load_extra(module: str) -> Any:
    """Import a module that needs the packages of the ``report`` extra.

    Raises:
        MissingExtraError: one of those packages is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _OF_THE_EXTRA:
            raise
        raise MissingExtraError(
            f"The report needs the package {missing}, which is not installed.",
            "Run: pip install 'stillhunt[report]'",
        ) from error
