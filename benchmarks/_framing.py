"""Attacks that try to get a victim named: rows that an operator adds to a log.

The attacker runs a planted campaign. He knows what the victim sends (a public tool, a leaked
template), may reach the victim's exit (the same VPN, a proxy inside its network), and may have stolen
keys. He cannot change what the victim itself sends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TEMPLATE, EXIT, KEY, ALL = "copied template", "shared exit", "stolen keys", "all of it"
ATTACKS: tuple[str, ...] = (TEMPLATE, EXIT, KEY, ALL)

_OPENING = 4
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Effort:
    """How much an attacker spends on one victim.

    Attributes:
        exchanges: that each account or stolen key of his sends.
        accounts: of his own campaign that take part (copied template, shared exit).
        keys: of the victim that are stolen; each is another account of the victim.
    """

    exchanges: int
    accounts: int
    keys: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What an attack took: exchanges sent, the attacker's accounts and payers (instruments) that are
    exposed, victim's addresses that had to be reached, keys that had to be stolen."""

    exchanges: int = 0
    accounts: int = 0
    payers: int = 0
    addresses: int = 0
    keys: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """A traffic, its campaign and its customers.

    Attributes:
        rows: of exchanges.parquet; accounts: of accounts.parquet by account.
        of_account: account to its rows' numbers.
        attacker: accounts of the campaign that attacks, busiest first.
        persona: lawful account to persona; entity: account to organization or itself.
    """

    rows: pa.Table
    accounts: dict[str, dict[str, Any]]
    of_account: dict[str, np.ndarray]
    attacker: tuple[str, ...]
    persona: dict[str, str]
    entity: dict[str, str]


def read_scene(traffic: Path, campaign: str | None = None) -> Scene:
    """Read a traffic and choose who attacks: a planted campaign, by default the one of most accounts."""
    rows = pq.read_table(traffic / "exchanges.parquet").combine_chunks()
    accounts = {r["account"]: r for r in pq.read_table(traffic / "accounts.parquet").to_pylist()}
    truth = pq.read_table(traffic / "truth" / "accounts.parquet").to_pylist()
    planted = Counter(r["campaign"] for r in truth if r["campaign"] is not None)
    if not planted:
        raise ValueError(f"{traffic} holds no campaign that could attack.")
    chosen = campaign or max(sorted(planted), key=lambda name: planted[name])
    names, at = np.unique(
        np.asarray(rows.column("account").to_pylist(), dtype=object).astype(str),
        return_inverse=True,
    )
    order = np.argsort(at.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(at.ravel()))[:-1])
    of_account = dict(zip(names.tolist(), parts, strict=True))
    mine = [r["account"] for r in truth if r["campaign"] == chosen and r["account"] in of_account]
    return Scene(
        rows=rows,
        accounts=accounts,
        of_account=of_account,
        attacker=tuple(sorted(mine, key=lambda a: (-len(of_account[a]), a))),
        persona={
            r["account"]: r["persona"]
            for r in truth
            if r["campaign"] is None and r["account"] in of_account
        },
        entity={a: (r["organization"] or a) for a, r in accounts.items()},
    )


