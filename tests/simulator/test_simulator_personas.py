"""Each lawful persona does what its name says."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from simulated import Simulated, days, grouped, median, runs, sharing

from stillhunt_simulator import load

DECLARED = {"enterprise_app", "data_pipeline", "evaluator", "licensed", "reseller"}


def test_all_of_them_are_there(clean: Simulated) -> None:
    assert set(clean.accounts["persona"].to_pylist()) == {
        *DECLARED,
        "hobbyist",
        "tool_user",
        "prompt_copier",
        "campus",
        "office",
        "vpn",
        "residential_vpn",
        "undeclared_subsidiaries",
        "workshop",
        "benchmarker",
    }


def test_those_who_declare_an_organization(clean: Simulated) -> None:
    for name in set(clean.accounts["persona"].to_pylist()):
        organizations = set(clean.owners(name)["organization"].to_pylist())
        assert (None not in organizations) == (name in DECLARED), name


def test_hobbyists_are_strangers(clean: Simulated) -> None:
    who, rows = clean.owners("hobbyist"), clean.of("hobbyist")
    assert len(set(who["payment"].to_pylist())) == who.num_rows
    assert len(set(rows["prompt"].to_pylist())) == rows.num_rows
    assert sharing(rows, "client_address") < 0.35
    # People write in sittings, by their own day, mostly in one language.
    main = [Counter(v) for v in _lists(rows, "language").values() if len(v) >= 10]
    assert np.mean([c.most_common(1)[0][1] / c.total() for c in main]) > 0.8


def test_tool_users_share_a_template_and_a_client_and_nothing_else(clean: Simulated) -> None:
    rows = clean.of("tool_user")
    assert len({frozenset(v) for v in grouped(rows, "account", "user_agent").values()}) <= 6
    assert sharing(clean.owners("tool_user"), "payment") == 0.0
    common = [runs(v, 6) for v in list(_lists(rows, "prompt").values())[:12]]
    pairs = [bool(a & b) for i, a in enumerate(common) for b in common[:i]]
    assert np.mean(pairs) > 0.2
    assert len(set(rows["prompt"].to_pylist())) > 0.97 * rows.num_rows


def test_strangers_copy_a_well_known_prompt_and_ask_their_own_questions(clean: Simulated) -> None:
    rows = clean.of("prompt_copier")
    assert sharing(clean.owners("prompt_copier"), "payment") == 0.0
    assert len(set(rows["prompt"].to_pylist())) == rows.num_rows
    said = [runs(v, 6) for v in _lists(rows, "prompt").values() if len(v) >= 10]
    pairs = [bool(a & b) for i, a in enumerate(said) for b in said[:i]]
    assert len(pairs) >= 10
    assert np.mean(pairs) > 0.8


@pytest.mark.parametrize("name", ["enterprise_app", "data_pipeline"])
def test_applications_and_pipelines_answer_briefly_from_few_machines(
    clean: Simulated, name: str
) -> None:
    rows = clean.of(name)
    assert median(rows, "output_tokens") < 150
    assert max(len(v) for v in grouped(rows, "organization", "client_address").values()) <= 4
    assert len(set(rows["prompt"].to_pylist())) > 0.95 * rows.num_rows


def test_pipelines_run_for_hours_and_then_rest(clean: Simulated) -> None:
    rows = clean.of("data_pipeline")
    busy = grouped(
        rows.append_column("hour", pc.floor_temporal(rows["time"], unit="hour")), "account", "hour"
    )
    assert max(len(v) for v in busy.values()) <= 33


def test_evaluators_repeat_themselves_nightly(clean: Simulated) -> None:
    rows = clean.of("evaluator")
    rows = rows.append_column("day", pc.floor_temporal(rows["time"], unit="day"))
    for account in set(rows["account"].to_pylist()):
        mine = rows.filter(pc.equal(rows["account"], account))
        assert len(set(mine["prompt"].to_pylist())) <= 45
        nights = [frozenset(prompts) for prompts in _lists(mine, "prompt", "day").values()]
        assert len(nights) >= 3
        # The same list every night; only the last one may break off.
        assert sum(night != max(nights, key=len) for night in nights) <= 1


def test_campuses_share_addresses_and_homework(clean: Simulated) -> None:
    rows, who = clean.of("campus"), clean.owners("campus")
    assert max(len(v) for v in grouped(rows, "client_address", "account").values()) >= 10
    assert set(who["tier"].to_pylist()) == {"education"}
    assert len(set(who["email_domain"].to_pylist())) <= 3
    asked = Counter(rows["prompt"].to_pylist())
    shared = [p for p, v in grouped(rows, "prompt", "account").items() if len(v) > 1]
    assert sum(asked[p] for p in shared) > 0.05 * rows.num_rows


def test_offices_share_addresses_and_a_mail_domain(clean: Simulated) -> None:
    who = clean.owners("office")
    assert sharing(clean.of("office"), "client_address") == 1.0
    assert len(set(who["email_domain"].to_pylist())) < 0.2 * who.num_rows
    assert sharing(who, "payment") == 0.0


@pytest.mark.parametrize("name", ["vpn", "residential_vpn"])
def test_behind_exits_there_are_strangers(clean: Simulated, name: str) -> None:
    assert sharing(clean.of(name), "client_address") > 0.3
    assert sharing(clean.owners(name), "payment") == 0.0
    assert len(set(clean.of(name)["prompt"].to_pylist())) == clean.of(name).num_rows


def test_households_go_on_using_lines_that_proxies_use(clean: Simulated) -> None:
    proxied = set(clean.of("residential_vpn")["client_address"].to_pylist())
    honest = grouped(clean.of("hobbyist"), "client_address", "account")
    assert len(proxied & honest.keys()) >= 3


def test_subsidiaries_pay_from_one_purse_and_say_nothing(clean: Simulated) -> None:
    who = clean.owners("undeclared_subsidiaries")
    assert who["organization"].null_count == who.num_rows
    by_payer = grouped(who, "payment", "account")
    assert min(len(v) for v in by_payer.values()) >= 6
    assert grouped(who, "payment", "email_domain").keys() == by_payer.keys()
    assert all(len(v) == 1 for v in grouped(who, "payment", "email_domain").values())
    assert median(clean.of("undeclared_subsidiaries"), "output_tokens") < 200


def test_workshops_make_synthetic_data_in_one_room_on_few_days(clean: Simulated) -> None:
    rows = clean.of("workshop")
    assert sharing(rows, "client_address") > 0.9
    assert median(rows, "output_tokens") > 500
    # Half of what a room asks, it asks on a few days.
    busiest = np.sort(np.bincount(days(rows).astype(int), minlength=14))[::-1]
    assert busiest[:5].sum() > 0.5 * rows.num_rows


def test_only_licensed_customers_have_a_licence(clean: Simulated) -> None:
    licences = clean.accounts.filter(pc.is_valid(clean.accounts["licence"]))
    assert set(licences["persona"].to_pylist()) == {"licensed"}
    assert clean.owners("licensed")["licence"].null_count == 0
    assert median(clean.of("licensed"), "output_tokens") > 500


def test_resellers_send_everybodys_requests(clean: Simulated) -> None:
    rows = clean.of("reseller")
    assert len(set(rows["prompt"].to_pylist())) == rows.num_rows
    assert min(len(v) for v in grouped(rows, "account", "language").values()) == 4


def test_laboratories_ask_the_same_items_from_their_own_machines(clean: Simulated) -> None:
    rows, who = clean.of("benchmarker"), clean.owners("benchmarker")
    assert all(len(v) == 1 for v in grouped(rows, "client_address", "account").values())
    assert sharing(who, "payment") == 0.0
    by_account = grouped(rows, "account", "prompt")
    assert all(len(v) >= 30 for v in by_account.values())
    everybody = set.intersection(*by_account.values())
    assert len(everybody) > 0.5 * max(len(v) for v in by_account.values())


def test_shares_are_as_the_scenario_says(clean: Simulated) -> None:
    scenario = load("clean")
    total = sum(p.share for p in scenario.personas)
    counts = Counter(clean.exchanges["persona"].to_pylist())
    for persona in scenario.personas:
        assert counts[persona.name] == pytest.approx(24_000 * persona.share / total, abs=1)


def _lists(table: pa.Table, value: str, key: str = "account") -> dict[str, list[str]]:
    """Values of one column by those of another, in order."""
    out: dict[str, list[str]] = {}
    for k, v in zip(table[key].to_pylist(), table[value].to_pylist(), strict=True):
        out.setdefault(k, []).append(v)
    return out
