"""A Kafka topic whose messages are log records, one a message.

Where reading goes on is kept in the store's manifest and nowhere else: a transaction names what was
read and the offsets after it, so that a crash neither loses messages nor takes any twice. The
broker is told as well, but only so that its tools can show how far behind the store is.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from stillhunt.errors import InputError, MissingExtraError
from stillhunt.fingerprints.observe import Observer
from stillhunt.readers import LogReader, Quarantine, ReadBatch
from stillhunt.store.durable import sync
from stillhunt.store.ingest import Ingest, Outcome, this_moment
from stillhunt.store.intake import Intake, inside, together
from stillhunt.store.manifest import Input, Transaction
from stillhunt.store.sources.spool import Spool, TopicQuarantine, private_file

SPOOL_MESSAGES = 200_000
SPOOL_BYTES = 64 << 20
"""Messages of one transaction, at most: they lie in the store's folder tmp until it is committed."""

_FETCH = 100
"""Messages asked for at a time, and by how many a transaction may exceed its bytes."""

_WAIT = 10.0
"""Seconds until a broker that does not answer is given up."""


class Topic:
    """A topic, read from where a store left off."""

    def __init__(self, brokers: str, name: str, settings: dict[str, str] | None = None) -> None:
        """Connect.

        Args:
            brokers: ``host:port``, joined by commas.
            name: of the topic.
            settings: librdkafka's, for encryption and authentication.

        Raises:
            MissingExtraError: confluent-kafka is not installed.
            InputError: settings that librdkafka refuses.
        """
        try:
            import confluent_kafka  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtraError(
                "Reading from Kafka needs confluent-kafka, which is not installed.",
                "Install it with: pip install 'stillhunt[kafka]'.",
            ) from error
        self._kafka: Any = confluent_kafka
        self.name = name
        fixed: dict[str, str | bool | int] = {
            "bootstrap.servers": brokers,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # A gap must be seen and told, not jumped over.
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            # Back-pressure: so much is fetched ahead and no more.
            "queued.max.messages.kbytes": 32_768,
        }
        given: dict[str, str | bool | int] = {"group.id": "stillhunt", **(settings or {})}
        try:
            self._consumer = confluent_kafka.Consumer(given | fixed)
        except (confluent_kafka.KafkaException, ValueError, TypeError) as error:
            raise InputError(
                f"Kafka's client refuses its settings: {error}.", "Check --kafka-settings."
            ) from error

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def take(self, ingest: Ingest) -> Outcome:
        """Take in what was in the topic when this began; several transactions where it is much.

        Bad messages go to the quarantine, however many: a topic cannot be mended.

        Raises:
            InputError: the broker does not answer, there is no such topic, it was made anew since, or
                its messages are of no known format.
        """
        outcome = Outcome()
        observer = Observer(ingest.threads)
        ends, starts, lost = self._span(ingest)
        work = ingest.store.layout.temporary / "kafka"
        while any(starts[p] < ends[p] for p in ends):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            spools = {
                p: Spool(work / f"{p}.jsonl", starts[p], lost.pop(p, 0))
                for p in ends
                if starts[p] < ends[p]
            }
            self._spool(spools, ends)
            self._transaction(ingest, observer, spools, outcome)
            starts |= {p: spool.next for p, spool in spools.items()}
            shutil.rmtree(work, ignore_errors=True)
        return outcome

    def _span(self, ingest: Ingest) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
        """By partition: the end as it is now, where to go on, and how many messages are gone."""
        known = ingest.store.state.offsets.get(self.name, {})
        try:
            partitions = self._consumer.list_topics(self.name, _WAIT).topics[self.name]
            if partitions.error is not None:
                raise InputError(
                    f"The topic {self.name} cannot be read: {partitions.error.str()}.",
                    "Check its name and the rights of this client.",
                )
            marks = {
                p: self._consumer.get_watermark_offsets(
                    self._kafka.TopicPartition(self.name, p), _WAIT
                )
                for p in sorted(partitions.partitions)
            }
        except self._kafka.KafkaException as error:
            raise _unreachable(error) from error
        starts, lost = {}, {}
        for p, (low, high) in marks.items():
            start = known.get(str(p), low)
            if start > high:
                raise InputError(
                    f"Partition {p} of the topic {self.name} ends at {high:,}, and {start:,} was read "
                    "before: it was made anew.",
                    "Read it under another name, or into a new store.",
                )
            starts[p] = max(start, low)
            if low > start:
                lost[p] = low - start
        return {p: high for p, (_, high) in marks.items()}, starts, lost

    def _spool(self, spools: dict[int, Spool], ends: dict[int, int]) -> None:
        """Fetch messages up to the ends, or as many as one transaction takes."""
        self._consumer.assign(
            [self._kafka.TopicPartition(self.name, p, s.next) for p, s in spools.items()]
        )
        files = {p: private_file(spool.path) for p, spool in spools.items()}
        messages = size = 0
        try:
            while messages < SPOOL_MESSAGES and size < SPOOL_BYTES:
                if all(spool.next >= ends[p] for p, spool in spools.items()):
                    break
                for message in self._fetch(min(_FETCH, SPOOL_MESSAGES - messages)):
                    spool = spools[message.partition()]
                    if message.error() is not None:  # the end, behind which a transaction may lie
                        spool.next = max(spool.next, message.offset())
                        continue
                    # A newline in JSON can only be white space.
                    value = (message.value() or b"").replace(b"\n", b" ").strip()
                    if value:
                        files[message.partition()].write(value + b"\n")
                        spool.offsets.append(message.offset())
                        messages, size = messages + 1, size + len(value)
                    spool.next = message.offset() + 1
        finally:
            for file in files.values():
                file.close()
            self._consumer.unassign()

    def _fetch(self, count: int) -> Iterator[Any]:
        fetched: list[Any] = []
        given_up = time.monotonic() + _WAIT
        while not fetched:
            try:
                # It waits for as many as are asked for, hence not long.
                fetched = self._consumer.consume(count, 0.1)
            except self._kafka.KafkaException as error:
                raise _unreachable(error) from error
            if not fetched and time.monotonic() > given_up:
                raise InputError(
                    f"No broker of the topic {self.name} answers.",
                    "Check --kafka, and the network.",
                )
        for message in fetched:
            failed = message.error()
            if failed is not None and failed.code() != self._kafka.KafkaError._PARTITION_EOF:
                raise _unreachable(failed)
            yield message

    def _transaction(
        self, ingest: Ingest, observer: Observer, spools: dict[int, Spool], outcome: Outcome
    ) -> None:
        store = ingest.store
        name = f"{store.state.next_number:08d}"
        first = len(store.state.inputs)
        path = store.layout.quarantine(name)
        path.parent.mkdir(exist_ok=True)
        inputs: list[Input] = []
        intake = Intake(store, observer)
        excerpts = ingest.options.pseudonymiser is None
        with TopicQuarantine(path, excerpts=excerpts) as quarantine:
            for p, spool in spools.items():
                place = f"kafka://{self.name}/{p}"
                quarantine.spools[str(spool.path)] = (place, spool)
                if spool.lost:
                    quarantine.add(
                        place,
                        spool.next,
                        "the topic had dropped these messages before they were read",
                        rows=spool.lost,
                    )
                inputs.append(self._read(ingest, intake, spool, place, first + len(inputs),
                                         quarantine, outcome))  # fmt: skip
            settled = intake.settle({first + i: r.path for i, r in enumerate(inputs)}, quarantine)
        told = path.stat().st_size > 0
        if told:
            sync(path)
            sync(path.parent)
        counted = tuple(
            replace(read, duplicates=n, quarantined=read.quarantined + n)
            for i, read in enumerate(inputs)
            for n in (settled.duplicates.get(first + i, 0),)
        )
        offsets = {self.name: {str(p): spool.next for p, spool in spools.items()}}
        store.commit(
            Transaction(
                "ingest", this_moment(), added=settled.parts, inputs=counted, offsets=offsets,
                keys_added=settled.keys_added, keys_removed=settled.keys_removed,
                keys_through=settled.keys_through, quarantine=name if told else "",
            )
        )  # fmt: skip
        if not told:
            path.unlink()
        outcome.files += sum(bool(s.offsets) for s in spools.values())
        outcome.duplicates += sum(settled.duplicates.values())
        outcome.quarantined += quarantine.count
        with suppress(self._kafka.KafkaException):  # the manifest is what counts
            self._consumer.commit(
                offsets=[
                    self._kafka.TopicPartition(self.name, p, s.next) for p, s in spools.items()
                ],
                asynchronous=True,
            )

    def _read(
        self,
        ingest: Ingest,
        intake: Intake,
        spool: Spool,
        place: str,
        number: int,
        quarantine: Quarantine,
        outcome: Outcome,
    ) -> Input:
        if not spool.offsets:
            return Input(place)
        before = quarantine.count
        source = self._source(ingest)
        reader = LogReader([spool.path], replace(ingest.options, source=source), quarantine)
        offsets = np.array(spool.offsets, dtype=np.int64)
        rows = 0
        for batch in together(iter(_patient(reader))):
            rows += batch.exchanges.num_rows
            kept = inside(batch, ingest.keep_from, None)
            outcome.expired += batch.exchanges.num_rows - kept.exchanges.num_rows
            if kept.exchanges.num_rows:
                intake.take(replace(kept, rows=offsets[kept.rows - 1]), number)
        outcome.rows += rows
        return Input(
            place, "", spool.path.stat().st_size, rows=rows,
            quarantined=quarantine.count - before, source=reader.files[0].source,
        )  # fmt: skip

    def _source(self, ingest: Ingest) -> str:
        """What the topic was read as before: one bad message must not make it unrecognisable."""
        if ingest.options.source != "auto":
            return ingest.options.source
        place = f"kafka://{self.name}/"
        before = [
            i.source for i in ingest.store.state.inputs if i.path.startswith(place) and i.source
        ]
        return before[-1] if before else "auto"


def _patient(reader: LogReader) -> Iterator[ReadBatch]:
    """A reader's batches, also where there turn out to be none."""
    try:
        yield from reader
    except InputError:
        # Nothing but bad messages: each is in the quarantine.
        return


def _unreachable(error: object) -> InputError:
    return InputError(
        f"The Kafka brokers cannot be read: {error}.",
        "Check --kafka, --topic and --kafka-settings.",
    )
