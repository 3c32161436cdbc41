"""From a hunt's findings and a log to a claim that strangers can check."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillhunt.campaigns.outputs import read_json, read_table
from stillhunt.errors import InputError
from stillhunt.evidence.claim.gather import Gathered, gather
from stillhunt.evidence.claim.make import Facts
from stillhunt.evidence.log.reader import Log
from stillhunt.fingerprints.hashing import hash64
from stillhunt.records.findings import EXCHANGES
from stillhunt.scoring.calibration import estimative_word

MOST_MISSING = 0.01
"""Share of a campaign's exchanges that a claim may leave out, unless more is allowed."""

MOST_LINKS = 2000
_AT_ONCE = 1 << 16
_PARAMETERS = ("fdr", "prior", "veto", "most_ordinary_taking", "controls", "max_by_chance")


@dataclass(frozen=True)
class Claimable:
    """A campaign as findings and log have it.

    Attributes:
        facts: what is claimed; found: leaves in the log.
    """

    facts: Facts
    found: Gathered


def claimable(
    findings: Path, campaign: str, root: Path, *, depth: str, most_missing: float = MOST_MISSING
) -> Claimable:
    """Look up a campaign's exchanges in a log.

    Args:
        findings: folder of a hunt's findings; campaign: its id; root: of the log.
        depth: of the claim; links are told from pseudonymous depth on.
        most_missing: share of exchanges that the log may lack.

    Raises:
        InputError: no such campaign, or the log lacks more of it.
    """
    row = _row(findings, campaign)
    hunt = read_json(findings / "hunt.json")
    accounts = read_table(findings, "accounts")
    named = accounts.filter(pc.equal(accounts.column("campaign"), campaign)).column("account")
    digests = _digests(findings, campaign)
    found = gather(Log(root), digests, np.asarray(hash64(named.unique(), "account")))
    missing = len(digests) - found.rows.weights[0]
    if missing > most_missing * len(digests):
        raise InputError(
            f"Of the campaign's {len(digests):,} exchanges {missing:,} cannot be shown: "
            f"{found.not_sealed:,} are not in the log or were deleted from it, {found.other_account:,} "
            f"are of accounts that the findings do not name, {found.repeated:,} are there already.",
            "Seal the logs that were hunted, or allow more with --max-missing; the claim says what it "
            "leaves out.",
        )
    facts = Facts(
        campaign=campaign,
        low=int(row["exchanges_low"]),
        high=int(row["exchanges_high"]),
        finding=_finding(row, hunt),
        method=_method(hunt),
        not_seen=tuple(_not_seen(findings, hunt)),
        links=tuple(_links(findings, campaign)) if depth != "counts" else (),
        named_accounts=len(named.unique()),
        named_exchanges=len(digests),
    )
    return Claimable(facts, found)


def _row(findings: Path, campaign: str) -> dict[str, Any]:
    rows = read_table(findings, "campaigns").to_pylist()
    for row in rows:
        if row["campaign"] == campaign:
            return dict(row)
    ids = ", ".join(row["campaign"] for row in rows[:5]) or "none"
    raise InputError(
        f"The findings in {findings} have no campaign {campaign!r}.", f"They have: {ids}."
    )


def _digests(findings: Path, campaign: str) -> np.ndarray:
    """Digests of a campaign's exchange ids, uint8 (n, 16), as observations have them."""
    out = bytearray()
    for ids in _exchange_ids(findings, campaign):
        for text in ids.to_pylist():
            out += hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.frombuffer(bytes(out), dtype=np.uint8).reshape(-1, 16)


def _exchange_ids(findings: Path, campaign: str) -> Iterator[pa.Array]:
    path = findings / "exchanges.parquet"
    if not path.exists():
        table = read_table(findings, "exchanges")
        yield table.filter(pc.equal(table.column("campaign"), campaign)).column("exchange_id")
        return
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_AT_ONCE, columns=["exchange_id", "campaign"]):
                mine = pc.equal(batch.column("campaign"), campaign)
                yield batch.column("exchange_id").cast(EXCHANGES.field(0).type).filter(mine)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} could not be read.", "Run the hunt again.") from error


def _finding(row: dict[str, Any], hunt: dict[str, Any]) -> dict[str, Any]:
    probability = float(row["probability"])
    return {
        "probability": probability,
        "word": estimative_word(probability),
        "prior": float(hunt["prior"]["probability"]),
        "link_p": row["link_p"],
        "q_value": row["q_value"],
        "harvest_p": row["harvest_p"],
        "harvest_p_floor": row["harvest_p_floor"],
        "kinds": list(row["kinds"]),
    }


def _method(hunt: dict[str, Any]) -> dict[str, Any]:
    """How it was found: enough to do it again, and nothing of where files lie."""
    inputs = hunt["inputs"]
    digest = hashlib.sha256()
    for one in sorted(inputs, key=lambda one: (one["sha256"] or "", one["rows"])):
        digest.update(f"{one['sha256'] or '-'} {one['rows']}\n".encode())
    parameters = hunt["parameters"]
    return {
        "package": hunt["package"],
        "version": hunt["version"],
        "findings": hunt["schema"],
        "observation": hunt["observation"],
        "parameters": {name: parameters[name] for name in _PARAMETERS if name in parameters},
        "inputs": {
            "files": len(inputs),
            "rows": sum(one["rows"] or 0 for one in inputs),
            "sha256": digest.hexdigest(),
        },
        "exchanges_hunted": hunt["counts"]["exchanges"],
        "accounts_hunted": hunt["counts"]["accounts"],
    }


def _not_seen(findings: Path, hunt: dict[str, Any]) -> Iterator[str]:
    for row in read_table(findings, "coverage").to_pylist():
        if not row["available"]:
            yield f"The logs that were hunted hardly carry {row['signal']}: {row['consequence']}."
    yield (
        "Exchanges of the campaign through accounts that share nothing with the ones that were found: "
        "those are not counted."
    )
    outside = hunt["counts"].get("outside_period")
    if outside:
        yield f"{outside:,} exchanges outside the period that was hunted."


def _links(findings: Path, campaign: str) -> Iterator[dict[str, Any]]:
    """Links of the campaign, the surest first; values only numbered, for findings may name them."""
    table = read_table(findings, "links")
    rows = table.filter(pc.equal(table.column("campaign"), campaign)).to_pylist()
    rows.sort(key=lambda row: (row["p_value"], str(row)))
    numbers: dict[tuple[str, str], str] = {}
    for row in rows[:MOST_LINKS]:
        told = {name: row[name] for name in ("entities", "expected", "p_value", "q_value")}
        for side in ("x", "y"):
            family = row[f"{side}_family"]
            named = numbers.setdefault(
                (family, row[f"{side}_value"]), f"{_plain(family)}-{len(numbers) + 1}"
            )
            told[side] = named
        yield told


def _plain(family: str) -> str:
    return re.sub(r"[^a-z_]", "", family)
