"""Three campaigns among a hundred million exchanges, at any scale.

``python benchmarks/headline.py --scale 0.01`` makes a store of observations in bulk.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from _bulk.generate import generate
from _bulk.sizes import size_at


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--scale", type=float, default=0.01, help="of the full size, 116.55 million"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/headline"), help="folder of the store"
    )
    parser.add_argument("--days", type=int, default=7, help="length of the period")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--generate-only", action="store_true", help="make the store and stop")
    asked = parser.parse_args(arguments)
    told = Console(stderr=True)
    with told.status("Generating") as status:
        made = generate(
            asked.out / "store",
            size_at(asked.scale),
            days=asked.days,
            seed=asked.seed,
            jobs=asked.jobs,
            progress=lambda done, of: status.update(f"Generating: {done:,} of {of:,}"),
        )
    told.print(
        f"{made.exchanges:,} exchanges through {made.accounts:,} accounts in {asked.out / 'store'}: "
        f"{made.preparing:.1f} s for everybody, {made.writing:.1f} s for the exchanges, "
        f"{made.bytes / made.exchanges:.1f} bytes an observation."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
