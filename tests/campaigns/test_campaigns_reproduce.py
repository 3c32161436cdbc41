"""From logs to a claim whose finding a stranger recomputes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from stillhunt.campaigns.claims import claimable
from stillhunt.campaigns.hunt import hunt
from stillhunt.campaigns.reproduce import add_reproduction, reproduce
from stillhunt.campaigns.request import HuntRequest
from stillhunt.cli.app import app
from stillhunt.evidence.claim.gather import gather
from stillhunt.evidence.claim.make import make_claim
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.verify import Trust, examine
from stillhunt.fingerprints.hashing import hash64


@dataclass(frozen=True)
class Found:
    """A hunt and the log of what was hunted."""

    findings: Path
    log: Path
    campaigns: tuple[str, ...]
    entities: dict[str, int]


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def found(fuller_traffic: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    folder = tmp_path_factory.mktemp("reproduce")
    exchanges, accounts = (fuller_traffic / f"{n}.parquet" for n in ("exchanges", "accounts"))
    result = hunt(HuntRequest(logs=(exchanges,), out=folder / "findings", accounts=accounts))
    run("log", "init", folder / "log", "--origin", "example.com/log")
    run("seal", exchanges, "--accounts", accounts, "--log", folder / "log")
    rows = result.campaigns.to_pylist()
    return Found(
        result.out,
        folder / "log",
        tuple(row["campaign"] for row in rows),
        {row["campaign"]: row["entities"] for row in rows},
    )


def claimed(found: Found, campaign: str, folder: Path, *more: str) -> Path:
    out = folder / f"{campaign}.claim"
    run(
        "claim", campaign, "--findings", found.findings, "--log", found.log, "--out", out,
        "--depth", "pseudonymous", *more,
    )  # fmt: skip
    return out


def test_both_campaigns_reproduce(found: Found, tmp_path: Path) -> None:
    assert len(found.campaigns) == 2
    links = pq.read_table(found.findings / "links.parquet")
    for campaign in found.campaigns:
        path = claimed(found, campaign, tmp_path, "--audit", "own")
        report, read = examine(path, trust=Trust(log=tuple(Log(found.log).keys())))
        assert report.ok
        assert read is not None
        assert read.leaves is not None
        again = reproduce(read.leaves, read.totals, 0.01)
        assert again.entities == found.entities[campaign]
        assert again.reproduces
        assert again.together >= 0.9 * again.entities
        # Whole campaigns are claimed: nobody outside carries what only they share.
        hunted = sum(c == campaign for c in links.column("campaign").to_pylist())
        (stretch,) = again.stretches
        assert 0.5 * hunted <= len(stretch.links) <= 1.2 * hunted
        printed = run("verify", path, "--reproduce")
        assert again.sentence().split(".")[0] in " ".join(printed.split())


def test_a_claim_of_strangers_does_not_reproduce(
    found: Found, fuller_traffic: Path, tmp_path: Path
) -> None:
    """Accounts picked at random, claimed as a campaign by whoever holds the log."""
    named = set(pq.read_table(found.findings / "accounts.parquet").column("account").to_pylist())
    rows = pq.read_table(fuller_traffic / "exchanges.parquet", columns=["exchange_id", "account"])
    others = sorted(set(rows.column("account").to_pylist()) - named)
    chosen = pa.array(np.random.default_rng(3).choice(others, 60, replace=False).tolist())
    ids = rows.filter(pc.is_in(rows.column("account"), chosen)).column("exchange_id").to_pylist()
    digests = b"".join(hashlib.blake2b(i.encode(), digest_size=16).digest() for i in ids)
    gathered = gather(
        Log(found.log),
        np.frombuffer(digests, dtype=np.uint8).reshape(-1, 16),
        np.asarray(hash64(chosen, "account")),
    )
    facts = claimable(found.findings, found.campaigns[0], found.log, depth="pseudonymous").facts
    path = tmp_path / "strangers.claim"
    make_claim(found.log, facts, gathered, path, depth="pseudonymous")
    report, read = examine(path, trust=Trust())
    assert report.ok
    assert read is not None
    add_reproduction(report, read)
    assert report.code == "not-reproduced"
    assert "does not reproduce" in report.checks[-1].reason


def test_a_claim_of_counts_shows_too_little(found: Found, tmp_path: Path) -> None:
    out = tmp_path / "c.claim"
    run("claim", found.campaigns[0], "--findings", found.findings, "--log", found.log, "--out", out)
    result = CliRunner().invoke(app, ["verify", str(out), "--reproduce"])
    assert result.exit_code != 0
    assert "pseudonymous depth" in str(result.exception)


def test_what_does_not_reproduce_is_refused(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = claimed(found, found.campaigns[1], tmp_path)
    report, read = examine(path, trust=Trust())
    assert read is not None
    assert read.totals is not None
    # Totals of another stretch of the log say nothing of these leaves.
    stretch = read.totals.stretches[0]
    elsewhere = type(stretch)(
        stretch.batch, stretch.end, stretch.end + 1, stretch.header, stretch.values,
        stretch.templates, stretch.proof,
    )  # fmt: skip
    read.totals = type(read.totals)(
        (elsewhere,), read.totals.accounts, read.totals.accounts_proof, read.totals.organizations
    )
    add_reproduction(report, read)
    assert not report.ok
    assert report.code == "not-reproduced"
