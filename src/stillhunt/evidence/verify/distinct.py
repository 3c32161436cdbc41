"""Whether accounts and exchanges that are shown are as many as they seem.

Within an account the order of keys shows that exchanges differ; across accounts, which may be one
under two pseudonyms, only their digests do.
"""

from __future__ import annotations

import numpy as np

from stillhunt.evidence.refusal import Code, Refused


def check_distinct_accounts(pseudonyms: np.ndarray) -> None:
    """Refuse a pseudonym that stands for two accounts.

    Args:
        pseudonyms: V32 (m,).

    Raises:
        Refused: one is there twice.
    """
    if len(set(pseudonyms.tolist())) != len(pseudonyms):
        raise Refused(Code.LEAVES_ORDER, "An account stands twice.")


def check_distinct_exchanges(key: np.ndarray, rest: np.ndarray) -> None:
    """Refuse an exchange that is counted twice, be it by different leaves and for different accounts.

    Args:
        key, rest: uint64 (n,): the first and the last eight bytes of each exchange's digest.

    Raises:
        Refused: two digests are equal.
    """
    ordered = np.sort(key)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return
    # Among so many, two may well begin alike.
    alike = np.isin(key, twice)
    pairs = list(zip(key[alike].tolist(), rest[alike].tolist(), strict=True))
    if len(set(pairs)) != len(pairs):
        raise Refused(Code.LEAVES_DUPLICATE, "One exchange is counted twice.")
