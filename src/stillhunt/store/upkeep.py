"""What a store needs after something came in: old days go, small parts are merged."""

from __future__ import annotations

from stillhunt.store.compaction import compact
from stillhunt.store.ingest import keep_from
from stillhunt.store.retention import expire
from stillhunt.store.store import Store
from stillhunt.store.sweep import sweep


def keep_up(store: Store, keep_days: int | None) -> int:
    """Expire, merge and sweep.

    Args:
        store: held for writing; keep_days: how many days are kept, today included; None: all.

    Returns:
        Exchanges that expired.
    """
    expired = expire(store, keep_from(keep_days))
    compact(store)
    sweep(store.layout, store.state)
    return expired
