"""A report for a terminal, without anything that others wrote being more than text."""

from __future__ import annotations

import textwrap

from stillhunt.evidence.report import FAILED, PASSED, Report

_MARKS = {PASSED: "ok", FAILED: "NO"}
_WIDTH = 100


def report_text(report: Report) -> str:
    """The report in lines."""
    lines = [
        f"{check.number:>3}  {_MARKS.get(check.result, '-'):2}  {check.name:<14}  {_safe(check.reason)}"
        for check in report.checks
    ]
    if not report.ok:
        lines += ["", f"REFUSED: {report.code}. Do not rely on this bundle."]
        return "\n".join(lines) + "\n"
    lines += ["", "The bundle holds.", "", "Shown:"]
    lines += _items(report.shown)
    lines += ["", "Not shown:"]
    lines += _items(report.not_shown)
    lost = {name: n for name, n in report.figures.get("not_covered", {}).items() if n}
    if lost:
        lines += ["", "The finding named more than this claim counts:"]
        lines += [f"  {name.replace('_', ' ')}: {n:,}" for name, n in sorted(lost.items())]
    return "\n".join(lines) + "\n"


def _items(sentences: list[str]) -> list[str]:
    return [
        textwrap.fill(_safe(sentence), _WIDTH, initial_indent="  - ", subsequent_indent="    ")
        for sentence in sentences
    ]


def _safe(text: str) -> str:
    return ascii(text)[1:-1].replace("\\'", "'").replace("\\\\", "\\")
