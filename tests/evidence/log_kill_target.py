"""Seals batches without end, to be killed. Forks, so that each life begins at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from log_cases import accounts, observations

from stillhunt.evidence.entries import CLAIM
from stillhunt.evidence.log.writer import writing_log


def live(root: Path, told: Path) -> None:
    """Append, sign, say so, again and again; sometimes a claim, a rotation, two batches a head."""
    random = np.random.default_rng(os.getpid())
    while True:
        with writing_log(root) as writer:
            at = sum(batch.observations for batch in writer.batches)
            for _ in range(int(random.integers(1, 4))):
                for _ in range(int(random.integers(1, 3))):
                    count = int(random.integers(0, 400))
                    writer.append(observations(at, count), accounts(at, int(random.integers(0, 3))))
                    at += count
                if random.random() < 0.3:
                    writer.append_entry(CLAIM, random.bytes(32))
                if random.random() < 0.1:
                    writer.rotate()
                head = writer.publish().checkpoint
                with told.open("a") as out:
                    out.write(f"{head.size} {head.root.hex()} {at}\n")


def main() -> None:
    """A line on standard input is the word to begin a life; its process is told."""
    root, told = Path(sys.argv[1]), Path(sys.argv[2])
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                live(root, told)
            finally:
                os._exit(1)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
