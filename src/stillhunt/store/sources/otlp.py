"""OTLP that a collector sends: received, kept, and taken into a store a segment at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from stillhunt.errors import OutputError, UsageError
from stillhunt.readers import NOTHING, ReadOptions
from stillhunt.readers.otlp.schema import otlp_schema
from stillhunt.store.ingest import Ingest, Outcome, keep_from
from stillhunt.store.sources.otlp_http import Limits, Receiver
from stillhunt.store.sources.otlp_spool import Spool
from stillhunt.store.store import store_to_write
from stillhunt.store.upkeep import keep_up

SPOOL_BYTES = 1 << 30
"""What may wait to be taken in, at most, by default."""


class OtlpSource:
    """A receiver and what takes its segments in; ``run`` until ``stop``.

    Attributes:
        address: where it listens, with the port that was had.
    """

    def __init__(
        self,
        address: tuple[str, int],
        store: Path,
        options: ReadOptions,
        *,
        keep_days: int | None = None,
        threads: int | None = None,
        spool_bytes: int = SPOOL_BYTES,
        limits: Limits | None = None,
    ) -> None:
        """Open the store, mend the spool and bind; nothing is received yet.

        Args:
            address: host and port to listen at.
            store: folder of the store; made where there is none.
            options: how requests are read; their source is always OTLP.
            keep_days: as in ``stillhunt ingest``.
            threads: cores for the text kernel, by default all.
            spool_bytes: what may wait to be taken in.
            limits: what is taken at a time.

        Raises:
            MissingExtraError: protobuf is not installed.
            UsageError: another process receives for this store, or has it pseudonymised otherwise.
            OutputError: the store cannot be written, or the address cannot be had.
        """
        otlp_schema()
        self._store = store
        self._options = replace(options, source="otel", mapping=None)
        self._keep_days = keep_days
        self._threads = threads
        self._stopped = threading.Event()
        self._key = options.pseudonymiser.key_id if options.pseudonymiser else None
        with store_to_write(store, self._key) as held:
            folder = held.layout.spool / "otlp"
        self._spool = Spool(folder, spool_bytes)
        try:
            self._receiver = Receiver(address, self._spool, limits)
        except OutputError:
            self._spool.close()
            raise
        host, port = self._receiver.server_address[:2]
        self.address = (str(host), int(port))

    @property
    def counts(self) -> tuple[int, int]:
        """Records accepted and rejected so far."""
        return self._receiver.accepted, self._receiver.rejected

    def stop(self) -> None:
        """Have ``run`` end soon; may be called from a signal handler or another thread."""
        self._stopped.set()

    def run(self, seconds: float, told: Callable[[Outcome], None]) -> None:
        """Receive until stopped; every so many seconds take in what came before the last time.

        Between two times a segment settles: spans and the events that belong to them come apart.

        On stopping, what was accepted is taken in before this returns.

        Args:
            seconds: between two takings-in.
            told: given what became of each.

        Raises:
            OutputError: the disk does not take what is received.
        """
        serving = threading.Thread(target=self._receiver.serve_forever, name="otlp", daemon=True)
        serving.start()
        try:
            self._take_in(told)  # what an earlier process left
            while not self._stopped.wait(seconds) and not self._spool.failed:
                self._spool.turn()
                self._take_in(told)
        finally:
            self._receiver.shutdown()
            self._receiver.server_close()
            failed = self._spool.failed
            if not failed:
                self._spool.turn()
                self._spool.turn()
                self._take_in(told)
                self._spool.close()
        if failed:
            raise OutputError(
                "The disk no longer keeps what is received.",
                "Mend it and start again; what was acknowledged is there.",
            )

    def _take_in(self, told: Callable[[Outcome], None]) -> None:
        """Take closed segments in, oldest first; each is deleted once the store has committed it."""
        segments = self._spool.closed()
        if not segments:
            return
        try:
            with store_to_write(self._store, self._key) as store:
                # All that was acknowledged is taken: bad rows were told, and go to the quarantine.
                ingest = Ingest(
                    store,
                    self._options,
                    1.0,
                    keep_from(self._keep_days),
                    self._threads,
                    again=False,
                )
                outcome = ingest.take(segments)
                keep_up(store, self._keep_days)
        except UsageError as error:
            # Somebody else writes to the store: later.
            told(Outcome(refused=[(self._store, error.problem)]))
            return
        # A segment of nothing but bad rows is done with; one that could not be read is kept.
        kept = {path for path, reason in outcome.refused if not reason.startswith(NOTHING)}
        for segment in segments:
            if segment.absolute() not in kept and segment.absolute() not in outcome.unsettled:
                self._spool.taken(segment)
        told(outcome)
