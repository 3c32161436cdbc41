"""Stillhunt finds, stops and proves distillation campaigns in LLM API traffic."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stillhunt.campaigns.hunt import HuntResult, hunt
    from stillhunt.campaigns.request import HuntRequest, Progress
    from stillhunt.errors import InputError, OutputError, StillhuntError, UsageError
    from stillhunt.readers import ReadOptions

__all__ = [
    "HuntRequest",
    "HuntResult",
    "InputError",
    "OutputError",
    "Progress",
    "ReadOptions",
    "StillhuntError",
    "UsageError",
    "hunt",
]

_PLACES = {
    "HuntRequest": "campaigns.request",
    "HuntResult": "campaigns.hunt",
    "InputError": "errors",
    "OutputError": "errors",
    "Progress": "campaigns.request",
    "ReadOptions": "readers",
    "StillhuntError": "errors",
    "UsageError": "errors",
    "hunt": "campaigns.hunt",
}


# Imported when asked for (PEP 562): who only verifies evidence needs no engine, and may have none.
def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
