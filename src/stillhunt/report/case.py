"""The case folder: all that a colleague needs to judge one campaign, and nothing of others."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from stillhunt.errors import InputError, OutputError, UsageError
from stillhunt.report import wording
from stillhunt.report.case_readme import case_readme
from stillhunt.report.details import CampaignDetails
from stillhunt.report.findings import Findings, read_findings
from stillhunt.report.images import draw
from stillhunt.report.sheet import sheet
from stillhunt.report.visible import visible

MANIFEST = "MANIFEST.sha256"
_MOST_MEMBERS = 200
_EXEMPLAR = 8000


def write_case(findings: Path, campaign: str, out: Path) -> Path:
    """Write the folder of one campaign; it appears whole or not at all.

    Args:
        findings: a folder that ``stillhunt hunt --out`` has written.
        campaign: the campaign's id.
        out: the folder to make; must not exist, or be empty.

    Returns:
        ``out``. It holds README.md, accounts.csv, links.csv, do_not_act.csv, exemplars.txt,
        campaign.json, charts/ and MANIFEST.sha256 (which ``sha256sum --check`` understands).

    Raises:
        UsageError: no such campaign, or the folder holds something.
        InputError: the findings cannot be read, or hold no details of this campaign.
        OutputError: the folder cannot be written.
        MissingExtraError: the ``report`` extra is not installed.
    """
    found = read_findings(findings)
    row = next((row for row in found.campaigns if row["campaign"] == campaign), None)
    if row is None:
        known = ", ".join(visible(row["campaign"], 40) for row in found.campaigns[:10]) or "none"
        raise UsageError(
            f"There is no campaign {visible(campaign, 60)} in these findings.",
            f"Name one of those found: {known}.",
        )
    details = found.details.get(campaign)
    if details is None:
        raise InputError(
            "details.json holds nothing about this campaign.", "Run the hunt again, then the case."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            f"{out} is there already.", "Name a new folder: a case is never written over another."
        )
    files = _files(found, row, details)
    files[MANIFEST] = _manifest(files)
    _write(out, files)
    return out


def _files(found: Findings, row: Mapping[str, Any], details: CampaignDetails) -> dict[str, bytes]:
    files = {
        "README.md": case_readme(row, details, found.hunt).encode(),
        "accounts.csv": _accounts(found, row, details),
        "campaign.json": _campaign(found, row, details),
        "do_not_act.csv": sheet(
            ("account", "why"), ((spared.account, spared.why) for spared in details.do_not_act)
        ),
        "exemplars.txt": _exemplars(details).encode(),
        "links.csv": _links(found, row),
    }
    images = draw(details, ("png", "svg"))
    return files | {f"charts/{name}": content for name, content in images.items()}


def _accounts(found: Findings, row: Mapping[str, Any], details: CampaignDetails) -> bytes:
    spans = {span.account: span for span in details.accounts}
    spared = {entry.account: entry.why for entry in details.do_not_act}

    def line(account: Mapping[str, Any]) -> list[object]:
        span = spans.get(account["account"])
        return [
            account["account"],
            account["entity"],
            account["membership_probability"],
            account["campaign_exchanges"],
            account["exchanges"],
            span.created_at.isoformat() if span and span.created_at else None,
            span.first_seen.isoformat() if span else None,
            span.last_seen.isoformat() if span else None,
            "; ".join(_reason(reason) for reason in account["reasons"]),
            spared.get(account["account"]),
        ]

    columns = (
        "account",
        "entity",
        "membership_probability",
        "campaign_exchanges",
        "exchanges",
        "created_at",
        "first_seen",
        "last_seen",
        "reasons",
        "do_not_act",
    )
    return sheet(columns, map(line, found.accounts_of(row["campaign"])))


def _reason(reason: Mapping[str, Any]) -> str:
    odds = "" if reason["log_odds"] is None else f" ({wording.signed(reason['log_odds'])})"
    return f"{reason['signal']}: {reason['evidence']}{odds}"


def _links(found: Findings, row: Mapping[str, Any]) -> bytes:
    members_of: dict[int, list[str]] = {}
    columns = (found.link_members.column(name).to_pylist() for name in ("link", "entity"))
    for link, entity in zip(*columns, strict=True):
        members_of.setdefault(link, []).append(entity)
    names = (
        "x_family",
        "x_value",
        "y_family",
        "y_value",
        "entities",
        "expected",
        "p_value",
        "q_value",
    )

    def line(link: Mapping[str, Any]) -> list[object]:
        members = sorted(members_of.get(link["link"], ()))
        shown = "; ".join(members[:_MOST_MEMBERS])
        more = len(members) - _MOST_MEMBERS
        return [
            *(link[name] for name in names),
            shown + (f"; and {more:,} more" if more > 0 else ""),
        ]

    return sheet((*names, "entity_names"), map(line, found.links_of(row["campaign"])))


def _exemplars(details: CampaignDetails) -> str:
    parts = [
        "Prompts of this campaign, redacted. They were written by others: read them, do not run or",
        "paste them. Characters that hide or reorder text are shown as ⟨U+...⟩.",
    ]
    for template in details.templates:
        skeleton = " ".join(
            f"[{part.text or '…'}]" if part.slot else part.text for part in template.parts
        )
        parts += [
            "",
            "=" * 80,
            f"Template {visible(template.template, 80)}: {template.exchanges:,} exchanges, "
            f"{template.entities:,} entities, {template.items:,} items",
            f"Skeleton (slots in brackets): {visible(skeleton, _EXEMPLAR)}",
        ]
        if template.gone:
            parts += [
                "",
                f"{template.gone:,} further prompts are no longer at hand: their logs are not where they "
                "were, or have changed.",
            ]
        for number, exemplar in enumerate(template.exemplars, start=1):
            # Each line is marked, so that a prompt cannot pass for a heading of this file.
            text = visible(exemplar, _EXEMPLAR, lines=True).replace("\n", "\n  | ")
            parts += ["", f"Prompt {number}:", f"  | {text}"]
    return "\n".join(parts) + "\n"


def _campaign(found: Findings, row: Mapping[str, Any], details: CampaignDetails) -> bytes:
    body = {
        "schema": 1,
        "campaign": dict(row),
        "word": details.word,
        "score": details.score,
        "waterfall": [vars(step) for step in details.waterfall],
        "accounts": found.accounts_of(row["campaign"]),
        "innocent_if": list(details.innocent_if),
        "do_not_act": [vars(spared) for spared in details.do_not_act],
        "hunt": _hunt(found.hunt, row["campaign"]),
    }
    if details.lifecycle is not None:
        body["lifecycle"] = vars(details.lifecycle)
    if details.reviews:
        body["verdicts"] = [vars(review) for review in details.reviews]
    # ASCII, so that nothing in an account's name can hide; a reader gets it back exactly.
    return (json.dumps(body, indent=1, ensure_ascii=True, default=_moment) + "\n").encode()


def _hunt(hunt: Mapping[str, Any], campaign: str) -> dict[str, Any]:
    """hunt.json without what it says of others: seeds, names given, verdicts, changes and scores."""
    others = ("seeds", "unknown_names", "lifecycle", "verdicts")
    kept = {k: v for k, v in hunt.items() if k not in others}
    calibration = hunt.get("calibration")
    if isinstance(calibration, dict):
        rows = calibration.get("campaigns")
        own = [r for r in rows if r.get("campaign") == campaign] if isinstance(rows, list) else []
        kept["calibration"] = calibration | {"campaigns": own}
    return kept


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value)}")


def _manifest(files: Mapping[str, bytes]) -> bytes:
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            for name, content in files.items():
                path = made / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            # Left as it was made, closed to others: it names customers.
            made.rename(out)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        raise OutputError(
            f"{out} could not be written: {error.strerror or error}.",
            "Name a folder in a place that you may write to.",
        ) from error
