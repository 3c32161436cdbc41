"""No column that is no signal by design gives campaigns away, at any rung of the ladder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from stillhunt_simulator import load, simulate

SIGNALS = {
    "system": "what is asked for",
    "prompt": "what is asked for",
    "response": "what is taken; the simulator writes none",
    "output_tokens": "how much is taken",
    "time": "an operator's hours, pace, and how long accounts live",
    "client_address": "shared infrastructure",
    "client_asn": "shared infrastructure",
    "tls_fingerprint": "shared programs",
    "user_agent": "shared programs",
    "payment": "shared payers; its text is tested all the same",
    "organization": "none is declared for a campaign; lawful strangers declare none either",
    "declared_use": "likewise",
    "licence": "who has one is exempt",
    "created_at": "bursts of new accounts, and their succession",
}
"""Columns that may separate, with the reason; volume may too, as it is nobody's column."""

REPLACED = {
    "row, first": "rows are in order of time, and accounts that step in for banned ones begin late",
    "row, last": "and banned ones end early",
}
"""What may separate besides at rungs where accounts are replaced: E2 to E6."""

IDENTIFIERS = ("exchange_id", "account", "credential", "payment")
NUMBERS = ("temperature", "max_tokens", "status", "stream", "input_tokens")
WORDS = ("finish_reason", "request_model", "country", "language", "tier", "email_domain")
ENDS = "top-level domain"

MOST = 0.75
SEEDS = (1, 2, 3)
SIZE = 20_000
DRAWN = 8

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Traffic:
    """One simulation; its exchanges carry their account's columns too."""

    def __init__(self, folder: Path) -> None:
        accounts = pq.read_table(folder / "accounts.parquet")
        truth = pq.read_table(folder / "truth" / "accounts.parquet")
        table = pq.read_table(folder / "exchanges.parquet")
        names = np.array(accounts["account"].to_pylist())
        self.who = np.searchsorted(names, np.array(table["account"].to_pylist()))
        self.columns = {
            name: table[name] for name in table.column_names if name not in ("system", "prompt")
        }
        self.columns |= {
            name: accounts[name].take(pa.array(self.who))
            for name in accounts.column_names
            if name not in table.column_names
        }
        ends = pc.replace_substring_regex(self.columns["email_domain"], r"^[^.]*\.", "")
        self.columns[ENDS] = ends
        self.counts = np.bincount(self.who, minlength=len(names))
        self.planted = np.array([c is not None for c in truth["campaign"].to_pylist()])
        self._drawn = self._rarefied()

    def mean(self, values: Floats) -> Floats:
        """Mean per account of what is there; NaN where nothing is."""
        there = ~np.isnan(values)
        sums = np.bincount(self.who[there], values[there], minlength=len(self.counts))
        counts = np.bincount(self.who[there], minlength=len(self.counts))
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    def distinct(self, codes: Ints) -> Floats:
        """Different values among eight exchanges, so that volume does not count."""
        rows = np.sort(codes[self._drawn], axis=1)
        return self._few(1.0 + (np.diff(rows, axis=1) != 0).sum(axis=1))

    def first(self) -> Floats:
        """Row of the first of eight exchanges."""
        return self._few(self._drawn.min(axis=1).astype(float))

    def last(self) -> Floats:
        """Row of the last of eight exchanges."""
        return self._few(self._drawn.max(axis=1).astype(float))

    def _few(self, values: Floats) -> Floats:
        out = np.full(len(self.counts), np.nan)
        out[self.counts >= DRAWN] = values
        return out

    def _rarefied(self) -> Ints:
        """Eight rows of each account that has them; shape (accounts, 8)."""
        order = np.lexsort((np.random.default_rng(0).random(len(self.who)), self.who))
        starts = np.cumsum(self.counts) - self.counts
        return order[starts[self.counts >= DRAWN, None] + np.arange(DRAWN)]


def codes(column: pa.ChunkedArray) -> Ints:
    """Values as numbers, nulls as a value of their own."""
    filled = column.cast(pa.string()).combine_chunks()
    return pc.dictionary_encode(filled, null_encoding="encode").indices.to_numpy()


