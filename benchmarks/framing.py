"""What would it cost an enemy to get an innocent customer named?

``python benchmarks/framing.py --scenario e3`` simulates traffic with campaigns, picks one victim of
each lawful persona, lets the largest campaign attack them with rising effort, hunts, and prints who
gets named:

- copied template: the campaign's accounts send the victim's templates with their own items;
- shared exit: they send their harvest from the victim's addresses (its VPN, a proxy in its network);
- stolen keys: harvest prompts on the victim's accounts, from the campaign's machines;
- all of it: the victim's templates from its addresses, and stolen keys besides.

All victims are attacked in one hunt, which is an attack of its own: many keys at once help the thief,
for victims change what a member of the campaign looks like. Each least effort is then confirmed on that
victim alone. An
account on which a thief harvests does take part, though its holder does not know: that it is named
from some effort on is no mistake of the linking, but it is what the table is about. It ends with 0.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import stillhunt
from _cells import one_core
from _framing import ALL, ATTACKS, KEY, Effort, Scene, Spent, attacked, read_scene
from _framing import victims as chosen_victims
from _markdown import table
from stillhunt_simulator import scenarios, simulate

NOTHING = "baseline"


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices in US dollars, assumptions to be replaced by who knows better.

    Attributes:
        exchange: an API call; account: an aged account with a verified phone number; payer: a prepaid
            card or virtual card; address: an exit in the victim's network or a seat at its VPN;
        key: a working stolen key.
    """

    exchange: float = 0.02
    account: float = 4.0
    payer: float = 12.0
    address: float = 10.0
    key: float = 30.0

    def of(self, spent: Spent) -> float:
        """What an attack costs beyond the campaign that runs anyway.

        Its own accounts and payers are counted, for they are exposed and lost with the victim.
        """
        return (
            self.exchange * spent.exchanges
            + self.account * spent.accounts
            + self.payer * spent.payers
            + self.address * spent.addresses
            + self.key * spent.keys
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One attack: what it took for the dearest victim, who was named, campaigns named in all."""

    attack: str
    effort: Effort
    spent: Spent
    named: tuple[str, ...]
    campaigns: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    asked = _options().parse_args(arguments)
    prices = Prices(**{name: getattr(asked, f"price_{name}") for name in asdict(Prices())})
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    # Spawned, not forked: the parent's threads (DuckDB, Arrow) would not survive a fork.
    with ProcessPoolExecutor(
        asked.jobs, mp_context=multiprocessing.get_context("spawn"), initializer=one_core
    ) as pool:
        results = list(pool.map(partial(one_seed, asked), seeds))
    sys.stdout.write("\n".join(tables(results, prices)))
    if asked.json:
        document = {"options": {k: str(v) for k, v in vars(asked).items()}, "seeds": results}
        asked.json.write_text(json.dumps(document, indent=1, default=asdict) + "\n", "utf-8")
    return 0


def one_seed(asked: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Simulate one traffic and attack in it."""
    with tempfile.TemporaryDirectory(prefix="stillhunt-framing-") as made:
        traffic = Path(made)
        simulate(
            traffic, seed=seed, exchanges=asked.exchanges, scenario=scenarios.load(asked.scenario)
        )
        found = frame(traffic, seed, asked.efforts, asked.accounts, asked.keys)
    print(f"seed {seed} done", file=sys.stderr)
    return found


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--scenario", default="e3")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--exchanges", type=int, default=100_000)
    parser.add_argument(
        "--efforts", type=int, nargs="+", default=[1, 3, 10, 30, 100],
        help="exchanges of each account or key",
    )  # fmt: skip
    parser.add_argument(
        "--accounts", type=int, nargs="+", default=[3, 30], help="of the attacker that take part"
    )
    parser.add_argument("--keys", type=int, nargs="+", default=[1, 3], help="that are stolen")
    parser.add_argument("--jobs", type=int, default=2, help="processes, one core each")
    parser.add_argument("--json", type=Path, help="file for everything")
    for name, price in asdict(Prices()).items():
        parser.add_argument(f"--price-{name}", type=float, default=price, help="US dollars")
    return parser


def frame(
    traffic: Path, seed: int, exchanges: Sequence[int], accounts: Sequence[int], keys: Sequence[int]
) -> dict[str, Any]:
    """Attack every persona's victim with every attack and effort.

    Returns:
        ``victims``: accounts by persona; ``volumes``: exchanges that they sent themselves;
        ``rows``: attacks and who was named, the baseline first;
        ``least``: by attack and persona the least effort that named it when attacked alone, or None.
    """
    scene = read_scene(traffic)
    victims = chosen_victims(scene, max(keys))
    rows = [hunt_attacked(scene, traffic, NOTHING, victims, Effort(0, 0, 0), seed)]
    rows += [
        hunt_attacked(scene, traffic, attack, victims, effort, seed)
        for attack in ATTACKS
        for effort in efforts(attack, exchanges, accounts, keys)
    ]
    before = set(rows[0].named)
    least: dict[str, dict[str, Any]] = {}
    for attack in ATTACKS:
        mine = sorted((r for r in rows if r.attack == attack), key=lambda r: r.spent.exchanges)
        for persona in victims:
            first = None
            for row in mine:
                if persona not in row.named or persona in before:
                    continue
                alone = {persona: victims[persona]}
                confirmed = hunt_attacked(scene, traffic, attack, alone, row.effort, seed)
                if persona in confirmed.named:
                    first = asdict(replace(confirmed, named=(persona,)))
                    break
            least.setdefault(attack, {})[persona] = first
    return {
        "seed": seed,
        "victims": victims,
        "volumes": {p: sum(len(scene.of_account[a]) for a in of) for p, of in victims.items()},
        "rows": [asdict(row) for row in rows],
        "least": least,
    }


