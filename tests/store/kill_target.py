"""Takes logs into a store without end, to be killed. Forks, so that each life begins at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pyarrow as pa

import stillhunt.store.compaction as the_compaction
import stillhunt.store.ingest as the_ingest
import stillhunt.store.manifest as the_manifest
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import ReadOptions
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt.store.ingest import Ingest
from stillhunt.store.store import store_to_write
from stillhunt.store.upkeep import keep_up


def live(root: Path, logs: Path) -> None:
    """Take in, merge, expire, sweep, again and again."""
    while True:
        with store_to_write(root, None) as store:
            Ingest(store, ReadOptions(), threads=1).take(sorted(logs.glob("*.jsonl")))
            keep_up(store, None)


def main() -> None:
    """A line on standard input is the word to begin a life; its process is told."""
    root, logs = Path(sys.argv[1]), Path(sys.argv[2])
    # Many small transactions, so that kills fall into every kind of them.
    the_ingest.GROUP_FILES = 2
    the_compaction.FAN = 2
    the_manifest.CHECKPOINT_EVERY = 3
    one = {name: [None] for name in EXCHANGE_SCHEMA.names}
    one |= {"exchange_id": ["x"], "account": ["a"], "prompt": ["to have the kernel compiled"]}
    one["time"] = [0]
    observer = Observer(1)
    observer.observe(pa.RecordBatch.from_pydict(one, schema=EXCHANGE_SCHEMA))
    the_ingest.Observer = lambda _threads: observer  # type: ignore[assignment,misc]
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                live(root, logs)
            finally:
                os._exit(1)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
