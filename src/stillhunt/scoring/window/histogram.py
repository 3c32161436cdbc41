"""Exchanges to counts: each feature's values in bins, and the ranges of bins that are tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillhunt.scoring.window.novelty import NOVELTIES
from stillhunt.scoring.window.rows import BUCKETS, NAMES, NUMBERS, Floats, Ints, Rows, cue_names

# Even sixteenths, and finer tails: what is strange is often strange by being extreme.
_QUANTILES = np.unique(
    np.concatenate([np.arange(1, 16) / 16, [0.001, 0.005, 0.02, 0.98, 0.995, 0.999]])
)


@dataclass(frozen=True)
class Feature:
    """One way to look at an exchange.

    Attributes:
        name: of the column or novelty; "cues" for all cue bits.
        edges: ascending bin edges for numbers (bin i holds edges[i-1] < x <= edges[i]); None for
            buckets and cues.
        first: place of its first bin among all bins; bins: how many.
        ranges: int64 (r, 2), (low, past high) bins of each tested range, places among all bins.
    """

    name: str
    edges: Floats | None
    first: int
    bins: int
    ranges: Ints


@dataclass(frozen=True)
class Bins:
    """The features and their bins, fixed before anything is tested."""

    features: tuple[Feature, ...]

    @property
    def size(self) -> int:
        """Bins in all."""
        last = self.features[-1]
        return last.first + last.bins

    @classmethod
    def of(cls, numbers: dict[str, Floats]) -> Bins:
        """Lay bins out by quantiles of past values.

        Args:
            numbers: past values of NUMBERS and NOVELTIES, any lengths; NaN is ignored. What
                has no value at all becomes no feature.
        """
        features: list[Feature] = []
        first = 0
        for name in (*NUMBERS, *NOVELTIES):
            known = numbers[name][~np.isnan(numbers[name])] if name in numbers else np.zeros(0)
            if len(known) == 0:
                continue
            edges = np.unique(np.quantile(known, _QUANTILES, method="lower"))
            bins = len(edges) + 1
            features.append(Feature(name, edges, first, bins, _ranges(bins) + first))
            first += bins
        for name, bins in (*((name, BUCKETS) for name in NAMES), ("cues", len(cue_names()))):
            ranges = np.column_stack([np.arange(bins), np.arange(bins) + 1]) + first
            features.append(Feature(name, None, first, bins, ranges))
            first += bins
        return cls(tuple(features))

    def count(
        self, rows: Rows, span: tuple[int, int], new: dict[str, Floats]
    ) -> tuple[Floats, Floats]:
        """Count a span of rows.

        Args:
            rows: the stream; span: (first, past the last) row; new: the span's novelties.

        Returns:
            (counts, known): float64 (size,) exchanges in each bin, and float64 (features,)
            exchanges that have the feature at all.
        """
        counts = np.zeros(self.size)
        known = np.zeros(len(self.features))
        part = slice(*span)
        for i, feature in enumerate(self.features):
            here = slice(feature.first, feature.first + feature.bins)
            if feature.edges is not None:
                values = (
                    new[feature.name] if feature.name in new else rows.numbers[feature.name][part]
                )
                values = values[~np.isnan(values)]
                at: npt.NDArray[np.int64] = np.searchsorted(feature.edges, values)
                known[i] = len(values)
            elif feature.name == "cues":
                masks = rows.cues[part][rows.cues[part] >= 0]
                at = np.nonzero((masks[:, None] >> np.arange(feature.bins)) & 1)[1]
                known[i] = len(masks)
            else:
                at = rows.names[feature.name][part]
                at = at[at >= 0]
                known[i] = len(at)
            counts[here] = np.bincount(at, minlength=feature.bins)
        return counts, known


def _ranges(bins: int) -> Ints:
    """Both tails up to every edge, and bands of 1, 2, 4 ... bins at every other half of their width.

    Fewer than all ranges, and one of them is near every range.
    """
    found = {(0, edge) for edge in range(1, bins)} | {(edge, bins) for edge in range(1, bins)}
    width = 1
    while width < bins:
        step = max(1, width // 2)
        found |= {(low, low + width) for low in range(0, bins - width + 1, step)}
        width *= 2
    found.discard((0, bins))
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
