"""What sealing and verifying cost, beside bare SHA-256 and beside another package's same tree.

``python benchmarks/evidence.py --leaves 1000000`` makes so many observations of random bytes, seals
them into a log on disk, and proves and checks leaves of it. All rows are of one run and one core,
in turns, so that what else the machine does weighs on all of them; seconds are processor time of this
process, medians of the rounds. Floors:

- *one stream*: all canonical bytes in one call of hashlib: no log of leaves could be so made.
- *one call a leaf*: one hash of each entry, nothing else.
- *one call a message*: every message that sealing has to hash (three commitments, the entry, a node of
  the tree), each in a call of its own, nothing else: what any Python around hashlib needs at least.

It always ends with 0: it measures, it does not judge.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from stillhunt.evidence.batch_proof import batch_proof, batch_root
from stillhunt.evidence.entries import LEAF_BYTES, observation_entries, salts
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.merkle import MemoryTree, leaf_hashes, node_hash
from stillhunt.records.leaf import LAYOUT

ORIGIN = "benchmark.example/log"
MESSAGES = (37, 45, 167, 98, 65)
"""Bytes of what is hashed for a leaf: commitments to who, where and what, the entry, a node."""
NARROWEST = 132
"""Columns to print with where the output is no terminal."""
SINGLE = 2000
"""Leaves proven one by one; their time is scaled."""


@dataclass
class Row:
    """One thing that is measured: seconds of each round, for so many leaves."""

    name: str
    work: Callable[[], object]
    leaves: int
    seconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def each(self) -> float:
        """Seconds a leaf."""
        return self.median / self.leaves


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--leaves", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--claimed", type=float, default=0.1, help="share of leaves proven")
    parser.add_argument("--folder", type=Path, help="where logs are made; else a temporary one")
    asked = parser.parse_args(arguments)
    if asked.leaves < SINGLE or asked.rounds < 1 or not 0 < asked.claimed <= 1:
        sys.exit(f"Give {SINGLE} leaves or more, a round at least, and a share up to 1.")
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, NARROWEST))
    with tempfile.TemporaryDirectory(prefix="stillhunt-evidence-", dir=asked.folder) as folder:
        sealing, proving = Work(asked.leaves, asked.claimed, Path(folder)).rows()
        for round_ in range(asked.rounds):
            for row in (*sealing, *proving):
                print(f"round {round_ + 1}: {row.name}", file=sys.stderr)
                start = time.process_time()
                row.work()
                row.seconds.append(time.process_time() - start)
        size = sum(path.stat().st_size for path in Path(folder, "0").rglob("*") if path.is_file())
    floor = next(row for row in sealing if "message" in row.name)
    console.print(_table("Sealing", sealing, floor, "x one call a message"))
    console.print(_table("Proving and verifying", proving, proving[0], "x one call a node"))
    console.print(
        f"{asked.leaves:,} leaves, {asked.rounds} rounds, Python {sys.version.split()[0]}; "
        f"a log takes {size / asked.leaves:.0f} bytes a leaf on disk (random bytes do not compress)."
    )
    return 0


class Work:
    """What is measured, over the same leaves."""

    def __init__(self, leaves: int, share: float, folder: Path) -> None:
        random = np.random.default_rng(1)
        self.canonical = random.integers(0, 256, (leaves, LEAF_BYTES), dtype=np.uint8)
        self.canonical[:, 0] = 1
        # A time that is one, so that the period can be written.
        self.canonical.reshape(-1).view(LAYOUT)["time"] = np.arange(leaves)
        self.salt = salts(bytes(32), 0, leaves)
        self.entries = observation_entries(self.canonical, self.salt)
        self.hashes = leaf_hashes(self.entries)
        self.tree = MemoryTree(self.hashes)
        self.root = self.tree.root()
        count = max(1, int(leaves * share))
        self.positions = np.sort(random.choice(leaves, count, replace=False))
        self.proof = batch_proof(self.tree, leaves, self.positions)
        self.leaves = leaves
        self.logs = (folder / str(i) for i in itertools.count())

    def rows(self) -> tuple[list[Row], list[Row]]:
        """Of sealing, and of proving and verifying."""
        n, k = self.leaves, len(self.positions)
        sealing = [
            Row("bare SHA-256, one stream", self.one_stream, n, []),
            Row("bare SHA-256, one call a leaf", self.one_a_leaf, n, []),
            Row("bare SHA-256, one call a message", self.one_a_message, n, []),
            Row("salts and entries", self.make_entries, n, []),
            Row("tree over entries, in memory", self.make_tree, n, []),
            Row("sealed: entries, tree, tiles, payload, fsync", self.seal, n, []),
        ]
        proving = [
            Row("bare SHA-256, one call a node of the proof", self.one_a_node, k, []),
            Row("make one proof of all", self.prove, k, []),
            Row("check one proof of all", self.check, k, []),
            Row("check it from opened leaves", self.check_opened, k, []),
        ]
        peer = _pymerkle(self)
        if peer is not None:
            sealing.append(peer[0])
            proving.append(peer[1])
        return sealing, proving

    def one_stream(self) -> None:
        hashlib.sha256(self.canonical.reshape(-1).data).digest()

    def one_a_leaf(self) -> None:
        data = memoryview(self.entries.tobytes())
        width = self.entries.shape[1]
        sha256 = hashlib.sha256
        for at in range(0, len(data), width):
            sha256(data[at : at + width]).digest()

    def one_a_message(self) -> None:
        sha256 = hashlib.sha256
        for size in MESSAGES:
            message = bytes(size)
            for _ in range(self.leaves):
                sha256(message).digest()

    def make_entries(self) -> None:
        observation_entries(self.canonical, salts(bytes(32), 0, self.leaves))

    def make_tree(self) -> None:
        MemoryTree(leaf_hashes(self.entries))

    def seal(self) -> None:
        path = next(self.logs)
        create_log(path, ORIGIN)
        with writing_log(path) as writer:
            writer.append(self.canonical)
            writer.publish()
        _hold(Log(path).head().checkpoint.size == self.leaves + 1)

    def one_a_node(self) -> None:
        left = bytes(32)
        for _ in range(len(self.positions) + len(self.proof) // 32 - 1):
            node_hash(left, left)

    def prove(self) -> None:
        _hold(batch_proof(self.tree, self.leaves, self.positions) == self.proof)

    def check(self) -> None:
        claimed = self.hashes[self.positions]
        _hold(batch_root(self.leaves, self.positions, claimed, self.proof) == self.root)

    def check_opened(self) -> None:
        entries = observation_entries(self.canonical[self.positions], self.salt[self.positions])
        claimed = leaf_hashes(entries)
        _hold(batch_root(self.leaves, self.positions, claimed, self.proof) == self.root)


def _hold(good: bool) -> None:
    if not good:
        sys.exit("What was measured came to a wrong result: the figures would mean nothing.")


def _pymerkle(work: Work) -> tuple[Row, Row] | None:
    """The same tree by pymerkle, where it is installed; it has to come to the same root."""
    try:
        import pymerkle  # noqa: PLC0415
    except ImportError:
        print("pymerkle is not installed: its rows are left out.", file=sys.stderr)
        return None
    whole = [row.tobytes() for row in work.entries]
    some = work.positions[:: max(1, len(work.positions) // SINGLE)].tolist()

    def build() -> object:
        made = pymerkle.InmemoryTree(algorithm="sha256")
        for entry in whole:
            made.append_entry(entry)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _hold(made.get_state() == work.root)
        return made

    tree = build()

    def prove() -> None:
        for position in some:
            base = tree.get_leaf(position + 1)  # type: ignore[attr-defined]
            pymerkle.verify_inclusion(base, work.root, tree.prove_inclusion(position + 1))  # type: ignore[attr-defined]

    return (
        Row("pymerkle: tree over entries, in memory", build, len(whole), []),
        Row("pymerkle: make and check, one by one", prove, len(some), []),
    )


def _table(title: str, rows: list[Row], floor: Row, beside: str) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("what")
    for name in ("leaves", "seconds", "leaves/s a core", "s a million", beside):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.leaves:,}",
            f"{row.median:.2f}",
            f"{1 / row.each:,.0f}" if row.each else "",
            f"{1e6 * row.each:.2f}",
            f"{row.each / floor.each:.2f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
