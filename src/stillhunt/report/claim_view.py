"""A claim's page before it is HTML or PDF: the same words, cut and made visible, for both."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stillhunt.report import claim_words as words
from stillhunt.report import wording
from stillhunt.report.claim_facts import Checked, ClaimFacts
from stillhunt.report.visible import visible
from stillhunt.scoring.calibration import ICD_203, estimative_word


@dataclass(frozen=True)
class Room:
    """How much of other people's words there is room for; the page's own are never cut.

    Attributes:
        text: most characters of a sentence or a name.
        items: most sentences of one list; checks: most rows of the table of checks.
    """

    text: int = 260
    items: int = 6
    checks: int = 30


def claim_view(facts: ClaimFacts, room: Room, drawn: Callable[[str], str] = str) -> dict[str, Any]:
    """Everything that the page says, as JSON types; foreign text is visible and of bounded length.

    Args:
        facts: the claim.
        room: how much of it there is room for.
        drawn: replaces what the page's fonts cannot draw.
    """
    facts = _bounded(facts, room, drawn)
    return {
        "accepted": facts.accepted,
        "title": words.headline(facts),
        "campaign": facts.campaign,
        "claimant": facts.claimant,
        "signed": f"{facts.signed_at:%Y-%m-%d}",
        "lead": words.lead(facts),
        "status": words.status(facts),
        "failed": _listed(
            [
                f"Check {one.number}, {one.name}: {one.reason}"
                for one in facts.checks
                if one.passed is False
            ],
            room,
        ),
        "figures": _figures(facts),
        "scale": _scale(facts),
        "range": _range(facts),
        "certainty": [list(pair) for pair in words.certainty(facts)],
        "shown": _listed(words.shown(facts), room, more=3),
        "not_shown": _listed(words.not_shown(facts), room, more=3),
        "checks": [_check(one) for one in facts.checks[: room.checks]],
        "checks_left_out": max(0, len(facts.checks) - room.checks),
        "verify": _verify(facts),
        "identity": _identity(facts),
        "method": [list(pair) for pair in facts.method[: room.items + 2]],
        "not_seen": _listed(facts.not_seen, room),
        "confidence": words.confidence(facts),
        "words": [[f"{100 * low:.0f} to {100 * high:.0f} %", word] for low, high, word in ICD_203],
    }


def _bounded(facts: ClaimFacts, room: Room, drawn: Callable[[str], str]) -> ClaimFacts:
    def text(value: str, most: int = 1000) -> str:
        most = min(most, room.text)
        shown = drawn(visible(value, most))
        # Names of characters are longer than the characters.
        return shown if len(shown) <= most + 24 else shown[:most] + "…"

    def texts(values: tuple[str, ...], most: int = 1000) -> tuple[str, ...]:
        return tuple(text(value, most) for value in values)

    witnesses = texts(facts.witnesses[: room.items], 60)
    if len(facts.witnesses) > room.items:
        witnesses = (*witnesses, f"{len(facts.witnesses) - room.items} more")
    return replace(
        facts,
        campaign=text(facts.campaign, 60),
        claimant=text(facts.claimant, 80),
        depth=text(facts.depth, 80),
        origin=text(facts.origin, 100),
        kinds=texts(facts.kinds, 40),
        seed=text(facts.seed),
        key=text(facts.key, 120),
        witnesses=witnesses,
        stamps=tuple((time, text(authority, 100)) for time, authority in facts.stamps),
        checks=tuple(
            replace(
                one,
                name=text(one.name, 80),
                reason=text(one.reason, 140),
                source=text(one.source, 40),
            )
            for one in facts.checks
        ),
        shown=texts(facts.shown),
        not_shown=texts(facts.not_shown),
        not_seen=texts(facts.not_seen),
        method=tuple((text(what, 40), text(value, 160)) for what, value in facts.method),
    )


def _figures(facts: ClaimFacts) -> list[list[str]]:
    first, last = (wording.day(moment) for moment in facts.period)
    tokens = facts.input_tokens + facts.output_tokens
    return [
        ["Accounts", wording.count(facts.accounts), _proven(facts, "account")],
        ["Exchanges", wording.count(facts.exchanges), _proven(facts, "exchange")],
        [
            "Tokens",
            wording.count(tokens),
            f"{wording.count(facts.input_tokens)} in, {wording.count(facts.output_tokens)} out",
        ],
        [
            "Seen (UTC)",
            first,
            "this day only" if first == last else f"to {last}",
        ],
    ]


def _proven(facts: ClaimFacts, of: str) -> str:
    if not facts.accepted:
        return "not shown"
    if of == "exchange" and facts.opened and facts.opened == facts.exchanges:
        return "each one opened"
    for audit in facts.audits:
        if audit.of[0] == of:
            return f"at least {audit.good_at_least:,}, at {100 * audit.confidence:.10g} %"
    return "the claimant's word"


def _scale(facts: ClaimFacts) -> dict[str, Any] | None:
    if not facts.accepted or facts.probability is None:
        return None
    return {
        "bands": [[low, high, word] for low, high, word in ICD_203],
        "at": facts.probability,
        "label": f"{estimative_word(facts.probability)}, {wording.percent(facts.probability)}",
    }


def _range(facts: ClaimFacts) -> dict[str, Any] | None:
    """Exchanges on one axis from 0: what the method allows, what is claimed, what was shown."""
    if not facts.accepted or not facts.exchanges:
        return None
    top = max(facts.exchanges, facts.exchanges_high) * 1.04
    audited = [one.good_at_least for one in facts.audits if one.of[0] == "exchange"]
    least = max([*audited, facts.opened])
    return {
        "low": facts.exchanges_low / top,
        "high": facts.exchanges_high / top,
        "at": facts.exchanges / top,
        "least": least / top,
        "labels": [
            ["claimed", f"{facts.exchanges:,}"],
            ["shown to be in the log as claimed, at least", f"{least:,}"],
            [
                "found by the method, between",
                f"{facts.exchanges_low:,} and {facts.exchanges_high:,}",
            ],
        ],
    }


def _check(one: Checked) -> dict[str, Any]:
    state = {True: "passed", False: "failed", None: "not applicable"}[one.passed]
    return {
        "number": one.number,
        "name": one.name,
        "state": state,
        "reason": one.reason,
        "source": one.source,
    }


def _verify(facts: ClaimFacts) -> dict[str, str]:
    file = visible(facts.file, 120)
    # What would be shown otherwise than it is cannot be typed either.
    named = shlex.quote(file) if file == facts.file and not file.startswith("-") else "FILE.claim"
    return {
        "install": "pip install 'stillhunt[evidence]'",
        "digest": f"sha256sum {named}",
        "command": f"stillhunt verify {named} --trust trust.json",
    }


def _identity(facts: ClaimFacts) -> list[list[str]]:
    pinned = "known beforehand" if facts.pinned else "not known beforehand: compare it"
    rows = [
        ["Bundle, SHA-256", facts.bundle_sha256],
        ["Statement, SHA-256", facts.statement_sha256],
        ["Log", facts.origin],
        ["Its key", f"{facts.key} ({pinned})"],
        [
            "Witnesses",
            ", ".join(facts.witnesses)
            or "none that the verifier trusts"
            + (f" (wanted: {facts.quorum})" if facts.quorum else ""),
        ],
        ["Time stamps", _stamps(facts)],
        ["Depth", words.depth(facts)],
    ]
    if facts.seed:
        rows.append(["Sample drawn by", facts.seed])
    return rows


def _stamps(facts: ClaimFacts) -> str:
    if not facts.stamps:
        return "none that was checked"
    first, authority = min(facts.stamps)
    more = f" and {len(facts.stamps) - 1} more" if len(facts.stamps) > 1 else ""
    return f"{first:%Y-%m-%d %H:%M:%S} UTC, {authority}{more}"


def _listed(texts: Sequence[str], room: Room, more: int = 0) -> list[str]:
    most = room.items + more
    kept = list(texts[:most])
    if len(texts) > most:
        kept.append(f"And {len(texts) - most} more: see the bundle.")
    return kept
