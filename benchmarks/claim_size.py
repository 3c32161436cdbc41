"""How large a claim is, and how long it takes to make and to check, at each depth.

``python benchmarks/claim_size.py --scale 0.01`` makes a store of observations in bulk as
``headline.py`` does, seals all of it into a log, and claims the exchanges of the three planted
campaigns as one. At scale 0.1 these are 1.65 million exchanges through 2,400 accounts among
11.65 million. ``--store DIR --log DIR`` take what was made and sealed before.

Who belongs to the campaigns is taken from the truth: what is measured is evidence, not finding.
Each step is a process of its own. *audited* is the bundle with its answers to an auditor's value at the
usual rates; *one, not audited* the bundle before. It always ends with 0: it measures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from _bulk.generate import LIBRARY, generate
from _bulk.sizes import size_at
from _watch import Watched, watch
from stillhunt.evidence.claim.gather import gather
from stillhunt.evidence.claim.make import Facts, make_claim
from stillhunt.evidence.claim.respond import respond
from stillhunt.evidence.claim.state import read_state, state_path
from stillhunt.evidence.log.create import create_log
from stillhunt.evidence.log.reader import Log
from stillhunt.evidence.log.writer import writing_log
from stillhunt.evidence.seed import auditors_seed
from stillhunt.evidence.statement import DEPTHS
from stillhunt.fingerprints.hashing import hash64
from stillhunt.sealing.from_store import seal_store
from stillhunt.store.store import store_to_read

ORIGIN = "benchmark.example/log"
SEED = hashlib.sha256(b"an auditor's value").hexdigest()
MIB = 1 << 20
NARROWEST = 132
"""Columns to print with where the output is no terminal."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A step: what it took, and the bytes that it left; None where they say nothing."""

    name: str
    run: Watched
    bytes: int | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark, or one step of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=0.01, help="of the headline (default 0.01)")
    parser.add_argument("--store", type=Path, help="a store made before")
    parser.add_argument("--log", type=Path, help="a log that it was sealed into before")
    parser.add_argument("--folder", type=Path, help="where to work; else a temporary folder")
    parser.add_argument("--jobs", type=int, default=2, help="processes that generate")
    parser.add_argument("--library", type=int, default=LIBRARY, help="exchanges simulated first")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.step:
        _step(asked.step, asked.store, asked.log, asked.folder)
        return 0
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, NARROWEST))
    with ExitStack() as stack:
        folder = asked.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="stillhunt-claim-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        store = asked.store or folder / "store"
        if asked.store is None:
            # In a process of its own, so that no memory of it is held here.
            step = f"generate {asked.scale} {asked.jobs} {asked.library}"
            _measure("make the store", step, store, store, folder)
        log = asked.log or folder / "log"
        measured = []
        if asked.log is None:
            measured.append(_measure("seal everything", "seal", store, log, folder))
        for depth in DEPTHS:
            measured += _depth(depth, store, log, folder)
        console.print(_table(measured))
        _tell(console, store, log, folder)
    return 0


def _depth(depth: str, store: Path, log: Path, folder: Path) -> list[Measured]:
    bundle = folder / f"{depth}.claim"
    made = _measure(f"{depth}: make", f"make {depth}", store, log, folder)
    steps = [Measured(made.name, made.run, bundle.stat().st_size)]
    if depth != "full":
        answered = _measure(f"{depth}: answer an audit", f"answer {depth}", store, log, folder)
        steps.append(Measured(answered.name, answered.run, bundle.stat().st_size))
    trust = folder / "trust.json"
    trust.write_text(json.dumps({"log": [str(key) for key in Log(log).keys()]}))  # noqa: SIM118
    code = "import sys; from stillhunt.evidence.verify.main import main; sys.exit(main())"
    seed = [] if depth == "full" else ["--seed", SEED]
    command = [sys.executable, "-c", code, str(bundle), "--trust", str(trust), *seed]
    return [*steps, _watched(f"{depth}: verify", command, folder)]


def _measure(name: str, step: str, store: Path, log: Path, folder: Path) -> Measured:
    own = [sys.executable, __file__, "--step", step]
    where = ["--store", str(store), "--log", str(log), "--folder", str(folder)]
    return _watched(name, own + where, folder)


