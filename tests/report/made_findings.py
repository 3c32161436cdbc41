"""Makes findings folders for the tests: a realistic one, an empty one, a hostile one."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillhunt.records.findings import ACCOUNT_CHANGES, TABLES

START = datetime(2026, 1, 5, tzinfo=UTC)


def waterfall(text: str = "") -> list[dict[str, Any]]:
    steps = [
        (
            "prior",
            "before any evidence",
            "1 in 20 groups of strangers is a campaign",
            -2.944438979166,
        ),
        ("multiplicity", "strangers act as one", "34 owners, one payer, created in 3 bursts", 4.61),
        ("sweep", "one list of items, shared out", "98 % of items asked once, by one account", 3.1),
        ("kinds", "asks for what trains models", "grades and reasoning, 71 % of exchanges", 2.35),
        ("length", "takes long answers", "median 1,240 output tokens", 0.8),
        ("hours", "keeps office hours", "idle from 20:00 to 04:00", -0.62),
        ("release", "followed the new model", "half the traffic moved within a day", 1.07),
        ("licence", "no licence declared", "none of the owners has one", 0.02),
    ]
    return [
        {"signal": s, "label": text + label, "evidence": text + evidence, "log_odds": odds}
        for s, label, evidence, odds in steps
    ]


def details(accounts: int = 60, days: int = 28, text: str = "", seed: int = 1) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    nodes = [
        {"id": f"n{i}", "kind": "account", "label": f"{text}acct_{i:04d}", "exchanges": 100 + i}
        for i in range(accounts)
    ]
    shared = [
        ("template", "t_7f3a"), ("template", "t_b112"), ("address", "203.0.113.0/28"),
        ("address", "198.51.100.7"), ("network", "AS64500"), ("payment", "pay_4e1c"),
        ("email_domain", "relay-mail.example"), ("kind\u202eunknown", "odd"),
    ]  # fmt: skip
    edges = []
    for k, (kind, label) in enumerate(shared):
        nodes.append({"id": f"s{k}", "kind": kind, "label": text + label, "exchanges": 900})
        edges += [
            {"source": f"n{i}", "target": f"s{k}"}
            for i in range(accounts)
            if random.random() < (0.8 if k < 2 else 0.25)
        ]
    steps = waterfall(text)
    spans = []
    for i in range(accounts):
        first = START + timedelta(days=int(random.integers(0, days)), hours=3)
        last = min(
            first + timedelta(days=int(random.integers(0, 12))), START + timedelta(days=days)
        )
        old = timedelta(days=300 if i % 9 == 0 else int(random.integers(0, 3)))
        spans.append(
            {
                "account": f"{text}acct_{i:04d}",
                "created_at": None if i % 7 == 0 else (first - old).isoformat(),
                "first_seen": first.isoformat(),
                "last_seen": last.isoformat(),
                "campaign_exchanges": int(random.integers(20, 900)),
                "exchanges": 950,
            }
        )
    return {
        "score": math.fsum(step["log_odds"] for step in steps),
        "waterfall": steps,
        "word": "almost certain",
        "activity": [
            {
                "day": (START + timedelta(days=d)).date().isoformat(),
                "exchanges": int(900 + 500 * math.sin(d / 3) + random.integers(0, 200)),
                "accounts": int(20 + d % 9),
            }
            for d in range(days)
        ],
        "hours": [int(400 + 380 * math.sin((h - 8) / 3.8)) for h in range(24)],
        "kinds": [
            {"kind": "rubric_grading", "exchanges": 12000, "share": 0.5},
            {"kind": "cot_elicitation", "exchanges": 8400, "share": 0.35},
            {"kind": "synthetic_data", "exchanges": 2400, "share": 0.1},
            {"kind": text + "no such kind", "exchanges": 1200, "share": 0.05},
        ],
        "templates": [
            {
                "template": text + "t_7f3a",
                "entities": 34,
                "exchanges": 12040,
                "items": 11877,
                "parts": [
                    {
                        "text": "You are a strict grader. Rate the answer below from 1 to 10 on",
                        "slot": False,
                    },
                    {"text": text + "criterion", "slot": True},
                    {
                        "text": text + "and explain every deduction step by step. Question:",
                        "slot": False,
                    },
                    {"text": "…", "slot": True},
                    {"text": "Answer:", "slot": False},
                    {"text": "…", "slot": True},
                    {"text": "Return JSON with the fields score and reasons.", "slot": False},
                ],
                "exemplars": [
                    f"{text}You are a strict grader. Rate the answer below from 1 to 10 on clarity "
                    "and explain every deduction step by step.\n"
                    "Question: Why does ice float?\nAnswer: [REDACTED]\n"
                    "Return JSON with the fields score and reasons.",
                    "You are a strict grader. Rate the answer below from 1 to 10 on depth…",
                ],
            },
            {
                "template": "t_b112",
                "entities": 31,
                "exchanges": 8401,
                "items": 8399,
                "parts": [
                    {
                        "text": "Think aloud, showing each intermediate result, then solve:",
                        "slot": False,
                    },
                    {"text": "…", "slot": True},
                ],
                "exemplars": [],
                "exemplars_gone": 3,
            },
        ],
        "network": {"nodes": nodes, "edges": edges, "shown": len(nodes), "of": len(nodes) + 212},
        "accounts": spans,
        "innocent_if": [
            text + "The 34 owners are one customer that never declared it, and it may harvest.",
            "A teaching tool sends both templates for its users, and its users share one payer.",
        ],
        "do_not_act": [
            {"account": text + "acct_campus_17", "why": text + "shares the address only: a campus"},
            {"account": "acct_lab_02", "why": "holds a distillation licence"},
        ],
        "lifecycle": lifecycle(text),
        "verdicts": [
            {
                "subject": "campaign", "name": text + "cmp_a", "verdict": "confirmed",
                "reviewer": text + "A. Reviewer", "time": START.isoformat(),
                "reason": text + "the operator said so", "expires": None, "holds": True,
            },
            {
                "subject": "account", "name": text + "acct_0001", "verdict": "lawful",
                "reviewer": "B. Reviewer", "time": START.isoformat(), "reason": "a key was stolen",
                "expires": (START + timedelta(days=9)).isoformat(), "holds": False,
            },
        ],
    }  # fmt: skip


def lifecycle(text: str = "") -> dict[str, Any]:
    changes = dict.fromkeys(ACCOUNT_CHANGES, 0) | {"joined": 11, "left": 4, "replaced_by": 2}
    return {
        "state": "split_from",
        "at": START.isoformat(),
        "other": text + "cmp_old",
        "first_named": (START + timedelta(days=7)).isoformat(),
        "accounts_ever": 66,
        **changes,
        "days_to_named_median": 3.25,
        "days_to_named_longest": 6.5,
    }


def campaign_row(campaign: str, accounts: int = 60, text: str = "") -> dict[str, Any]:
    return {
        "campaign": campaign,
        "probability": 0.99977,
        "link_p": 3.2e-41,
        "harvest_p": 0.033,
        "harvest_p_floor": 0.032,
        "q_value": 4.4e-39,
        "accounts": accounts,
        "entities": 34,
        "exchanges": 24000,
        "exchanges_low": 23650,
        "exchanges_high": 24410,
        "input_tokens": 14_400_000,
        "output_tokens": 29_800_000,
        "first_seen": START,
        "last_seen": START + timedelta(days=28),
        "kinds": ["rubric_grading", "cot_elicitation"],
        "summary": f"{text}{accounts} accounts of 34 owners share out one list of questions and "
        "have the answers graded, step by step.",
    }


def account_rows(campaign: str, accounts: int = 60, text: str = "") -> list[dict[str, Any]]:
    return [
        {
            "account": f"{text}acct_{i:04d}",
            "entity": f"{text}ent_{i // 2}",
            "campaign": campaign,
            "membership_probability": 0.98,
            "exchanges": 950,
            "campaign_exchanges": 20 + i,
            "reasons": [{"signal": "template", "evidence": text + "t_7f3a", "log_odds": 3.1}],
        }
        for i in range(accounts)
    ]


def link_rows(campaign: str | None, text: str = "") -> list[dict[str, Any]]:
    return [
        {
            "campaign": campaign,
            "x_family": "template",
            "x_value": f"{text}t_{k}",
            "y_family": "address",
            "y_value": f"{text}203.0.113.{k}",
            "entities": 20 - k,
            "expected": 0.013 * (k + 1),
            "p_value": 10.0 ** -(40 - k),
            "q_value": 10.0 ** -(37 - k),
        }
        for k in range(11)
    ]


def hunt(text: str = "") -> dict[str, Any]:
    return {
        "schema": 1,
        "package": "stillhunt",
        "version": "0.1.0",
        "started": "2026-02-02T09:00:00+00:00",
        "finished": "2026-02-02T09:00:14+00:00",
        "parameters": {"fdr": 0.01, "memory": "1GiB", "source": text + "auto"},
        "prior": {"probability": 0.05, "source": text + "share of groups that are campaigns"},
        "smallest_detectable": {
            "sentence": "A campaign of 6 accounts with 40 exchanges each would have been found "
            "95 times in 100.",
            "accounts": 6,
            "exchanges_per_account": 40,
            "recovered": 0.95,
        },
        "inputs": [
            {"path": text + "exchanges.parquet", "sha256": "9f" * 32, "bytes": 48_211_000,
             "rows": 200_000},
            {"path": "accounts.parquet", "sha256": "0a" * 32, "bytes": 91_000, "rows": 5210},
        ],
        "counts": {
            "exchanges": 200_000, "accounts": 5210, "entities": 4333, "quarantined": 3,
            "duplicates": 0, "clusters_tested": 41,
        },
        "timings": {"read": 2.1, "fingerprint": 3.4, "link": 5.0, "score": 1.2},
    }  # fmt: skip


COVERAGE = [
    {"signal": signal, "available": share > 0, "share": share, "consequence": consequence}
    for signal, share, consequence in (
        ("template", 0.9991, "Recurring wording links accounts."),
        ("payment", 0.62, "Shared payers link accounts that have one."),
        ("tls_fingerprint", 0.0, "Accounts that share only a client program are not linked."),
    )
]


def write(
    folder: Path,
    campaigns: dict[str, tuple[int, str]],
    *,
    jsonl: bool = False,
    hunt_text: str = "",
    **more_hunt: Any,
) -> Path:
    """Write a findings folder; ``campaigns`` maps an id to accounts and a text added everywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[dict[str, Any]]] = {
        "campaigns": [campaign_row(c, n, t) for c, (n, t) in campaigns.items()],
        "accounts": [r for c, (n, t) in campaigns.items() for r in account_rows(c, n, t)],
        "exchanges": [],
        "links": [
            *(r for c, (_, t) in campaigns.items() for r in link_rows(c, t)),
            *link_rows(None),
        ],
        "link_members": [
            {"link": k, "entity": f"ent_{i}"} for k in range(11 * len(campaigns)) for i in range(5)
        ],
        "coverage": [{**row, "consequence": row["consequence"] + hunt_text} for row in COVERAGE],
    }
    for stem, schema in TABLES.items():
        if jsonl:
            lines = (json.dumps(row, default=lambda t: t.isoformat()) for row in rows[stem])
            (folder / f"{stem}.jsonl").write_text("".join(line + "\n" for line in lines))
        else:
            pq.write_table(
                pa.Table.from_pylist(rows[stem], schema=schema), folder / f"{stem}.parquet"
            )
    body = {c: details(n, text=t) for c, (n, t) in campaigns.items()}
    (folder / "details.json").write_text(json.dumps({"schema": 1, "campaigns": body}))
    (folder / "hunt.json").write_text(json.dumps(hunt(hunt_text) | more_hunt))
    return folder
