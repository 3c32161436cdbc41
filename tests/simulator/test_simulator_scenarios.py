"""Scenario files: the built-in ones, what they are extended by, and what is said of wrong ones."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stillhunt_simulator import ScenarioError, load, scenarios
from stillhunt_simulator.scenario import Persona, Scenario
from stillhunt_simulator.scenarios.problems import line_of
from stillhunt_simulator.scenarios.schema import schema
from stillhunt_simulator.texts.kinds import KINDS

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas" / "scenario.schema.json"
LADDER = tuple(f"e{i}" for i in range(8))
VARIANTS = ("e3-dozen", "e3-thousands", "e3-trickle")

PERSONA = """
[personas.somebody]
network = { own = [1, 2] }
writing = { free = 1.0 }
"""


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_built_in_ones() -> None:
    assert set(scenarios.names()) == {"small", "clean", *LADDER, *VARIANTS}
    assert scenarios.names()[:2] == ("small", "clean")
    assert scenarios.titles().keys() == set(scenarios.names())
    for name in scenarios.names():
        scenario = load(name)
        assert scenario.name == name
        assert scenario.title == scenarios.titles()[name]
        lawful = {p.name for p in load("clean").lawful}
        left_out = {"prompt_copier"} if name == "small" else set()
        assert {p.name for p in scenario.lawful} == lawful - left_out


def test_each_plants_what_it_is_to_plant() -> None:
    assert load("clean").campaigns == ()
    assert len(load("small").campaigns) == 2
    for name in LADDER:
        assert len(load(name).campaigns) == 3
        assert len({c.writing.kinds for c in load(name).campaigns}) == 3
    for name in VARIANTS:
        assert len(load(name).campaigns) == 1
    assert load("e3-dozen").campaigns[0].accounts == (12, 12)
    assert load("e3-thousands").campaigns[0].accounts == (2000, 2000)
    trickle = load("e3-trickle")
    share = trickle.campaigns[0].share / sum(p.share for p in trickle.personas)
    assert share == pytest.approx(0.001, rel=0.1)


def test_every_key_of_a_scenario_can_be_read_back(folder: Path) -> None:
    path = written(
        folder,
        """
        title = "Everything"
        exchanges = 5000
        days = 7
        start = 2026-01-05T00:00:00Z
        release_day = 3.5
        [campaigns.one]
        share = 2
        groups = 3
        accounts = [4, 5]
        grows = "nothing"
        spread = 0.1
        beat = "throttled"
        zone = "group"
        waves = 0.5
        client = "handful"
        joined = "for_this"
        adoption = 0.5
        adoption_days = 0.3
        lifetime_days = 4
        keys = "rotated"
        resold = 0.7
        [campaigns.one.writing]
        kinds = ["coding"]
        templates = 2
        public = ["benchmark:suite"]
        free = 0.1
        systems = 0.2
        reword = 0.3
        items = "drawn"
        pool = 10
        pool_name = "suite"
        topics = "group"
        [campaigns.one.network]
        place = "proxies"
        shared = 9
        used = [2, 3]
        own = [1, 1]
        [campaigns.one.ownership]
        declared = true
        payment = "bundle"
        email = "group"
        tier = "paid"
        declared_use = "use"
        licence = "yes"
        """,
    )
    table = tomllib.loads(path.read_text("utf-8"))
    scenario = load(path)
    (persona,) = scenario.personas
    assert (persona.name, persona.campaign, scenario.name) == ("campaign", "one", "mine")
    # The test names every field that a file may set.
    named = set(table["campaigns"]["one"]) | {"name", "campaign"}
    assert named == {f.name for f in fields(Persona)}
    assert set(table) - {"campaigns"} | {"personas", "name"} == {f.name for f in fields(Scenario)}
    for part in ("writing", "network", "ownership"):
        for key, value in table["campaigns"]["one"][part].items():
            held = getattr(getattr(persona, part), key)
            assert held == (tuple(value) if isinstance(value, list) else value)


def test_a_file_may_extend_another(folder: Path) -> None:
    written(folder, 'title = "Base"\ndays = 3\nrelease_day = 1' + PERSONA, "base.toml")
    path = written(
        folder,
        'extends = "base.toml"\ntitle = "More"\n[personas.somebody]\nshare = 4\n'
        "[personas.other]\nnetwork = { own = [1, 1] }\nwriting = { free = 1.0 }\n",
    )
    scenario = load(path)
    assert [p.name for p in scenario.personas] == ["somebody", "other"]
    assert (scenario.days, scenario.personas[0].share) == (3, 4.0)
    assert scenario.personas[0].network.own == (1, 2)
    fewer = written(
        folder, 'extends = "clean"\ntitle = "Fewer"\nwithout = ["licensed"]\n', "fewer.toml"
    )
    assert "licensed" not in {p.name for p in load(fewer).personas}


BASE = 'title = "T"\n'
WRONG: list[tuple[str, str, int | None, str, str]] = [
    # text, key, line, what is wrong, remedy
    (BASE + PERSONA + "shares = 3\n", "personas.somebody.shares", 6, "no such key", "share"),
    (BASE + PERSONA + 'share = "3"\n', "personas.somebody.share", 6, "a text", "a number"),
    (BASE + PERSONA + "share = -1\n", "personas.somebody.share", 6, "out of range", "0"),
    (BASE + PERSONA + 'beat = "weekly"\n', "personas.somebody.beat", 6, "no choice", "sessions"),
    (BASE + PERSONA + "accounts = [5, 2]\n", "personas.somebody.accounts", 6, "above", "lowest"),
    (BASE + PERSONA + "accounts = 5\n", "personas.somebody.accounts", 6, "whole", "range"),
    (BASE + PERSONA + "groups = true\n", "personas.somebody.groups", 6, "true or false", "whole"),
    (BASE + PERSONA + "resold = 0.7\n", "personas.somebody.resold", 6, "campaigns", "Leave"),
    (BASE + PERSONA + 'beat = "nightly"\n', "personas.somebody.beat", 6, "nightly", "repeated"),
    (BASE + "days = 3\nrelease_day = 9\n" + PERSONA, "release_day", 3, "3 days", "among"),
    (BASE + 'extends = "nowhere"\n', "", None, "no such scenario", "built-in"),
    (BASE + 'extends = "clean"\nwithout = ["me"]\n', "without", 3, "not inherited", "licensed"),
    (BASE + "personas = 3\n", "personas", 2, "not a table", "tables"),
    (BASE, "personas", None, "nobody", "Add"),
    (PERSONA, "title", None, "missing", "Add"),
    ("title = T\n", "", None, "no TOML", "syntax"),
    (
        BASE + PERSONA.replace("free = 1.0", 'kinds = ["x"], templates = 1'),
        "personas.somebody.writing.kinds",
        4,
        "no kind 'x'",
        "coding",
    ),
    (
        BASE + PERSONA.replace("free = 1.0", 'kinds = ["coding"]'),
        "personas.somebody.writing.templates",
        4,
        "each other",
        "both",
    ),
    (
        BASE + PERSONA.replace("free = 1.0", 'public = ["coding"]'),
        "personas.somebody.writing.public",
        4,
        "kind:name",
        "colon",
    ),
    (
        BASE + PERSONA.replace("free = 1.0", 'free = 1.0, items = "drawn"'),
        "personas.somebody.writing.pool",
        4,
        "pools",
        "Set pool",
    ),
    (
        BASE + PERSONA.replace("free = 1.0", "free = 0.5"),
        "personas.somebody.writing.free",
        4,
        "nothing to ask",
        "free = 1",
    ),
    (
        BASE + PERSONA.replace("own = [1, 2]", "used = [1, 2]"),
        "personas.somebody.network.used",
        3,
        "only 0",
        "Raise",
    ),
    (
        BASE + PERSONA.replace("own = [1, 2]", "own = [0, 2]"),
        "personas.somebody.network",
        3,
        "without address",
        "Raise",
    ),
]


@pytest.mark.parametrize(("text", "key", "line", "problem", "remedy"), WRONG)
def test_errors_name_file_line_key_and_remedy(
    folder: Path, text: str, key: str, line: int | None, problem: str, remedy: str
) -> None:
    path = written(folder, text)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    error = caught.value
    assert problem in error.problem
    assert remedy in error.remedy
    assert str(error).startswith(error.file)
    if key:
        assert (error.file, error.key) == (str(path), key)
        assert key in str(error)
    if line:
        assert error.line is not None
        named = path.read_text("utf-8").splitlines()[error.line - 1]
        assert abs(error.line - line) <= 1
        assert key.rsplit(".", maxsplit=1)[-1] in named or key.split(".")[-2] in named


def test_what_is_inherited_is_wrong_where_it_was_written(folder: Path) -> None:
    base = written(folder, BASE + PERSONA + "share = -1\n", "base.toml")
    with pytest.raises(ScenarioError) as caught:
        load(written(folder, 'extends = "base.toml"\ntitle = "M"\n'))
    assert caught.value.file == str(base)
    assert caught.value.line == 6


def test_scenarios_do_not_go_in_circles(folder: Path) -> None:
    one = written(folder, BASE + 'extends = "two.toml"\n', "one.toml")
    written(folder, BASE + f'extends = "{one.name}"\n', "two.toml")
    with pytest.raises(ScenarioError, match="circle"):
        load(one)


def test_lines_are_those_of_keys() -> None:
    text = 'a = 1\n[t]\nb = 2\n[t.u]\n"c d" = 3\nv.w = 4\n[[x]]\n'
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("t", "b")) == 3
    assert line_of(text, ("t", "u", "c d")) == 5
    assert line_of(text, ("t", "u", "v", "w")) == 6
    assert line_of(text, ("t", "u", "gone")) == 4
    assert line_of(text, ("gone",)) is None


def test_the_published_schema_is_the_loaders() -> None:
    assert json.loads(PUBLISHED.read_text("utf-8")) == schema()
    jsonschema.Draft202012Validator.check_schema(schema())


def as_json(text: str) -> Any:
    return json.loads(json.dumps(tomllib.loads(text), default=lambda day: day.isoformat()))


def test_the_schema_takes_the_built_in_ones() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    for file in files(scenarios).iterdir():
        if file.name.endswith(".toml"):
            assert not list(validator.iter_errors(as_json(file.read_text("utf-8")))), file.name


# What no single key shows, only the loader can tell.
BY_THE_LOADER_ONLY = (
    *("above", "campaigns", "nightly", "3 days", "no such scenario", "not inherited", "nobody"),
    *("each other", "kind:name", "pools", "nothing to ask", "only 0", "without address", "no TOML"),
)


@pytest.mark.parametrize("text", [case[0] for case in WRONG if case[3] not in BY_THE_LOADER_ONLY])
def test_the_schema_refuses_what_the_loader_refuses_of_single_keys(text: str) -> None:
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(as_json(text)))


def test_kinds_that_scenarios_name_exist() -> None:
    for name in scenarios.names():
        for persona in load(name).personas:
            assert set(persona.writing.kinds) <= KINDS.keys()
