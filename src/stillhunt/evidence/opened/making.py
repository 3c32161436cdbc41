"""Opens exchanges of a claim by their ids, and adds them to its bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from stillhunt.errors import InputError, UsageError
from stillhunt.evidence import container
from stillhunt.evidence.claim.answer import LeafSource
from stillhunt.evidence.claim.gather import LogLeaves
from stillhunt.evidence.claim.leaves import LEAF
from stillhunt.evidence.claim.respond import statement_in
from stillhunt.evidence.claim.rows import ClaimRows
from stillhunt.evidence.claim.state import ClaimState
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.opened.member import (
    MOST_ID_BYTES,
    Whole,
    complete,
    read_placed,
    read_traced,
    write_placed,
    write_traced,
)
from stillhunt.evidence.value_hash import exchange_digest

_NAMED = 3


def read_ids(path: Path) -> list[str]:
    """Exchange ids of a file, one a line; empty lines are passed over.

    Raises:
        InputError: it cannot be read, or names none.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its name.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8.", "Write one exchange id a line.") from error
    found = [line.removesuffix("\r") for line in text.split("\n")]
    if not any(found):
        raise InputError(f"{path} names no exchange.", "Write one exchange id a line.")
    return [line for line in found if line]


def claimed_exchanges(rows: ClaimRows, leaves: LeafSource, ids: Iterable[str]) -> dict[int, Whole]:
    """Find exchanges among those of a claim, and open them.

    Args:
        rows: that are claimed; leaves: of the log; ids: of exchanges, as in the logs.

    Returns:
        Number in the claim's order to the exchange. One id may be two accounts' exchange.

    Raises:
        InputError: the claim does not count one of them, or its content was deleted.
    """
    names = {_digest(text): text for text in ids}
    keys = np.array(sorted({int.from_bytes(d[:8], "big") for d in names}), dtype=np.uint64)
    number = np.flatnonzero(np.isin(rows.key, keys))
    position = rows.position[number].astype(np.int64)
    readable, opened, salts = leaves.open_leaves(np.unique(position))
    found: dict[int, Whole] = {}
    at = np.searchsorted(np.unique(position), position)
    for i, k in zip(number.tolist(), at.tolist(), strict=True):
        leaf = opened[k].tobytes()
        name = names.get(leaf[6:22])
        if readable[k] and name is not None:
            found[i] = Whole(name, int(rows.position[i]), leaf, salts[k].tobytes())
    if not readable.all():
        raise InputError(
            f"{np.count_nonzero(~readable):,} of these exchanges may have been deleted from the log.",
            "What was deleted can be opened no longer; name others.",
        )
    there = {one.exchange_id for one in found.values()}
    lost = [ascii(text[:80]) for text in names.values() if text not in there]
    if lost:
        more = f" and {len(lost) - _NAMED:,} more" if len(lost) > _NAMED else ""
        raise InputError(
            f"The claim does not count the exchange {', '.join(lost[:_NAMED])}{more}.",
            "Name exchanges by the exchange_id that the findings give.",
        )
    return found


def open_exchanges(log: Log, bundle: Path, state: ClaimState, ids: Iterable[str], out: Path) -> int:
    """Open exchanges of a claim whole; those that its bundle has already stay.

    Args:
        log: that the claim is about; bundle: of the claim; state: the claimant's part.
        ids: of exchanges, as in the logs; out: bundle to write.

    Returns:
        How many are open in the bundle now.

    Raises:
        InputError: the claimant's part is of another claim, the bundle shows everything already, or
            the claim does not count one of the exchanges.
        UsageError: the claim is about another log.
    """
    members = dict(container.read(bundle))
    statement = statement_in(members)
    if statement.digest != state.statement:
        raise InputError(
            "The claimant's part belongs to another claim.", "Name the right one with --private."
        )
    if log.origin != statement.predicate["origin"]:
        raise UsageError(
            f"This is another log than the claim's, {statement.predicate['origin']}.",
            "Name that one with --log.",
        )
    if statement.depth == "full":
        raise InputError(
            "A claim of depth full shows every exchange whole already.",
            "Choose exchanges of a claim of depth pseudonymous or counts.",
        )
    trees = state.trees
    chosen = _before(members, state.rows, statement.depth)
    chosen |= claimed_exchanges(state.rows, LogLeaves(log), ids)
    if statement.depth == "counts":
        size = int(statement.predicate["log"]["size"])
        body = write_traced(trees, chosen, log.tree(size), size)
    else:
        body = write_placed(trees, state.secret, chosen)
    container.write(out, {**members, "opened": body})
    return len(chosen)


def _before(members: Mapping[str, memoryview], rows: ClaimRows, depth: str) -> dict[int, Whole]:
    """What a bundle has open; of that the log may have lost the content since."""
    if "opened" not in members:
        return {}
    if depth == "counts":
        traced = read_traced(members["opened"], len(rows.account), len(rows.key))
        return {int(rows.starts[one.account]) + one.place: one.whole for one in traced.placed}
    shown = np.frombuffer(members["leaves"], dtype=LEAF)
    found = {}
    for one in read_placed(members["opened"], rows.starts):
        number = int(rows.starts[one.account]) + one.place
        found[number] = complete(one.whole, shown[number])
    return found


def _digest(text: str) -> bytes:
    try:
        if 0 < len(text.encode("utf-8")) <= MOST_ID_BYTES:
            return exchange_digest(text)
    except UnicodeEncodeError:
        pass
    raise InputError(
        f"{text[:80]!a} is no exchange id.",
        f"Ids are text of at most {MOST_ID_BYTES:,} bytes in UTF-8.",
    )
