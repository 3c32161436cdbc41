"""What an earlier hunt's findings folder hands on to this one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stillhunt.campaigns.lifecycle import Before, Known
from stillhunt.campaigns.outputs import has_table, read_json, read_table
from stillhunt.campaigns.replacement import Value, is_gone, pace
from stillhunt.errors import InputError, UsageError
from stillhunt.records.findings import FINDINGS_VERSION

_ID = re.compile(r"c-[0-9a-f]{1,64}")
_OURS = "Name the folder that an earlier hunt wrote with --out."


@dataclass(frozen=True)
class Previous:
    """An earlier hunt.

    Attributes:
        folder: where its findings were read.
        before: its moment and whom it, or hunts before it, named.
        ids: every campaign id given so far.
        accounts, entities: string arrays, all of its logs.
        exchanges: named account to the exchanges that it attributed to campaigns.
        values: named account to its linked values, as that hunt showed them, without templates.
        verdicts: rows of its ``verdicts`` table; empty where it has none.
        hidden: names of whom nothing is told: the allow list, its organizations, all their accounts.
    """

    folder: Path
    before: Before
    ids: frozenset[str]
    accounts: pa.Array
    entities: pa.Array
    exchanges: dict[str, int]
    values: dict[str, frozenset[Value]]
    verdicts: tuple[dict[str, Any], ...]
    hidden: frozenset[str]


def read_previous(folder: Path, key_id: str | None, allow: frozenset[str]) -> Previous:
    """Read an earlier hunt's findings, Parquet or JSON Lines.

    Args:
        folder: its ``--out``.
        key_id: of this hunt's pseudonymisation key; None: names are clear.
        allow: accounts and organizations that are never named; nothing is told of them.

    Raises:
        InputError: the folder is not a hunt's, or of another version.
        UsageError: names were made with another key, so that nothing can be compared.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} for --previous.", _OURS)
    record = read_json(folder / "hunt.json")
    if record.get("schema") != FINDINGS_VERSION:
        raise InputError(
            f"{folder} holds findings of another version than {FINDINGS_VERSION}.",
            "Hunt that period again with this version of stillhunt, then give that folder.",
        )
    _check_names(folder, record, key_id)
    try:
        return _read(folder, record, allow)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, pa.ArrowException) as error:
        raise InputError(
            f"The tables in {folder} do not fit together ({type(error).__name__}).", _OURS
        ) from error


def _read(folder: Path, record: dict[str, Any], allow: frozenset[str]) -> Previous:
    profiles = read_table(folder, "profiles")
    accounts = read_table(folder, "accounts").to_pylist()
    active = frozenset(read_table(folder, "campaigns").column("campaign").to_pylist())
    profiles = profiles.set_column(
        profiles.schema.get_field_index("last_seen"),
        "last_seen",
        profiles.column("last_seen").cast(pa.timestamp("us", tz="UTC")),
    )
    if not all(_ID.fullmatch(str(name)) for name in active):
        raise ValueError("campaign ids of another make")
    if profiles.num_rows == 0:
        raise InputError(f"The table profiles in {folder} is empty.", _OURS)
    now = pc.max(profiles.column("last_seen")).as_py()
    if has_table(folder, "history"):
        history = [Known(**row) for row in read_table(folder, "history").to_pylist()]
    else:
        history = _first_history(profiles, accounts, now)
    hidden = _allowed(profiles, allow)
    kept = without(history, hidden)
    exchanges: dict[str, int] = {}
    for row in accounts:
        exchanges[row["account"]] = exchanges.get(row["account"], 0) + row["campaign_exchanges"]
    lifecycle = record.get("lifecycle")
    given = lifecycle.get("ids") if isinstance(lifecycle, dict) else None
    return Previous(
        folder=folder,
        before=Before(now, kept, active),
        ids=active | {k.campaign for k in history} | {str(i) for i in given or ()},
        accounts=profiles.column("account").combine_chunks(),
        entities=profiles.column("entity").unique(),
        exchanges=exchanges,
        values=_values(folder, kept),
        verdicts=_verdicts(folder),
        hidden=hidden,
    )


def without(history: Iterable[Known], names: frozenset[str]) -> tuple[Known, ...]:
    """A history that names none of these accounts or organizations, as successors neither."""
    return tuple(
        replace(k, replaced_by=None) if k.replaced_by in names else k
        for k in history
        if not {k.account, k.entity} & names
    )


def _allowed(profiles: pa.Table, allow: frozenset[str]) -> frozenset[str]:
    """The allow list, the organizations of its accounts, and their other accounts."""
    given = pa.array(sorted(allow), pa.string())
    ours = pc.or_(
        pc.is_in(profiles.column("account"), given), pc.is_in(profiles.column("entity"), given)
    )
    entities = profiles.filter(ours).column("entity").unique()
    all_of = profiles.filter(pc.is_in(profiles.column("entity"), entities))
    return allow | set(entities.to_pylist()) | set(all_of.column("account").to_pylist())


def _check_names(folder: Path, record: dict[str, Any], key_id: str | None) -> None:
    parameters = record.get("parameters")
    theirs = parameters.get("pseudonymised") if isinstance(parameters, dict) else None
    if theirs == key_id:
        return
    how = "with clear names" if theirs is None else f"with the key {str(theirs)[:32]!a}"
    here = "with clear names" if key_id is None else f"with the key '{key_id}'"
    raise UsageError(
        f"Accounts cannot be compared: the hunt in {folder} was made {how}, this one is made {here}. "
        "Every account would seem to have left and another to have come.",
        "Hunt with the key file of the earlier hunt (--pseudonymise), or without --previous.",
    )


def _first_history(profiles: pa.Table, accounts: list[dict[str, Any]], now: Any) -> list[Known]:
    """The history that a hunt without an earlier one would have handed on."""
    named = pa.array({row["account"] for row in accounts}, pa.string())
    wanted = profiles.filter(pc.is_in(profiles.column("account"), named))
    spans = {
        row["account"]: row
        for row in wanted.select(["account", "first_seen", "last_seen", "exchanges"]).to_pylist()
    }
    history = []
    for row in accounts:
        span = spans[row["account"]]
        first, last = span["first_seen"], span["last_seen"]
        per_day = pace(span["exchanges"], first, last)
        history.append(
            Known(
                campaign=row["campaign"],
                account=row["account"],
                entity=row["entity"],
                first_seen=first,
                last_seen=last,
                exchanges_per_day=per_day,
                first_named=now,
                last_named=now,
                left_at=last if is_gone(last, per_day, now) else None,
            )
        )
    return history


def _values(folder: Path, history: Sequence[Known]) -> dict[str, frozenset[Value]]:
    links = read_table(folder, "links")
    columns = [links.column(c).to_pylist() for c in ("x_family", "x_value", "y_family", "y_value")]
    carried: dict[str, set[Value]] = {}
    members = read_table(folder, "link_members")
    entities = pa.array({k.entity for k in history}, pa.string())
    for row in members.filter(pc.is_in(members.column("entity"), entities)).to_pylist():
        xf, xv, yf, yv = (c[row["link"]] for c in columns)
        carried.setdefault(row["entity"], set()).update(
            v for v in ((xf, xv), (yf, yv)) if v[0] != "template"
        )
    return {k.account: frozenset(carried.get(k.entity, ())) for k in history}


def _verdicts(folder: Path) -> tuple[dict[str, Any], ...]:
    if has_table(folder, "verdicts"):
        return tuple(read_table(folder, "verdicts").to_pylist())
    return ()
