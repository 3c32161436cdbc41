"""What verifying a bundle came to, for programs and for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stillhunt.evidence.canonical import encode
from stillhunt.evidence.refusal import Code

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"
REPORT_VERSION = 1


@dataclass(frozen=True)
class Check:
    """One numbered check.

    Attributes:
        number: as in docs/evidence.md; name: in a few words.
        result: PASSED, FAILED or NOT_APPLICABLE.
        reason: what was seen, one sentence; code: of a refusal.
        source: what the check follows, such as "RFC 6962 2.1.1".
    """

    number: int
    name: str
    result: str
    reason: str
    source: str
    code: Code | None = None


@dataclass
class Report:
    """All checks of a bundle.

    Attributes:
        checks: in their order.
        shown: sentences that the checks bear out; not_shown: what they cannot.
        figures: numbers by name.
    """

    checks: list[Check] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    not_shown: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing failed, and something was checked."""
        return bool(self.checks) and all(check.result != FAILED for check in self.checks)

    @property
    def code(self) -> Code | None:
        """Why the bundle is refused; None: it is not."""
        return next((check.code for check in self.checks if check.code is not None), None)

    def to_json(self) -> bytes:
        """The report as canonical JSON, schema 1."""
        return encode(
            _plain(
                {
                    "report": REPORT_VERSION,
                    "ok": self.ok,
                    "code": None if self.code is None else str(self.code),
                    "checks": [
                        {
                            "number": check.number,
                            "name": check.name,
                            "result": check.result,
                            "reason": check.reason,
                            "source": check.source,
                            "code": None if check.code is None else str(check.code),
                        }
                        for check in self.checks
                    ],
                    "shown": self.shown,
                    "not_shown": self.not_shown,
                    "figures": self.figures,
                }
            )
        )


def _plain(value: object) -> object:
    """The same with every text in ASCII, since some of them are somebody else's."""
    if isinstance(value, dict):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return ascii(value)[1:-1] if isinstance(value, str) and not value.isascii() else value
