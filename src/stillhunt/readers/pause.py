"""Work without Python's collections of cyclic garbage in between.

A request of some hundred spans is tens of thousands of objects at once. Collections begin every 700
new ones and go through all of them again and again: half of the time of reading it. Nothing here makes
cycles, so that nothing is left to collect for as long as one record takes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Pause collections; of several threads the one that found them enabled enables them again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