def summaries(traffic: Traffic) -> Iterator[tuple[str, Floats]]:
    """What each account looks like in columns that are no signals."""
    rows = np.arange(len(traffic.who), dtype=float)
    yield "row, mean", traffic.mean(rows)
    yield "row, first", traffic.first()
    yield "row, last", traffic.last()
    for name in IDENTIFIERS:
        text = traffic.columns[name]
        yield f"{name}, order", traffic.mean(_order(text))
        yield f"{name}, length", traffic.mean(pc.utf8_length(text).to_numpy().astype(float))
    yield "credential, distinct", traffic.distinct(codes(traffic.columns["credential"]))
    for name in NUMBERS:
        column = traffic.columns[name].cast(pa.float64())
        values = column.to_numpy(zero_copy_only=False)
        yield f"{name}, mean", traffic.mean(values)
        yield f"{name}, missing", traffic.mean(np.isnan(values).astype(float))
        yield f"{name}, distinct", traffic.distinct(codes(traffic.columns[name]))
    for name in (*WORDS, ENDS):
        of = codes(traffic.columns[name])
        counts = np.bincount(of)
        yield f"{name}, popularity", traffic.mean(np.log(counts[of]))
        yield f"{name}, distinct", traffic.distinct(of)
        for value in np.argsort(-counts)[:6]:
            label = traffic.columns[name][int(np.argmax(of == value))].as_py()
            yield f"{name}, share of {label}", traffic.mean((of == value).astype(float))


def _order(text: pa.ChunkedArray) -> Floats:
    return pc.rank(text).to_numpy().astype(float) / len(text)


def separation(values: Floats, planted: NDArray[np.bool_], volume: Ints) -> float:
    """Area under the curve, whichever way round, among accounts of like volume.

    Volume is a signal by itself; shares of rare values depend on it. So pairs are formed within
    powers of two of volume only.
    """
    known = ~np.isnan(values)
    won = pairs = 0.0
    for size in np.unique(np.log2(volume[known]).astype(int)):
        here = known & (np.log2(np.maximum(volume, 1)).astype(int) == size)
        inside = planted[here]
        m, n = int(inside.sum()), int((~inside).sum())
        ranks = rankdata(values[here])
        won += ranks[inside].sum() - m * (m + 1) / 2
        pairs += m * n
    return float(max(won / pairs, 1 - won / pairs))


def pooled(tmp_path: Path, level: str) -> tuple[dict[str, list[Floats]], NDArray[np.bool_], Ints]:
    """Summaries of all accounts of several simulations, who is planted, and their volumes."""
    values: dict[str, list[Floats]] = {}
    planted, volume = [], []
    for seed in SEEDS:
        simulate(tmp_path / str(seed), seed=seed, exchanges=SIZE, scenario=load(level))
        traffic = Traffic(tmp_path / str(seed))
        planted.append(traffic.planted)
        volume.append(traffic.counts)
        more = infrastructure(traffic) if level == "e7" else ()
        for name, summary in (*summaries(traffic), *more):
            values.setdefault(name, []).append(summary)
    return values, np.concatenate(planted), np.concatenate(volume)


def infrastructure(traffic: Traffic) -> Iterator[tuple[str, Floats]]:
    """What separates at lower rungs, and must not where every account has its own."""
    for name in ("client_address", "client_asn", "tls_fingerprint", "user_agent", "payment"):
        of = codes(traffic.columns[name])
        counts = np.bincount(of)
        yield f"{name}, popularity", traffic.mean(np.log(counts[of]))
        yield f"{name}, distinct", traffic.distinct(of)


@pytest.mark.parametrize("level", ["e0", "e2", "e3", "e5", "e6", "e7"])
def test_what_is_no_signal_does_not_separate(tmp_path: Path, level: str) -> None:
    values, planted, volume = pooled(tmp_path, level)
    assert planted.sum() >= 100
    assert ("client_asn, popularity" in values) == (level == "e7")
    found = {
        name: separation(np.concatenate(parts), planted, volume)
        for name, parts in values.items()
        # A rare value may not be among the frequent ones of every simulation.
        if len(parts) == len(SEEDS)
    }
    assert len(found) > 50
    allowed = REPLACED if level in ("e2", "e3", "e5", "e6") else {}
    leaks = {name: round(area, 3) for name, area in found.items() if area > MOST}
    assert not leaks.keys() - allowed.keys(), leaks


def test_every_column_is_a_signal_or_tested(tmp_path: Path) -> None:
    simulate(tmp_path, seed=1, exchanges=2_000, scenario=load("clean"))
    written = set(pq.read_schema(tmp_path / "exchanges.parquet").names)
    written |= set(pq.read_schema(tmp_path / "accounts.parquet").names)
    assert written == {*SIGNALS, *IDENTIFIERS, *NUMBERS, *WORDS}


def test_the_test_sees_a_leak() -> None:
    """A column that gives planted accounts away is seen; noise is not, nor is volume."""
    rng = np.random.default_rng(5)
    planted = np.arange(900) % 8 == 0
    volume = rng.integers(8, 200, 900) * (1 + planted)
    noise = rng.random(900)
    assert separation(noise, planted, volume) < 0.6
    assert separation(noise + planted, planted, volume) > MOST
    assert separation(volume + rng.random(900), planted, volume) < 0.65