def victims(scene: Scene, keys: int) -> dict[str, list[str]]:
    """One victim of each lawful persona: ``keys`` accounts that belong together where they can.

    They share most addresses, payers or an organization; the first is the persona's account of median
    volume among those busy enough to have something to copy.
    """
    chosen = {}
    for persona in sorted(set(scene.persona.values())):
        members = sorted(
            (a for a, p in scene.persona.items() if p == persona),
            key=lambda a: (len(scene.of_account[a]), a),
        )
        if any(scene.accounts[a]["licence"] for a in members):
            continue  # it may harvest; nobody can frame it with that
        first = members[len(members) // 2]
        near = sorted(members, key=lambda a: (-_shared(scene, first, a), a))
        chosen[persona] = [first, *(a for a in near if a != first)][:keys]
    return chosen


def _shared(scene: Scene, one: str, other: str) -> int:
    """How much two accounts visibly have in common."""
    addresses = set(_values(scene, one, "client_address")) & set(
        _values(scene, other, "client_address")
    )
    same = sum(
        scene.accounts[one][column] is not None
        and scene.accounts[one][column] == scene.accounts[other][column]
        for column in ("organization", "payment", "email_domain")
    )
    return len(addresses) + 2 * same


def _values(scene: Scene, account: str, column: str) -> list[Any]:
    return list(scene.rows.column(column).take(pa.array(scene.of_account[account])).to_pylist())


def attacked(
    scene: Scene,
    attack: str,
    of: Sequence[Sequence[str]],
    effort: Effort,
    chance: np.random.Generator,
) -> tuple[pa.Table, Spent]:
    """The log after an attack on some victims, and what it took for each of them.

    Args:
        scene: the traffic.
        attack: of ATTACKS.
        of: accounts of each victim.
        effort: spent on each victim.
        chance: source of chance.

    Returns:
        Exchanges, those added last, and what was spent on the dearest victim.
    """
    made: list[dict[str, Any]] = []
    spent = []
    for accounts in of:
        before = len(made)
        used: Counter[str] = Counter()
        if attack in (TEMPLATE, ALL):
            made += _copying(scene, accounts, effort, chance, at_exit=attack == ALL)
        if attack == EXIT:
            made += _through_exit(scene, accounts, effort, chance)
        if attack in (EXIT, ALL):
            used["addresses"] = len({a for v in accounts for a in _addresses(scene, v)})
        if attack in (KEY, ALL):
            stolen = list(accounts[: effort.keys])
            used["keys"] = len(stolen)
            made += _with_keys(scene, stolen, effort, chance)
        own = {r["account"] for r in made[before:]} - set(accounts)
        spent.append(
            Spent(
                exchanges=len(made) - before,
                accounts=len(own),
                payers=len({scene.accounts[a]["payment"] for a in own}),
                addresses=used["addresses"],
                keys=used["keys"],
            )
        )
    for number, row in enumerate(made):
        row["exchange_id"] = f"framed-{number:08d}-{chance.integers(1 << 62):x}"
    added = pa.Table.from_pylist(made, schema=scene.rows.schema)
    return pa.concat_tables([scene.rows, added]), max(spent, key=lambda s: s.exchanges)


def _own_rows(scene: Scene, effort: Effort, chance: np.random.Generator) -> list[dict[str, Any]]:
    """Exchanges as the campaign sends them, of the accounts that take part."""
    drawn: list[int] = []
    for account in scene.attacker[: effort.accounts]:
        drawn += chance.choice(scene.of_account[account], effort.exchanges).tolist()
    return list(scene.rows.take(pa.array(drawn, pa.int64())).to_pylist())


def _addresses(scene: Scene, account: str) -> list[str]:
    return sorted({a for a in _values(scene, account, "client_address") if a is not None})


def _copying(
    scene: Scene,
    accounts: Sequence[str],
    effort: Effort,
    chance: np.random.Generator,
    *,
    at_exit: bool,
) -> list[dict[str, Any]]:
    """The campaign's accounts send the victim's templates with items of their own."""
    rows = _own_rows(scene, effort, chance)
    skeletons = skeletons_of(scene, accounts)
    exits = [a for v in accounts for a in _addresses(scene, v)]
    for row in rows:
        system, before, after = skeletons[int(chance.integers(len(skeletons)))]
        row["system"], row["prompt"] = (
            system,
            " ".join((before, _item(row["prompt"]), after)).strip(),
        )
        if at_exit and exits:
            row["client_address"] = exits[int(chance.integers(len(exits)))]
    return rows


def _through_exit(
    scene: Scene, accounts: Sequence[str], effort: Effort, chance: np.random.Generator
) -> list[dict[str, Any]]:
    """The campaign's accounts send their harvest from the victim's addresses."""
    rows = _own_rows(scene, effort, chance)
    exits = [a for v in accounts for a in _addresses(scene, v)]
    for row in rows:
        if exits:
            row["client_address"] = exits[int(chance.integers(len(exits)))]
    return rows


def _with_keys(
    scene: Scene, stolen: Sequence[str], effort: Effort, chance: np.random.Generator
) -> list[dict[str, Any]]:
    """Harvest prompts on the victim's accounts, from the campaign's own machines."""
    rows = []
    for account in stolen:
        few = Effort(effort.exchanges, 1, 0)
        thief = Scene(
            scene.rows, scene.accounts, scene.of_account,
            (scene.attacker[int(chance.integers(len(scene.attacker)))],), {}, {},
        )  # fmt: skip
        for row in _own_rows(thief, few, chance):
            rows.append(  # noqa: PERF401 - the comprehension would hide what is changed
                row
                | {
                    "account": account,
                    "organization": _values(scene, account, "organization")[0],
                    "credential": _values(scene, account, "credential")[0],
                }
            )
    return rows


def skeletons_of(scene: Scene, accounts: Sequence[str]) -> list[tuple[str | None, str, str]]:
    """What the victim's prompts have in common: (system, words before an item, words after it).

    Prompts that open with the same words and come five times or more share a skeleton; who writes
    freely has none, and then the first half of each of its first prompts stands for one.
    """
    texts = [
        (system, (prompt or "").split())
        for account in accounts
        for system, prompt in zip(
            _values(scene, account, "system"), _values(scene, account, "prompt"), strict=True
        )
    ]
    alike: dict[tuple[Any, ...], list[list[str]]] = {}
    for system, words in texts:
        alike.setdefault((system, *words[:_OPENING]), []).append(words)
    found = []
    for key, prompts in alike.items():
        if len(prompts) >= 5:
            before = _common(prompts)
            after = _common([p[len(before) :][::-1] for p in prompts])[::-1]
            found.append((key[0], " ".join(before), " ".join(after)))
    return found or [
        (system, " ".join(words[: max(1, len(words) // 2)]), "") for system, words in texts[:_SHOWN]
    ]


def _common(texts: list[list[str]]) -> list[str]:
    """Longest common beginning."""
    first, last = min(texts), max(texts)
    n = 0
    while n < min(len(first), len(last)) and first[n] == last[n]:
        n += 1
    return first[:n]


def _item(prompt: str | None) -> str:
    """The middle of a prompt: mostly what is new in it."""
    words = (prompt or "").split()
    return " ".join(words[len(words) // 3 : 2 * len(words) // 3 + 8])
