"""A scenario's tables as a scenario, and what no single key shows to be wrong."""

from __future__ import annotations

from typing import Any

from stillhunt_simulator.scenario import Persona, Scenario
from stillhunt_simulator.scenarios.tables import Complain, build
from stillhunt_simulator.texts.kinds import KINDS


def checked(table: dict[str, Any], name: str, complain: Complain) -> Scenario:
    """Make a scenario of its tables.

    Raises:
        Exception: what ``complain`` makes of a wrong key or value.
    """
    table = dict(table)
    personas: list[Persona] = []
    for part in ("personas", "campaigns"):
        entries = table.pop(part, {})
        if not isinstance(entries, dict):
            raise complain((part,), "this is not a table", f"Write [{part}.name] tables.")
        for label, entry in entries.items():
            path = (part, label)
            planted = part == "campaigns"
            persona = build(
                Persona,
                entry,
                path,
                complain,
                name="campaign" if planted else label,
                campaign=label if planted else None,
            )
            _check(persona, path, complain)
            personas.append(persona)
    if not personas:
        raise complain(("personas",), "nobody is there", "Add a [personas.name], or extend one.")
    scenario: Scenario = build(Scenario, table, (), complain, personas=tuple(personas), name=name)
    if scenario.release_day > scenario.days:
        raise complain(
            ("release_day",), f"there are only {scenario.days} days", "Set it to a day among them."
        )
    return scenario


def _check(persona: Persona, path: tuple[str, ...], complain: Complain) -> None:
    writing, network = persona.writing, persona.network
    at = (*path, "writing")
    for kind in writing.kinds:
        if kind not in KINDS:
            raise complain(
                (*at, "kinds"), f"there is no kind {kind!r}", f"Use some of: {', '.join(KINDS)}."
            )
    for label in writing.public:
        if label.split(":")[0] not in KINDS or not label.partition(":")[2]:
            raise complain(
                (*at, "public"),
                f'{label!r} is not "kind:name"',
                f"Begin it with a kind ({', '.join(KINDS)}) and a colon.",
            )
    if bool(writing.kinds) != bool(writing.templates):
        raise complain(
            (*at, "templates"), "kinds and templates need each other", "Set both, or neither."
        )
    if not (writing.kinds or writing.public) and writing.free < 1.0 and writing.items == "new":
        raise complain((*at, "free"), "there is nothing to ask", "Set kinds, public, or free = 1.")
    if (writing.items in ("drawn", "repeated")) != bool(writing.pool):
        raise complain(
            (*at, "pool"),
            "pools are for items that are drawn or repeated",
            'Set pool, and items to "drawn" or "repeated"; or neither.',
        )
    if persona.beat == "nightly" and writing.items != "repeated":
        raise complain(
            (*path, "beat"), "nothing is repeated nightly", 'Set writing.items = "repeated".'
        )
    if network.used[1] > network.shared:
        raise complain(
            (*path, "network", "used"),
            f"only {network.shared} addresses are shared",
            "Raise network.shared, or use fewer.",
        )
    if network.used[1] + network.own[1] == 0 or network.used[0] + network.own[0] == 0:
        raise complain(
            (*path, "network"), "an account may be without address", "Raise network.own or used."
        )
    if persona.resold and not persona.campaign:
        raise complain((*path, "resold"), "this is for campaigns", "Leave it out.")
