"""``stillhunt-verify.pyz``: verifying with nothing but Python, NumPy and cryptography."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stillhunt.errors import StillhuntError
from stillhunt.evidence.verify.observation_lines import observation_lines
from stillhunt.evidence.verify.run import examine
from stillhunt.evidence.verify.text import report_text
from stillhunt.evidence.verify.trust import Trust, read_trust


def main(arguments: list[str] | None = None) -> int:
    """Verify a bundle; 0: it holds, 1: it is refused, 2: wrong usage."""
    parser = argparse.ArgumentParser(
        prog="stillhunt-verify",
        description="Checks a claim without trusting who made it. Nothing is looked up on a network.",
    )
    parser.add_argument("bundle", type=Path, help="the .claim file")
    parser.add_argument("--trust", type=Path, help="JSON file with the keys that you trust")
    parser.add_argument("--seed", help="the value that you gave the claimant for the audit")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--show-openings",
        action="store_true",
        help="print exchanges opened whole as JSON lines; the report goes to standard error",
    )
    given = parser.parse_args(arguments)
    try:
        trust = read_trust(given.trust, given.seed) if given.trust else Trust(seed=given.seed)
        report, read = examine(given.bundle, trust=trust)
    except StillhuntError as error:
        sys.stderr.write(f"Error: {error.problem}\nWhat to do: {error.remedy}\n")
        return error.exit_code
    told = sys.stderr if given.show_openings else sys.stdout
    told.write(report.to_json().decode() + "\n" if given.json else report_text(report))
    if given.show_openings and report.ok and read is not None:
        sys.stdout.writelines(observation_lines(read.opened))
    return 0 if report.ok else 1
