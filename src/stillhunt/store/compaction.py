"""Merges small parts of a day, so that a hunt opens few files.

Size-tiered (as in Bigtable's successors; see Luo and Carey 2020, *LSM-based storage techniques: a
survey*): parts of about one size are merged when there are FAN of them. Each row is so written
again at most log_FAN(MOST / rows of a batch) times, and a day keeps at most FAN - 1 parts of each
size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

import pyarrow as pa

from stillhunt.store.contents import read_accounts_table
from stillhunt.store.ingest import this_moment
from stillhunt.store.manifest import Part, Transaction
from stillhunt.store.parts import distinct_identities, read_part, write_parquet, write_part
from stillhunt.store.store import Store
from stillhunt.store.sweep import sweep

FAN = 4
"""Parts of one size that are merged."""

MOST = 1 << 20
"""Rows of a merged part, at most: they are sorted in memory."""

ACCOUNTS = 8
"""Versions of the accounts table that are merged into one."""


def compact(store: Store, told: Callable[[str], None] = lambda _day: None) -> int:
    """Merge what is to be merged. What is hunted stays the same.

    Args:
        store: held for writing; told: called with each day as its parts are merged.

    Returns:
        How many parts there are fewer.
    """
    before = len(store.state.parts)
    while (merge := next_merge(store.state.parts.values())) is not None:
        told(merge[0].day)
        _merge(store, merge)
    if len(store.state.accounts) >= ACCOUNTS:
        _merge_accounts(store)
    if len(store.state.parts) < before:
        sweep(store.layout, store.state)
    return before - len(store.state.parts)


def next_merge(parts: Iterable[Part]) -> list[Part] | None:
    """Parts of one day and about one size to be merged next, or None."""
    alike: dict[tuple[str, int], list[Part]] = defaultdict(list)
    for part in parts:
        if part.rows <= MOST // FAN:
            # Sizes within a factor of FAN are alike.
            alike[part.day, (part.rows.bit_length() - 1) // (FAN.bit_length() - 1)].append(part)
    full = [key for key, group in alike.items() if len(group) >= FAN]
    if not full:
        return None
    chosen: list[Part] = []
    rows = 0
    for part in sorted(alike[min(full)], key=lambda p: p.part):
        if rows + part.rows > MOST:
            break
        chosen.append(part)
        rows += part.rows
    return chosen


def _merge(store: Store, parts: list[Part]) -> None:
    tables, identities = zip(*(read_part(store.layout, part) for part in parts), strict=True)
    merged = write_part(
        store.layout,
        f"{store.state.next_number:08d}-0000",
        parts[0].day,
        pa.concat_tables(tables),
        distinct_identities(list(identities)),
    )
    store.commit(
        Transaction(
            "compaction",
            this_moment(),
            added=(merged,),
            removed=tuple(part.part for part in parts),
        )
    )


def _merge_accounts(store: Store) -> None:
    name = f"{store.state.next_number:08d}"
    write_parquet(store.layout.accounts(name), read_accounts_table(store), {})
    store.commit(
        Transaction(
            "compaction", this_moment(), accounts=name, accounts_removed=store.state.accounts
        )
    )
