"""Stillhunt finds, stops and proves distillation campaigns in LLM API traffic."""

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
