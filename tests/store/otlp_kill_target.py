"""Receives OTLP, to be killed. Forks, so that each life begins at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pyarrow as pa

import stillhunt.store.ingest as the_ingest
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import ReadOptions
from stillhunt.records.exchange import EXCHANGE_SCHEMA
from stillhunt.store.sources import otlp_spool
from stillhunt.store.sources.otlp import OtlpSource


def main() -> None:
    """A line on standard input is the word to begin a life; told are its process, then its port."""
    root = Path(sys.argv[1])
    otlp_spool.SEGMENT_BYTES = 20_000  # so that segments are closed while requests come
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
                print(os.getpid(), flush=True)
                source = OtlpSource(("127.0.0.1", 0), root, ReadOptions(), threads=1)
                print(source.address[1], flush=True)
                source.run(0.03, lambda _outcome: None)
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main()
