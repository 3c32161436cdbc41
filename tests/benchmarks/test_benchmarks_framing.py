"""Framing: what an attack adds to a log, and that the cheap ones get nobody named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import framing
from _framing import (
    ATTACKS,
    EXIT,
    KEY,
    TEMPLATE,
    Effort,
    Scene,
    attacked,
    read_scene,
    skeletons_of,
    victims,
)
from stillhunt_simulator import scenarios, simulate


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("framing")
    simulate(folder, seed=7, exchanges=30_000)
    return folder


@pytest.fixture(scope="module")
def scene(traffic: Path) -> Scene:
    return read_scene(traffic)


def _added(
    scene: Scene, attack: str, accounts: list[str], effort: Effort
) -> list[dict[str, object]]:
    rows, _ = attacked(scene, attack, [accounts], effort, np.random.default_rng(1))
    assert rows.slice(0, scene.rows.num_rows).equals(scene.rows)
    assert len(set(rows.column("exchange_id").to_pylist())) == rows.num_rows
    return list(rows.slice(scene.rows.num_rows).to_pylist())


def _addresses(scene: Scene, accounts: list[str]) -> set[str]:
    mine = np.concatenate([scene.of_account[a] for a in accounts])
    return set(scene.rows.column("client_address").take(pa.array(mine)).to_pylist())


def test_victims_are_lawful_unlicensed_and_belong_together(scene: Scene) -> None:
    chosen = victims(scene, 3)
    assert "licensed" not in chosen
    assert len(chosen) >= 10
    for persona, accounts in chosen.items():
        assert len(set(accounts)) == len(accounts)
        assert {scene.persona[a] for a in accounts} == {persona}
    office = chosen["office"]
    assert len({scene.accounts[a]["email_domain"] for a in office}) == 1


def test_stolen_keys_send_harvest_from_the_thiefs_machines(scene: Scene) -> None:
    accounts = victims(scene, 2)["office"]
    rows = _added(scene, KEY, accounts, Effort(5, 0, 2))
    assert Counter(r["account"] for r in rows) == dict.fromkeys(accounts, 5)
    assert {r["client_address"] for r in rows} <= _addresses(scene, list(scene.attacker))


def test_at_a_shared_exit_only_the_address_is_the_victims(scene: Scene) -> None:
    accounts = victims(scene, 2)["vpn"]
    rows = _added(scene, EXIT, accounts, Effort(4, 3, 0))
    assert {r["account"] for r in rows} == set(scene.attacker[:3])
    assert {r["client_address"] for r in rows} <= _addresses(scene, accounts)


def test_a_copied_template_has_the_victims_words_and_the_attackers_items(scene: Scene) -> None:
    accounts = victims(scene, 1)["tool_user"]
    skeletons = skeletons_of(scene, accounts)
    rows = _added(scene, TEMPLATE, accounts, Effort(4, 3, 0))
    assert {r["account"] for r in rows} == set(scene.attacker[:3])
    assert not {r["client_address"] for r in rows} & _addresses(scene, accounts)
    for row in rows:
        assert any(
            row["system"] == system
            and str(row["prompt"]).startswith(before)
            and str(row["prompt"]).endswith(after)
            for system, before, after in skeletons
        )


def test_efforts_rise_and_are_priced() -> None:
    assert framing.efforts(KEY, [3, 1], [3], [1]) == [Effort(1, 0, 1), Effort(3, 0, 1)]
    assert framing.efforts(TEMPLATE, [1], [3, 30], [1]) == [Effort(1, 3, 0), Effort(1, 30, 0)]
    spent = framing.Spent(exchanges=100, accounts=3, payers=2, addresses=1, keys=1)
    prices = framing.Prices(exchange=0.1, account=1, payer=2, address=3, key=4)
    assert prices.of(spent) == pytest.approx(10 + 3 + 4 + 3 + 4)


def _named_alone(scene: Scene, traffic: Path, attack: str, effort: Effort) -> set[str]:
    """Personas whose victim is named: all are attacked at once, whoever is named then alone."""
    chosen = victims(scene, 1)
    row = framing.hunt_attacked(scene, traffic, attack, chosen, effort, seed=7)
    assert row.campaigns > 0  # the hunt is not merely blind
    return {
        persona
        for persona in row.named
        if framing.hunt_attacked(
            scene, traffic, attack, {persona: chosen[persona]}, effort, seed=7
        ).named
    }


@pytest.mark.parametrize(
    ("attack", "effort"),
    [
        (TEMPLATE, Effort(3, 3, 0)),
        (TEMPLATE, Effort(10, 10, 0)),
        (EXIT, Effort(3, 3, 0)),
        (KEY, Effort(1, 0, 1)),
    ],
)
def test_cheap_attacks_get_no_victim_named(
    traffic: Path, scene: Scene, attack: str, effort: Effort
) -> None:
    assert _named_alone(scene, traffic, attack, effort) == set()


def test_stolen_prompts_drown_in_what_the_victim_sends_itself(tmp_path: Path) -> None:
    """Few addresses, one template: here a thief's prompts are linked as surely as can be."""
    simulate(tmp_path, seed=1, exchanges=30_000, scenario=scenarios.load("e2"))
    scene = read_scene(tmp_path)
    busy = {p: v for p, v in victims(scene, 1).items() if len(scene.of_account[v[0]]) >= 50}
    assert len(busy) >= 4
    for prompts in (1, 3):
        row = framing.hunt_attacked(scene, tmp_path, KEY, busy, Effort(prompts, 0, 1), seed=1)
        assert row.campaigns > 0
        assert row.named == ()


def test_every_attack_is_tried() -> None:
    assert {a for a in ATTACKS for _ in framing.efforts(a, [1], [1], [1])} == set(ATTACKS)
