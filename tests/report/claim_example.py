"""Facts of made-up claims, for tests of the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from stillhunt.report.claim_facts import Audit, Checked, ClaimFacts

CHECKS = (
    ("Bundle is canonical", True, "", "docs/evidence.md"),
    ("Statement is signed", True, "Ed25519 by example.com/stillhunt", "DSSE"),
    ("Log key is known", True, "pinned", "C2SP signed-note"),
    ("Checkpoints are signed", True, "3 checkpoints", "C2SP tlog-checkpoint"),
    ("Checkpoints are consistent", True, "", "RFC 6962 §2.1.2"),
    ("Witnesses", True, "2 of 2 wanted", "C2SP tlog-cosignature"),
    ("Statement is in the log", True, "leaf 16,100,211", "RFC 6962 §2.1.1"),
    ("Claimed leaves are in the log", None, "counts depth", "RFC 6962 §2.1.1"),
    (
        "Sample was chosen after the claim",
        True,
        "checkpoint of size 16,100,300",
        "docs/evidence.md",
    ),
    ("Sample was answered", True, "688 exchanges, 675 accounts", "docs/evidence.md"),
    ("Numbers add up", True, "", "docs/evidence.md"),
    ("Time stamps", True, "1 of 1", "RFC 3161"),
)

GOOD = ClaimFacts(
    accepted=True,
    campaign="c-7f3a9b21",
    claimant="Example AI, Inc.",
    signed_at=datetime(2026, 6, 2, 9, 30, tzinfo=UTC),
    depth="counts",
    origin="example.com/stillhunt",
    period=(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 30, tzinfo=UTC)),
    kinds=("cot_elicitation", "agentic_tool_use"),
    accounts=24_000,
    exchanges=16_000_000,
    exchanges_low=14_800_000,
    exchanges_high=16_450_000,
    input_tokens=9_812_345_678,
    output_tokens=21_345_678_901,
    probability=0.993,
    prior=0.5,
    link_p=3.2e-41,
    q_value=8.1e-40,
    harvest_p=0.01,
    harvest_p_floor=0.01,
    left_out=(0, 0),
    opened=0,
    audits=(
        Audit(("exchange", "exchanges"), 16_000_000, 688, 0, 0.999, 15_840_162),
        Audit(("account", "accounts"), 24_000, 675, 0, 0.999, 23_760),
    ),
    seed="a checkpoint of the log later than the claim, cosigned by two witnesses",
    key="example.com/stillhunt+1a2b3c4d",
    pinned=True,
    witnesses=("witness.example.org", "witness.example.net"),
    quorum=2,
    stamps=((datetime(2026, 6, 2, 9, 31, 4, tzinfo=UTC), "CN=Example Time Stamping"),),
    checks=tuple(
        Checked(number, name, passed, reason, source)
        for number, (name, passed, reason, source) in enumerate(CHECKS, 1)
    ),
    shown=(
        "16,000,000 positions of the log were fixed on 2026-06-02, before it was known which of "
        "them would be opened.",
        "The log has grown only by appending since the last of these exchanges.",
        "No exchange is counted twice.",
    ),
    not_shown=(
        "How many cosignatures the claimant had asked for before this one.",
        "That the log's entries are true: a log shows what was written into it and when, and that it "
        "was not changed since.",
        "That what happened is what the campaign is called: probability and kinds are the "
        "claimant's reading, by the method that is named.",
        "Who is behind the accounts. Nationality, country, language and name are no part of a claim.",
    ),
    not_seen=(
        "TLS fingerprints were not logged.",
        "Accounts that share neither address, payer nor template with the others.",
    ),
    method=(
        ("Program", "stillhunt 0.9.0"),
        ("False discovery rate", "0.01"),
        ("Prior", "0.5"),
        ("Exchanges read", "160,000,000"),
    ),
    file="c-7f3a9b21.claim",
    bundle_sha256="5f" * 32,
    statement_sha256="a1" * 32,
)

REFUSED = replace(
    GOOD,
    accepted=False,
    checks=(
        *GOOD.checks[:9],
        replace(GOOD.checks[9], passed=False, reason="3 answers are for other exchanges"),
        *GOOD.checks[10:],
    ),
)

HOSTILE_TEXTS = (
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    '#panic("x") #import "@preview/x:1.0.0" $ x^2 $ `raw` *b* _e_ = h',
    "\u202egnihsihp \u200b\u2066x\u0000\n\r\x1b[31m",
    "{{ 7 * 7 }}{% raw %}",
    "\u4e2d\u6587 \u0430\u0440\u0440\u04cf\u0435 \U0001f600 Z\u0351\u0352\u0353\u0354\u0355\u0356",
    "x" * 5000,
    "\\u{202e} \\(a) ~ --- // /* */ @ref <label> https://evil.example",
)


def hostile(text: str) -> ClaimFacts:
    """The good claim with every text in it replaced."""
    return replace(
        GOOD,
        campaign=text,
        claimant=text,
        depth=text,
        origin=text,
        kinds=(text,) * 9,
        seed=text,
        key=text,
        witnesses=(text,) * 9,
        stamps=((GOOD.signed_at, text),),
        checks=tuple(Checked(n, text, True, text, text) for n in range(1, 41)),
        shown=(text,) * 20,
        not_shown=(text,) * 20,
        not_seen=(text,) * 20,
        method=((text, text),) * 20,
        file=text,
    )
