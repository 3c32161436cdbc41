"""A table of degree totals with its salts, as the keeper of a log has it."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Any

import numpy as np

from stillhunt.evidence.canonical import encode
from stillhunt.evidence.failures import EvidenceError
from stillhunt.evidence.merkle import MemoryTree, Rows, as_hashes, leaf_hash, leaf_hashes
from stillhunt.evidence.primitives import key_stream
from stillhunt.evidence.totals.rows import (
    MOST_GRAMS,
    SALT_BYTES,
    header_row,
    template_row,
    value_commitments,
    value_rows,
)

_ARRAYS = ("family", "value", "entities", "template", "gram")


@dataclass(frozen=True)
class TotalsTable:
    """Degree totals of a stretch of a log.

    Attributes:
        header: classes of degrees and popularities, as JSON.
        family: uint8 (n,), value: int64 (n,), entities: int64 (n,): values that two or more entities
            carry, by family, then value.
        template: int64 (m,), gram: int32 (m,): grams of each template, by template, then gram.
        key: 32 bytes, of which the salts are the key stream (AES-256 in counter mode, from 0).
    """

    header: dict[str, Any]
    family: np.ndarray
    value: np.ndarray
    entities: np.ndarray
    template: np.ndarray
    gram: np.ndarray
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @cached_property
    def templates(self) -> np.ndarray:
        """Different templates, rising, int64 (t,)."""
        return np.unique(self.template)

    @property
    def rows(self) -> int:
        """How many the tree has."""
        return 1 + len(self.value) + len(self.templates)

    @cached_property
    def salts(self) -> Rows:
        """Of the values, then of the templates, (n + t, 16)."""
        count = len(self.value) + len(self.templates)
        made = key_stream(self.key, 0, SALT_BYTES * count)
        return np.frombuffer(made, dtype=np.uint8).reshape(count, SALT_BYTES)

    @cached_property
    def commitments(self) -> Rows:
        """Of each value, (n, 32)."""
        return value_commitments(self.salts[: len(self.value)], self.family, self.value)

    @cached_property
    def _order(self) -> np.ndarray:
        """Values in the order of their rows: by commitment, so that a place tells nothing of a value."""
        first = np.ascontiguousarray(self.commitments[:, :8]).view(">u8").reshape(-1)
        return np.lexsort((first, self.family))

    @cached_property
    def row_of_value(self) -> np.ndarray:
        """int64 (n,): the row of each value."""
        place = np.empty(len(self.value), dtype=np.int64)
        place[self._order] = np.arange(1, len(self.value) + 1)
        return place

    def row_of_template(self, number: int) -> int:
        """The row of a template, by its place in ``templates``."""
        return 1 + len(self.value) + number

    def template_row(self, number: int) -> bytes:
        """The row itself."""
        name = self.templates[number]
        ends = np.searchsorted(self.template, name), np.searchsorted(self.template, name, "right")
        grams = self.gram[ends[0] : ends[1]][:MOST_GRAMS]
        return template_row(self.salts[len(self.value) + number].tobytes(), int(name), grams)

    @cached_property
    def tree(self) -> MemoryTree:
        """Over all rows."""
        order = self._order
        values = value_rows(self.family[order], self.entities[order], self.commitments[order])
        templates = [leaf_hash(self.template_row(i)) for i in range(len(self.templates))]
        return MemoryTree(
            np.concatenate(
                [
                    as_hashes(leaf_hash(header_row(self.header))),
                    leaf_hashes(values.view(np.uint8).reshape(len(values), -1)),
                    as_hashes(templates),
                ]
            )
        )

    def to_bytes(self) -> bytes:
        """All of it, the salts' key included: to be kept as secret as the observations."""
        out = BytesIO()
        np.savez_compressed(
            out,
            header=np.frombuffer(encode(self.header), dtype=np.uint8),
            key=np.frombuffer(self.key, dtype=np.uint8),
            **{name: getattr(self, name) for name in _ARRAYS},
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> TotalsTable:
        """The opposite.

        Raises:
            EvidenceError: this is no table of totals.
        """
        try:
            with np.load(BytesIO(data), allow_pickle=False) as held:
                header = json.loads(held["header"].tobytes())
                family, value, entities, template, gram = (held[name] for name in _ARRAYS)
                key = held["key"].tobytes()
                return cls(header, family, value, entities, template, gram, key)
        except (ValueError, KeyError, OSError, EOFError) as error:
            raise EvidenceError(
                "A file of degree totals cannot be read.", "Restore it, or claim without it."
            ) from error
