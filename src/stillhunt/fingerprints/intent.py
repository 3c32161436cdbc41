"""What prompts ask for: kinds of harvest and ordinary use, from cue masks.

Layer 2. A multinomial logistic model whose only inputs are the cue groups of ``cues.py``: no words,
no lengths, no languages. Classes are the nine kinds of harvest and several kinds of ordinary use,
which are added up into one "ordinary" outcome. There are no intercepts: before any cue is seen
harvest and ordinary are even, and a prompt without cues leaves them even: missing is no evidence.

The shipped weights start from what each group was written down for (``CueGroup.speaks_for``) and
were moved by public sources, every kind and every source in it weighing the same, under a ridge;
then shrunk by one factor so that probabilities hold best for sources that had been left out.
``python benchmarks/intent.py CORPORA --fit`` makes them, and prints how left-out sources fare.

What it cannot tell, for the requests are alike: a leaderboard's LLM-as-judge from grading for a
reward model; a few-shot reasoning benchmark from collecting traces; an agent product from recording
trajectories; single plain instructions, questions or coding tasks collected for training from those
of a person in a chat; queries made to copy a small classifier. It is meant to be pooled over what
many accounts send, as one voice among others, never to judge one request.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from stillhunt.errors import UsageError
from stillhunt.fingerprints.cues import CUE_GROUPS
from stillhunt.records.findings import KINDS

ORDINARY = "ordinary"
"""Name of the last outcome of ``kind_log_odds``."""

OUTCOMES: tuple[str, ...] = (*KINDS, ORDINARY)
"""Outcomes of ``kind_log_odds``, in the order of its columns."""

_ROWS_AT_ONCE = 65536


@dataclass(frozen=True)
class IntentWeights:
    """A fitted model.

    Attributes:
        classes: the kinds of harvest in the order of ``KINDS``, then the kinds of ordinary use.
        table: float64 (groups, classes), natural log-odds that a group's presence adds to a class;
            rows in the order of ``CUE_GROUPS``.
    """

    classes: tuple[str, ...]
    table: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.classes[: len(KINDS)] != KINDS or len(self.classes) == len(KINDS):
            raise UsageError(
                "Classes of intent weights do not begin with, or stop at, the kinds of harvest.",
                "Fit the weights again with benchmarks/intent.py --fit.",
            )
        if self.table.shape != (len(CUE_GROUPS), len(self.classes)):
            raise UsageError(
                f"Intent weights have shape {self.table.shape}, not one row a cue group.",
                "Fit the weights again with benchmarks/intent.py --fit.",
            )


def read_weights(text: str) -> IntentWeights:
    """Read weights from JSON with ``classes`` and ``weights`` (group name to numbers).

    Raises:
        UsageError: the groups are not those of ``CUE_GROUPS``, or the numbers do not fit.
    """
    document = json.loads(text)
    names = [group.name for group in CUE_GROUPS]
    if list(document["weights"]) != names:
        raise UsageError(
            "The cue groups of the intent weights are not those of this version.",
            "Fit the weights again with benchmarks/intent.py --fit.",
        )
    table = np.array([document["weights"][name] for name in names], dtype=np.float64)
    return IntentWeights(tuple(document["classes"]), table)


@functools.cache
def shipped_weights() -> IntentWeights:
    """Return the weights that come with the package."""
    return read_weights(
        files("stillhunt.fingerprints").joinpath("intent_weights.json").read_text("utf-8")
    )


def kind_log_odds(
    cues: npt.NDArray[np.int64], weights: IntentWeights | None = None
) -> npt.NDArray[np.float64]:
    """Return log-probabilities of what each prompt asks for.

    The prior is one half for ordinary use, the other half shared evenly by the kinds of harvest.

    Args:
        cues: int64 (n,), cue masks; bits beyond the known groups say nothing.
        weights: another model than the shipped one.

    Returns:
        float64 (n, 10): natural logs of probabilities that sum to one, over ``OUTCOMES``.
    """
    model = weights or shipped_weights()
    masks = np.asarray(cues, dtype=np.int64)
    # Templates recur: as many rows are computed as there are distinct masks, in bounded memory.
    distinct, where = np.unique(masks, return_inverse=True)
    result = np.empty((len(distinct), len(OUTCOMES)))
    shifts = np.arange(len(CUE_GROUPS))
    for start in range(0, len(distinct), _ROWS_AT_ONCE):
        part = distinct[start : start + _ROWS_AT_ONCE]
        scores = ((part[:, None] >> shifts) & 1) @ model.table
        result[start : start + len(part)] = _outcomes(scores)
    return result[where.reshape(-1)]


def _outcomes(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    kinds = len(KINDS)
    raw = np.empty((len(scores), kinds + 1))
    # Taking the mean of the ordinary classes, and dividing harvest by its number of kinds, is
    # what makes the prior even, and a mask of zeros exactly even.
    raw[:, :kinds] = scores[:, :kinds] - np.log(kinds)
    raw[:, kinds] = _log_mean_exp(scores[:, kinds:])
    top = raw.max(axis=1, keepdims=True)
    total: npt.NDArray[np.float64] = top + np.log(np.exp(raw - top).sum(axis=1, keepdims=True))
    return raw - total


def _log_mean_exp(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    top = values.max(axis=1)
    result: npt.NDArray[np.float64] = top + np.log(np.exp(values - top[:, None]).mean(axis=1))
    return result


def harvest_log_odds(
    cues: npt.NDArray[np.int64], weights: IntentWeights | None = None
) -> npt.NDArray[np.float64]:
    """Return what the cues add to the log-odds that a prompt belongs to a harvest.

    Args:
        cues: int64 (n,), cue masks.
        weights: another model than the shipped one.

    Returns:
        float64 (n,): ln P(cues | harvest) - ln P(cues | ordinary) as the model has it, kinds
        equally likely within each; exactly 0 where no cue was seen.
    """
    log_p = kind_log_odds(cues, weights)
    kinds = len(KINDS)
    odds = np.log(kinds) + _log_mean_exp(log_p[:, :kinds]) - log_p[:, kinds]
    return np.where(np.asarray(cues) == 0, 0.0, odds)
