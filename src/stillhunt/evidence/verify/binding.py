"""Whether pseudonyms stand for what an opened leaf holds."""

from __future__ import annotations

import numpy as np

from stillhunt.evidence.claim.leaves import NOTHING
from stillhunt.evidence.claim.values import REFERRED, values_of
from stillhunt.evidence.entries import join_leaves
from stillhunt.evidence.pseudonyms import pseudonym
from stillhunt.evidence.refusal import Code, Refused
from stillhunt.evidence.verify.shown import ShownLeaves
from stillhunt.records.leaf import LAYOUT


def check_binding(
    shown: ShownLeaves,
    at: tuple[int, int],
    who: bytes,
    where: bytes,
    what: bytes,
    openings: list[bytes],
) -> None:
    """Hold an opened leaf to its pseudonyms.

    Args:
        shown: leaves of the bundle; at: which, by account and place in it.
        who, where, what: its blocks; openings: 16 bytes for each kind of REFERRED, zeroes for none.

    Raises:
        Refused: a pseudonym is not that of the value.
    """
    blocks = (np.frombuffer(block, dtype=np.uint8).reshape(1, -1) for block in (who, where, what))
    record = np.ascontiguousarray(join_leaves(*blocks)).reshape(-1).view(LAYOUT)
    refers = shown.leaves["refers"][int(shown.starts[at[0]]) + at[1]]
    for kind, which, opening in zip(REFERRED, refers.tolist(), openings, strict=True):
        value, said = values_of(record, kind)
        if which == NOTHING or not said[0]:
            good = which == NOTHING and not said[0] and not any(opening)
        else:
            raw = int(value[0]).to_bytes(8, "little", signed=True)
            good = pseudonym(kind, opening, raw) == shown.names[kind][which].tobytes()
        if not good:
            raise Refused(
                Code.PSEUDONYM_BINDING,
                f"A pseudonym of kind {kind} is not that of the leaf's value.",
            )
