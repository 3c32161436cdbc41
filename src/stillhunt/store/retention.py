"""Deletes days that are older than is kept."""

from __future__ import annotations

from datetime import datetime

from stillhunt.store.index import keys_held, made_again
from stillhunt.store.ingest import this_moment
from stillhunt.store.keys import merge_runs, open_run
from stillhunt.store.manifest import Transaction
from stillhunt.store.store import Store
from stillhunt.store.sweep import sweep


def expire(store: Store, first: datetime | None) -> int:
    """Delete whole days before the one of a moment: observations, names, and who is named only there.

    What is kept of what is gone: digests of inputs, so that none is taken in again, and for a while
    hashes of exchange ids: the key index is made again when more than half of it has expired. Lines of
    the quarantine expire by when they were written.

    Args:
        store: held for writing.
        first: beginning of the first day that is kept (``store.ingest.keep_from``); None: nothing
            expires.

    Returns:
        How many exchanges are gone.
    """
    if first is None:
        return 0
    day = first.date().isoformat()
    old = [part for part in store.state.parts.values() if part.day < day]
    lines = tuple(name for name, at in store.state.quarantines.items() if at < day)
    if not old and not lines:
        return 0
    store.commit(
        Transaction(
            "retention",
            this_moment(),
            removed=tuple(part.part for part in old),
            quarantines_removed=lines,
        )
    )
    if keys_held(store) > 2 * store.state.rows:
        _forget_keys(store)
    sweep(store.layout, store.state)
    return sum(part.rows for part in old)


def _forget_keys(store: Store) -> None:
    work = store.layout.temporary / "keys"
    work.mkdir(parents=True, exist_ok=True)
    name = f"{store.state.next_number:08d}"
    merge_runs(store.layout.keys(name), [open_run(made_again(store, work))])
    store.commit(
        Transaction(
            "retention",
            this_moment(),
            keys_added=(name,),
            keys_removed=store.state.keys,
            keys_through=store.state.next_number,
        )
    )
