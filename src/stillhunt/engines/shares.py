"""A function of rows, run on several threads that share the rows out among them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeAlias

import pyarrow as pa

from stillhunt.engines.base import Rows

_WAITING = 4
"""Batches that may wait for whoever takes them; more would only fill memory."""

_Made: TypeAlias = pa.RecordBatch | BaseException | None


def in_shares(function: Callable[[Rows], Rows], rows: Rows, threads: int) -> Rows:
    """Call a function on each thread with its share of the rows, and give what it makes as it comes.

    Args:
        function: from rows to rows; it should let go of the interpreter's lock where it works.
        rows: taken batch by batch by whichever thread is free.
        threads: how many.

    Raises:
        Exception: what the function, or taking the rows, raised first.
    """
    source = _Source(rows)
    made: queue.Queue[_Made] = queue.Queue(_WAITING)
    workers = [
        threading.Thread(target=_work, args=(function, source, made), daemon=True)
        for _ in range(threads)
    ]
    for worker in workers:
        worker.start()
    try:
        yield from _collect(made, threads)
    finally:
        source.stopped.set()
        while any(worker.is_alive() for worker in workers):
            _empty(made)
            workers[0].join(0.01)


class _Source:
    """Rows that threads take from in turn, until told to stop."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._lock = threading.Lock()
        self.stopped = threading.Event()

    def share(self) -> Rows:
        while not self.stopped.is_set():
            with self._lock:
                batch = next(self._rows, None)
            if batch is None:
                return
            yield batch


def _work(function: Callable[[Rows], Rows], source: _Source, made: queue.Queue[_Made]) -> None:
    try:
        for batch in function(source.share()):
            made.put(batch)
            if source.stopped.is_set():
                return
    except BaseException as error:  # noqa: BLE001
        made.put(error)
    else:
        made.put(None)


def _collect(made: queue.Queue[_Made], threads: int) -> Rows:
    running = threads
    while running:
        thing = made.get()
        if isinstance(thing, BaseException):
            raise thing
        if thing is None:
            running -= 1
        else:
            yield thing


def _empty(made: queue.Queue[_Made]) -> None:
    """Make room, so that nobody waits for ever to put."""
    try:
        while True:
            made.get_nowait()
    except queue.Empty:
        return
