"""Checks of what a bundle may carry besides: batch records, time stamps, openings."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import numpy as np

from stillhunt.errors import MissingExtraError, StillhuntError
from stillhunt.evidence.batch_proof import batch_root
from stillhunt.evidence.canonical import decode, decode_base64, encode
from stillhunt.evidence.entries import BATCH, digest_entry
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.log.batches import Batch, parse_batch
from stillhunt.evidence.merkle import leaf_hash
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.timestamps import StampError, check_stamp
from stillhunt.evidence.verify.context import Context, Outcome, not_applicable, passed
from stillhunt.evidence.verify.opened_checks import check_opened
from stillhunt.evidence.verify.openings import check_opening, read_opening

_MOST = 64 << 20


def read_batches(context: Context) -> list[Batch]:
    """The batch records that a bundle carries, held to the log.

    Raises:
        Refused: malformed, or not in the log.
    """
    wrong = Refused(Code.BATCH_RECORDS, "The batch records are malformed, or not in the log.")
    value = decode(context.body("batches"), _MOST)
    if not isinstance(value, dict) or set(value) != {"proof", "records"}:
        raise wrong
    if not isinstance(value["records"], list) or not isinstance(value["proof"], str):
        raise wrong
    head = context.after.checkpoint
    try:
        batches = [parse_batch(encode(record)) for record in value["records"]]
        leaves = [leaf_hash(digest_entry(BATCH, batch.digest())) for batch in batches]
        places = [batch.leaf for batch in batches]
        root = batch_root(head.size, places, leaves, decode_base64(value["proof"]))
    except (EvidenceError, TypeError, AttributeError) as error:
        raise wrong from error
    if root != head.root or any(a.end > b.first for a, b in pairwise(batches)):
        raise wrong
    return batches


def check_batches(context: Context) -> Outcome:
    """Batch records are in the log, and every shown leaf lies in one."""
    if "batches" not in context.members:
        return not_applicable("The bundle carries none.")
    context.batches = batches = tuple(read_batches(context))
    if context.leaves is not None:
        position = context.leaves.leaves["position"].astype(np.int64)
        inside = np.zeros(len(position), dtype=bool)
        for batch in batches:
            mine = (position >= batch.first) & (position < batch.first + batch.observations)
            inside |= mine
            if not mine.any():
                raise Refused(
                    Code.BATCH_RECORDS, "A batch record has nothing to do with the claim."
                )
        if not inside.all():
            raise Refused(Code.BATCH_RECORDS, "A leaf lies in no batch that the bundle names.")
    return passed(f"{len(batches):,} records of batches are in the log.")


def check_timestamps(context: Context) -> Outcome:
    """Time-stamping authorities saw the statement."""
    names = [name for name in context.members if name.startswith("timestamps/")]
    if not names:
        return not_applicable("The bundle carries none.")
    if not context.trust.authorities:
        context.not_shown.append(
            f"Whether the {len(names)} time stamps are genuine: no authority was named as trusted."
        )
        return not_applicable("No authority was named as trusted.")
    stamps = []
    for name in names:
        try:
            stamp = check_stamp(
                context.body(name),
                context.statement.digest,
                roots=context.trust.authorities,
                now=context.trust.now,
            )
        except MissingExtraError as error:
            context.not_shown.append(f"Whether the {len(names)} time stamps are genuine: {error}")
            return not_applicable("The package that checks them is not installed.")
        except StillhuntError as error:
            code = Code(error.code) if isinstance(error, StampError) else Code.TIMESTAMP
            raise Refused(code, error.problem, error.remedy) from error
        stamps.append(
            {"time": stamp.time.isoformat(), "authority": ascii(stamp.authority[:300])[1:-1]}
        )
        context.shown.append(
            f"A time-stamping authority that you trust saw this claim at "
            f"{stamp.time:%Y-%m-%d %H:%M:%S} UTC."
        )
    context.figures["timestamps"] = stamps
    return passed(f"{len(stamps)} time stamps are of this statement.")


def check_openings(context: Context) -> Outcome:
    """Accounts, values and exchanges that were opened one by one are those of the claim."""
    names = [name for name in context.members if name.startswith("openings/")]
    if names != [f"openings/{i:06d}.json" for i in range(len(names))]:
        raise Refused(Code.OPENING, "The openings are not numbered one after another.")
    seen: set[bytes] = set()
    for name in names:
        body = context.body(name)
        if sha256(body).digest() in seen:
            raise Refused(Code.OPENING, "An opening is given twice.")
        seen.add(sha256(body).digest())
        said = check_opening(read_opening(body), context.statement, context.leaves)
        context.shown.append(said)
    whole = check_opened(context)
    if not names and not whole:
        return not_applicable("The bundle carries none.")
    return passed(f"{len(names)} openings and {whole:,} whole exchanges are of this claim.")
