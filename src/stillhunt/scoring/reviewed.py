"""What reviewers' verdicts change in the comparison, where it is asked for.

Two things. Clusters judged lawful are ordinary customers after all, and join those that others are
compared with. And the prior is no longer indifference but what verdicts leave of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from stillhunt.scoring.features import Units
from stillhunt.scoring.harvest import HarvestScore, score_clusters

PSEUDO_VERDICTS = 2.0
"""How many verdicts the stated prior is worth: with a prior of 1/2 one confirmed and one lawful, which
is Laplace's rule of succession."""

CONFIRMED, LAWFUL = "confirmed", "lawful"


@dataclass(frozen=True)
class Prior:
    """A Beta distribution over the chance that a cluster which acts as one is a harvest.

    Attributes:
        confirmed, lawful: its two parameters: verdicts, with the stated prior as pseudo-counts.
    """

    confirmed: float
    lawful: float

    @property
    def mean(self) -> float:
        """The prior probability to use."""
        return self.confirmed / (self.confirmed + self.lawful)


def updated_prior(stated: float, confirmed: int, lawful: int) -> Prior:
    """The stated prior after verdicts: Beta-binomial conjugacy (Gelman et al., BDA3, 2.4).

    Args:
        stated: prior probability, strictly between 0 and 1, worth PSEUDO_VERDICTS verdicts.
        confirmed, lawful: clusters so judged.
    """
    return Prior(PSEUDO_VERDICTS * stated + confirmed, PSEUDO_VERDICTS * (1 - stated) + lawful)


def score_reviewed(
    units: Units,
    link_p: np.ndarray,
    stated: float,
    verdicts: Sequence[str | None],
    confirmed_elsewhere: int = 0,
    lawful_elsewhere: int = 0,
) -> list[HarvestScore]:
    """Score each cluster with what reviewers concluded of the *others*.

    A verdict says nothing about its own cluster here: neither is a cluster its own control, nor does
    its verdict count in its own prior. Otherwise a verdict would prove itself.

    Args:
        units: from ``measure_units``.
        link_p: float (c,), p-value of each cluster's link test.
        stated: prior without verdicts.
        verdicts: (c,), of each cluster: confirmed, lawful, or anything else for none.
        confirmed_elsewhere, lawful_elsewhere: campaigns so judged that are no cluster now.
    """
    lawful = [i for i, v in enumerate(verdicts) if v == LAWFUL]
    confirmed = sum(v == CONFIRMED for v in verdicts)
    out = []
    for i, own in enumerate(verdicts):
        prior = updated_prior(
            stated,
            confirmed + confirmed_elsewhere - (own == CONFIRMED),
            len(lawful) + lawful_elsewhere - (own == LAWFUL),
        )
        alone = compared_with(units, i, [j for j in lawful if j != i])
        out += score_clusters(alone, link_p[i : i + 1], prior.mean)
    return out


def compared_with(units: Units, cluster: int, also: Sequence[int]) -> Units:
    """One cluster, the ordinary units, and other clusters as ordinary units."""
    rows = np.concatenate(
        [[cluster], np.arange(units.clusters, len(units.exchanges)), also]
    ).astype(np.int64)
    columns = {f.name: getattr(units, f.name)[rows] for f in fields(units) if f.name != "clusters"}
    return Units(clusters=1, **columns)
