"""Keeps the key index in step with the store: which exchanges it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stillhunt.store.duplicates import part_keys
from stillhunt.store.keys import KEY_BYTES, merge_runs, open_run, to_merge, write_run
from stillhunt.store.store import Store


def older_keys(store: Store, work: Path) -> list[Path]:
    """Files of the keys that a store has seen: its index, or one made again from its parts.

    A store that something else wrote has none; and one whose index lags behind is not trusted.

    Args:
        store: whose; work: where an index is made again.
    """
    state = store.state
    if state.keys_through >= state.rows_through:
        return [store.layout.keys(name) for name in state.keys]
    return [made_again(store, work)]


def made_again(store: Store, work: Path) -> Path:
    """A file of the keys of all parts, in ``work``."""
    runs = []
    for part in store.state.parts.values():
        runs.append(work / f"again-{part.part}.run")
        write_run(runs[-1], part_keys(store.layout, part), sync_files=False)
    made = work / "again.keys"
    merge_runs(made, [open_run(path) for path in runs], sync_files=False)
    for path in runs:
        path.unlink()
    return made


def add_keys(
    store: Store, older: Sequence[Path], keys: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write the index's new run: a transaction's keys, with younger runs when it is time to merge.

    Args:
        store: whose next transaction it is; older: as ``older_keys``; keys: the transaction's.

    Returns:
        Names of runs added, and of runs removed.
    """
    files = [*older, keys]
    merged = to_merge([path.stat().st_size for path in files]) or 1
    # What was made again is no run yet, and becomes part of this one.
    merged = max(merged, sum(path.parent == keys.parent for path in files))
    name = f"{store.state.next_number:08d}"
    merge_runs(store.layout.keys(name), [open_run(path) for path in files[-merged:]])
    stay = {path.stem for path in files[:-merged]}
    return (name,), tuple(run for run in store.state.keys if run not in stay)


def keys_held(store: Store) -> int:
    """Keys in the index, those of exchanges that have expired included."""
    return sum(store.layout.keys(n).stat().st_size for n in store.state.keys) // KEY_BYTES