def efforts(
    attack: str, exchanges: Sequence[int], accounts: Sequence[int], keys: Sequence[int]
) -> list[Effort]:
    """The efforts of an attack, rising: keys only matter where some are stolen, and so on."""
    if attack == KEY:
        return [Effort(n, 0, k) for k in sorted(keys) for n in sorted(exchanges)]
    stolen = max(keys) if attack == ALL else 0
    return [Effort(n, a, stolen) for a in sorted(accounts) for n in sorted(exchanges)]


def hunt_attacked(
    scene: Scene,
    traffic: Path,
    attack: str,
    victims: dict[str, list[str]],
    effort: Effort,
    seed: int,
) -> Row:
    """Hunt in the attacked log; a victim is named where any of its accounts is."""
    with tempfile.TemporaryDirectory(prefix="stillhunt-framing-") as made:
        log, spent = traffic / "exchanges.parquet", Spent()
        if attack != NOTHING:
            chance = np.random.default_rng([seed, ATTACKS.index(attack), *asdict(effort).values()])
            rows, spent = attacked(scene, attack, list(victims.values()), effort, chance)
            log = Path(made) / "exchanges.parquet"
            pq.write_table(rows, log, compression="zstd")
        result = stillhunt.hunt(
            stillhunt.HuntRequest(
                logs=(log,),
                accounts=traffic / "accounts.parquet",
                out=Path(made) / "findings",
                threads=1,
            )
        )
        named = set(result.accounts.column("account").to_pylist())
    return Row(
        attack=attack,
        effort=effort,
        spent=spent,
        named=tuple(p for p, accounts in victims.items() if named & set(accounts)),
        campaigns=result.campaigns.num_rows,
    )


def tables(results: list[dict[str, Any]], prices: Prices) -> list[str]:
    """Attack by effort, then the least effort of each attack and persona, with its price."""
    rows = []
    for number, first in enumerate(results[0]["rows"]):
        same = [r["rows"][number] for r in results]
        of = sum(len(r["victims"]) for r in results)
        named = sum(len(r["named"]) for r in same)
        personas = sorted({p for r in same for p in r["named"]})
        effort, spent = first["effort"], Spent(**first["spent"])
        rows.append(
            (
                first["attack"], str(effort["exchanges"]), str(effort["accounts"]), str(effort["keys"]),
                f"{spent.exchanges:,}", f"{prices.of(spent):,.0f}", f"{named} of {of}",
                ", ".join(personas) or "-", " ".join(str(r["campaigns"]) for r in same),
            )
        )  # fmt: skip
    head = (
        "attack", "exchanges each", "accounts", "keys", "exchanges for a victim", "US$ for a victim",
        "victims named", "who", "campaigns, by seed",
    )  # fmt: skip
    found = [table("Framing: attack by effort, one victim of each persona", head, rows)]
    rows = []
    for attack in ATTACKS:
        for persona in sorted({p for r in results for p in r["victims"]}):
            least = [r["least"][attack][persona] for r in results if persona in r["victims"]]
            known = [s for s in least if s is not None]
            if not known:
                continue
            cheapest = min(known, key=lambda s: prices.of(Spent(**s["spent"])))
            spent = Spent(**cheapest["spent"])
            volumes = " ".join(
                str(r["volumes"][persona]) for r in results if persona in r["victims"]
            )
            rows.append(
                (
                    attack, persona, volumes, f"{len(known)} of {len(least)}", f"{spent.exchanges:,}",
                    str(spent.accounts), str(spent.payers), str(spent.addresses), str(spent.keys),
                    f"{prices.of(spent):,.0f}",
                )
            )  # fmt: skip
    head = (
        "attack", "victim", "its own exchanges, by seed", "named, in seeds", "exchanges", "accounts",
        "payment instruments", "addresses", "stolen keys", "US$",
    )  # fmt: skip
    if rows:
        found.append(table("Least effort that gets a victim named, attacked alone", head, rows))
    never = [a for a in ATTACKS if not any(row[0] == a for row in rows)]
    if never:
        found.append(f"Never named at any effort tried: {', '.join(never)}.\n")
    found.append(
        f"Prices assumed, US$: {', '.join(f'{k} {v:g}' for k, v in asdict(prices).items())}. "
        "The attacker's own accounts and payers count: what he frames with is exposed.\n"
    )
    return found


if __name__ == "__main__":
    sys.exit(main())