def _watched(name: str, command: list[str], folder: Path) -> Measured:
    print(name, file=sys.stderr)
    run = watch(command, folder / "said", dict(os.environ))
    if run.exit_code:
        sys.exit(f"{name} ended with {run.exit_code}: {run.said[-2000:]}")
    return Measured(name, run, None)


def _step(step: str, store: Path, log: Path, folder: Path) -> None:
    name, _, depth = step.partition(" ")
    bundle = folder / f"{depth}.claim"
    if name == "generate":
        scale, jobs, library = depth.split()
        generate(store, size_at(float(scale)), jobs=int(jobs), library=int(library))
    elif name == "seal":
        create_log(log, ORIGIN)
        with store_to_read(store) as held, writing_log(log) as writer:
            seal_store(writer, held)
    elif name == "make":
        digests, accounts = _claimed(store)
        found = gather(Log(log), digests, accounts)
        make_claim(log, _facts(len(digests), len(accounts)), found, bundle, depth=depth)
    else:
        respond(Log(log), bundle, read_state(state_path(bundle)), auditors_seed(SEED), bundle)


def _claimed(store: Path) -> tuple[np.ndarray, np.ndarray]:
    """Digests of the planted campaigns' exchanges, and hashes of their accounts."""
    truth = pq.read_table(store / "truth.parquet")
    named = truth.filter(pc.is_valid(truth["campaign"]))["account"].combine_chunks()
    accounts = hash64(named, "account")
    kept = []
    for path in sorted((store / "observations").rglob("*.parquet")):
        part = pq.read_table(path, columns=["exchange", "account"], partitioning=None)
        mine = pc.is_in(part["account"], accounts)
        kept.append(part.filter(mine)["exchange"].combine_chunks())
    digests = pa.concat_arrays([one for part in kept for one in _chunks(part)])
    raw = np.frombuffer(digests.buffers()[1], dtype=np.uint8)
    start = 16 * digests.offset
    rows = raw[start : start + 16 * len(digests)].reshape(-1, 16)
    return np.ascontiguousarray(rows), accounts.to_numpy(zero_copy_only=False)


def _chunks(part: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return part.chunks if isinstance(part, pa.ChunkedArray) else [part]


def _facts(exchanges: int, accounts: int) -> Facts:
    finding = {
        "probability": 0.99, "word": "almost certain", "prior": 0.5, "link_p": 1e-12,
        "q_value": 1e-11, "harvest_p": 0.01, "harvest_p_floor": 0.01, "kinds": ["synthetic_data"],
    }  # fmt: skip
    return Facts(
        campaign="c-benchmark",
        low=exchanges,
        high=exchanges,
        finding=finding,
        method={"package": "stillhunt", "version": "benchmark"},
        not_seen=(),
        links=(),
        named_accounts=accounts,
        named_exchanges=exchanges,
    )


def _table(measured: list[Measured]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="A claim at each depth", title_justify="left")
    table.add_column("step")
    for name in ("wall s", "processor s", "peak MiB", "bundle bytes"):
        table.add_column(name, justify="right")
    for one in measured:
        table.add_row(
            one.name,
            f"{one.run.seconds:.1f}",
            f"{one.run.processor:.1f}",
            # As sampled: what the kernel tells of a child counts its parent's memory, too.
            f"{max(size for _, size in one.run.resident) / MIB:,.0f}",
            "" if one.bytes is None else f"{one.bytes:,}",
        )
    return table


def _tell(console: Console, store: Path, log: Path, folder: Path) -> None:
    state = read_state(state_path(folder / "counts.claim"))
    rows = state.rows
    leaves = Log(log).head().checkpoint.size
    size = sum(path.stat().st_size for path in log.rglob("*") if path.is_file())
    per = (folder / "pseudonymous.claim").stat().st_size / len(rows.key)
    whole = (folder / "full.claim").stat().st_size / len(rows.key)
    for line in (
        f"Claimed: {len(rows.key):,} exchanges of {len(rows.account):,} accounts, of {leaves:,} leaves.",
        f"The log takes {size / leaves:.0f} bytes a leaf on disk.",
        f"Bytes an exchange: pseudonymous {per:.0f}, full {whole:.0f}.",
        f"Store {store}, log {log}.",
    ):
        console.print(line, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
