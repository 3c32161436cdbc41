"""The documents against the program: commands, options, links, columns, constants, words."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer

import stillhunt
from stillhunt.campaigns.seeds import SEED_SCHEMA
from stillhunt.cli.app import app
from stillhunt.linking.families import FAMILIES, HELD_OUT, PAIRS
from stillhunt.records.findings import (
    ACCOUNT_CHANGES,
    CAMPAIGN_CHANGES,
    FINDINGS_VERSION,
    KINDS,
    OVER_TIME,
    TABLES,
)
from stillhunt.records.observation import OBSERVATION_VERSION
from stillhunt.scoring.calibration import estimative_word

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _commands() -> dict[str, set[str]]:
    """Every command of the program and its options; a group's are ``group command``, too."""
    found: dict[str, set[str]] = {}
    left: list[tuple[str, Any]] = [("", typer.main.get_command(app))]
    for name, command in left:
        own = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        found[name] = {"-h", "--help"} | own
        inner = getattr(command, "commands", {})
        left += [(f"{name} {word}".strip(), below) for word, below in inner.items()]
    del found[""]
    return found


def _shell(text: str) -> list[list[str]]:
    """The command lines in a document's sh blocks, as words; comments and continuations resolved."""
    lines = []
    for language, block in _FENCE.findall(text):
        if language != "sh":
            continue
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|;|\|", line):
                words = shlex.split(part, comments=True)
                if words:
                    lines.append(words)
    return lines


def _slug(heading: str) -> str:
    """A heading's anchor, as forges make it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def _problems_of_commands(text: str) -> list[str]:
    """What a document's code blocks ask for and the program does not have."""
    commands = _commands()
    targets = set(re.findall(r"^([a-z]+):", _text(ROOT / "Makefile"), re.M))
    found = []
    for words in _shell(text):
        if words[0] == "make":
            found += [f"make {t}" for t in words[1:] if t not in targets]
        if words[0] == "python" and not (ROOT / words[1]).is_file():
            found.append(f"python {words[1]}")
        if words[0] != "stillhunt":
            continue
        command = " ".join(words[1:3]) if " ".join(words[1:3]) in commands else words[1]
        if command not in commands:
            found.append(f"stillhunt {command}")
            continue
        options = {word.split("=")[0] for word in words[2:] if word.startswith("-")}
        found += [f"stillhunt {command} {o}" for o in sorted(options - commands[command])]
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_and_options_of_code_blocks_exist(path: Path) -> None:
    assert _problems_of_commands(_text(path)) == []


