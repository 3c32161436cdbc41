"""A function of rows, run on several threads that share the rows out among them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pyarrow as pa

from stillhunt.engines.base import Rows

_WAITING = 4
"""Batches that may wait for whoever takes them; more would only fill memory."""


def in_shares(function: Callable[[Rows], Rows], rows: Rows, threads: int) -> Rows:
    """Call a function on each thread with its share of the rows, and give what it makes as it comes.

    Args:
        function: from rows to rows; it should let go of the interpreter's lock where it works.
        rows: taken batch by batch by whichever thread is free.
        threads: how many.

    Raises:
        Exception: what the function, or taking the rows, raised first.
    """
    lock = threading.Lock()
    made: queue.Queue[pa.RecordBatch | BaseException | None] = queue.Queue(_WAITING)
    stopped = threading.Event()

    def share() -> Rows:
        while not stopped.is_set():
            with lock:
                batch = next(rows, None)
            if batch is None:
                return
            yield batch

    def put(thing: pa.RecordBatch | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                made.put(thing, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for batch in function(share()):
                put(batch)
        except BaseException as error:  # noqa: BLE001
            put(error)
        put(None)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        running = len(workers)
        while running:
            thing = made.get()
            if thing is None:
                running -= 1
            elif isinstance(thing, BaseException):
                raise thing
            else:
                yield thing
    finally:
        stopped.set()
        for worker in workers:
            worker.join()
