"""Takes versions of the accounts table into a store."""

from __future__ import annotations

from pathlib import Path

from stillhunt.errors import InputError
from stillhunt.readers import Quarantine, ReadOptions, read_accounts
from stillhunt.store.durable import sync
from stillhunt.store.ingest import this_moment
from stillhunt.store.inputs import digest_of
from stillhunt.store.manifest import Input, Transaction
from stillhunt.store.parts import write_parquet
from stillhunt.store.store import Store

SOURCE = "accounts"
"""What inputs that are accounts tables have for their source."""


def take_accounts(store: Store, path: Path, options: ReadOptions, max_bad: float) -> int | None:
    """Take an accounts table in as the latest version.

    Args:
        store: held for writing; path: the table.
        options: its pseudonymiser counts; max_bad: share of bad rows above which it is refused.

    Returns:
        How many accounts it has; None where it is the latest version already.

    Raises:
        InputError: it cannot be read, or too many rows are bad.
    """
    path = path.absolute()
    number = f"{store.state.next_number:08d}"
    lines = store.layout.quarantine(number)
    lines.parent.mkdir(exist_ok=True)
    with Quarantine(lines) as quarantine:
        table = read_accounts(path, options, quarantine)
    bad = quarantine.count
    digest = digest_of(path)
    latest = [i.sha256 for i in store.state.inputs if i.source == SOURCE][-1:]
    if latest == [digest]:
        lines.unlink()
        return None
    if bad > max_bad * max(table.num_rows + bad, 1):
        reason, n = quarantine.reasons.most_common(1)[0]
        raise InputError(
            f"{bad:,} of {table.num_rows + bad:,} rows of the accounts {path} are bad, more than "
            f"--max-bad {max_bad:g} allows; the most common reason ({n:,} times): {reason}.",
            "Mend the table or, knowing what is lost, raise --max-bad.",
        )
    write_parquet(store.layout.accounts(number), table, {})
    told = number if lines.stat().st_size > 0 else ""
    if told:
        sync(lines)
        sync(lines.parent)
    else:
        lines.unlink()
    place = path.stat()
    read = Input(
        str(path), digest, place.st_size, place.st_mtime_ns, table.num_rows,
        quarantined=bad, source=SOURCE,
    )  # fmt: skip
    store.commit(
        Transaction(
            "ingest",
            this_moment(),
            inputs=(read,),
            accounts=number,
            quarantine=number if told else "",
        )
    )
    return int(table.num_rows)