def test_a_command_that_does_not_exist_is_noticed() -> None:
    text = "```sh\nstillhunt hunt logs/ --everything\nstillhunt catch x\nmake coffee\npython brew.py\n```\n"
    assert _problems_of_commands(text) == [
        "stillhunt hunt --everything",
        "stillhunt catch",
        "make coffee",
        "python brew.py",
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_options_named_in_prose_exist(path: Path) -> None:
    known = set().union(*_commands().values())
    # Options of other programs that the documents name: benchmarks/intent.py, sha256sum.
    foreign = {"--fit", "--check"}
    prose = _FENCE.sub("", _text(path))
    assert set(_OPTION.findall(prose)) - known - foreign == set()


def test_readme_shows_every_command() -> None:
    shown = {words[1] for words in _shell(_text(ROOT / "README.md")) if words[0] == "stillhunt"}
    assert shown == {command for command in _commands() if " " not in command}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in _LINK.findall(_FENCE.sub("", _text(path))):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.is_relative_to(ROOT), target
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", _text(file)), re.M)
            assert anchor in {_slug(h) for h in headings}, target


def test_every_document_is_indexed() -> None:
    docs = ROOT / "docs"
    for folder, index in (
        (docs / "guides", docs / "README.md"),
        (docs / "adr", docs / "adr" / "README.md"),
        (docs, docs / "README.md"),
    ):
        linked = {
            (index.parent / t.partition("#")[0]).resolve() for t in _LINK.findall(_text(index))
        }
        for document in folder.glob("*.md"):
            assert document == index or document.resolve() in linked, document.name


def test_decisions_are_numbered_and_whole() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [r.name[:4] for r in records] == [f"{i:04d}" for i in range(1, len(records) + 1)]
    for record in records:
        text = _text(record)
        assert text.startswith(f"# {record.name[:4]}. "), record.name
        for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
            assert text.count(part) == 1, (record.name, part)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_document_names_a_path_of_some_machine(path: Path) -> None:
    assert re.findall(r"(?<![\w.~])/(?:home|root|work|tmp|Users)/", _text(path)) == []


def test_python_blocks_run_on_what_exists() -> None:
    for document in DOCUMENTS:
        for language, block in _FENCE.findall(_text(document)):
            if language != "python":
                continue
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and node.module == "stillhunt":
                    assert {a.name for a in node.names} <= set(stillhunt.__all__)


def test_design_lists_every_column_of_the_outputs() -> None:
    text = _text(ROOT / "docs" / "design.md")
    outputs = text[text.index("## Outputs") : text.index("## Statistics")]
    schemas: dict[str, pa.Schema] = TABLES | {"seeds": SEED_SCHEMA}
    for table, schema in schemas.items():
        start = outputs.index(f"**{table}**")
        end = outputs.find("\n**", start)
        named = set(re.findall(r"`(\w+)`", outputs[start : end if end > 0 else None]))
        assert set(schema.names) <= named, table
    assert f"Version {FINDINGS_VERSION}." in outputs


def test_formats_list_what_is_handed_on() -> None:
    text = _text(ROOT / "docs" / "formats.md")
    told = text[text.index("## Over time") :]
    for table, schema in OVER_TIME.items():
        start = told.index(f"**{table}**")
        named = set(re.findall(r"`(\w+)`", told[start : told.index("\n**", start)]))
        assert set(schema.names) <= named, table
    guide = _text(ROOT / "docs" / "guides" / "over-time.md")
    for change in (*CAMPAIGN_CHANGES, *ACCOUNT_CHANGES):
        assert f"`{change}`" in told
        assert f"| `{change}`" in guide


def test_design_lists_every_pair_that_is_tested() -> None:
    text = _text(ROOT / "docs" / "design.md")
    links = text[text.index("### Links") : text.index("### Clusters")]
    rows = dict(re.findall(r"^\| (\w+) \| (.+?) \|$", links, re.M))
    told = set()
    for family, partners in rows.items():
        for partner in re.findall(r"\w+", partners):
            if family in FAMILIES and partner in FAMILIES:
                told.add(tuple(sorted((family, partner))))
    if "a second address" in rows["address"]:
        told.add(("address", "address"))
    assert told == {tuple(sorted(pair)) for pair in PAIRS}
    held = text[text.index("### Are they one?") : text.index("### What they do together")]
    for families in HELD_OUT:
        assert f"| {', '.join(families)} | {families[0]} |" in held


def test_constants_of_the_design_are_the_codes() -> None:
    text = _text(ROOT / "docs" / "design.md")
    table = text[text.index("### Constants") : text.index("## What the error rates mean")]
    rows = re.findall(r"^\| `([\w.]+)` \| ([\d.]+) \|", table, re.M)
    assert len(rows) >= 20
    for name, value in rows:
        module, _, constant = name.rpartition(".")
        assert getattr(importlib.import_module(f"stillhunt.{module}"), constant) == float(value), (
            name
        )


def test_concepts_list_the_kinds_and_the_words() -> None:
    text = _text(ROOT / "docs" / "concepts.md")
    assert all(f"`{kind}`" in text for kind in KINDS)
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", text[text.index("## Words for") :], re.M)[1:]
    assert len(rows) == 7
    low = 0.0
    for span, word in rows:
        numbers = [float(n) for n in re.findall(r"\d\.\d+", span)]
        high = 1.0 if "above" in span else numbers[-1]
        assert "below" in span or numbers[0] == low
        assert estimative_word(low) == word
        assert estimative_word((low + high) / 2) == word
        low = high


def test_changelog_names_the_schema_versions() -> None:
    text = _text(ROOT / "CHANGELOG.md")
    assert f"findings {FINDINGS_VERSION}, observation {OBSERVATION_VERSION}, details 1" in text
