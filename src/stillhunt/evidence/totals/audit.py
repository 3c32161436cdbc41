"""An audit of the member ``totals``: which of its pseudonyms are opened.

Leaves and accounts are audited as those of any claim. What is left are the names under which the
totals' rows, rows of the accounts table and organizations are shown: from the same seed so many of
each are drawn that more than the stated share of wrong ones is noticed with the stated confidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillhunt.evidence.audit import Rates, draw_distinct
from stillhunt.evidence.sample_size import sample_size
from stillhunt.evidence.totals.member import ShownTotals

MAGIC = b"stillhunt totals audit 1\n"

VALUE_OPENED = np.dtype([("pseudonym_salt", "V16"), ("value", "<i8"), ("salt", "V16")])
ACCOUNT_OPENED = np.dtype(
    [
        ("salts", "u1", (32,)),
        ("row", "u1", (35,)),
        ("account", "V16"),
        ("organization", "V16"),
        ("payment", "V16"),
        ("email_domain", "V16"),
    ]
)
ORGANIZATION_OPENED = np.dtype([("pseudonym_salt", "V16"), ("value", "<i8")])
"""What is told of each that was drawn; openings of what a row does not hold are zeroes."""


@dataclass(frozen=True)
class TotalsPlan:
    """What has to be opened, by place, increasing: values of all stretches one after another."""

    values: tuple[int, ...]
    accounts: tuple[int, ...]
    organizations: tuple[int, ...]


def totals_plan(shown: ShownTotals, rates: Rates, seed: bytes, tries: int) -> TotalsPlan:
    """Draw from a seed; see ``evidence.audit.plan``."""
    confidence = 1 - rates.miss(tries)
    sizes = {
        b"totals values": sum(len(stretch.values) for stretch in shown.stretches),
        b"totals accounts": len(shown.accounts),
        b"totals organizations": len(shown.organizations),
    }
    return TotalsPlan(
        *(
            draw_distinct(seed, name, n, sample_size(n, rates.error, confidence) if n else 0)
            for name, n in sizes.items()
        )
    )
