"""A topic comes into a store once, whatever happens in between; against librdkafka's mock cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_logs import START, exchange, held, take, write_log

import stillhunt.store.sources.kafka as the_source
from stillhunt.errors import InputError
from stillhunt.readers import ReadOptions
from stillhunt.store.ingest import Ingest, Outcome
from stillhunt.store.sources.kafka import Topic
from stillhunt.store.store import Store, open_store, store_to_write

confluent_kafka = pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")

TOPIC = "exchanges"


class Cluster:
    """A broker in this process, with a topic of two partitions."""

    def __init__(self) -> None:
        self.producer = confluent_kafka.Producer({"test.mock.num.brokers": 1, "log_level": 0})
        broker = next(iter(self.producer.list_topics(timeout=10).brokers.values()))
        self.address = f"{broker.host}:{broker.port}"

    def send(self, rows: list[Any], topic: str = TOPIC, partition: int | None = None) -> None:
        """Rows as JSON, strings and None as they are, by turns to partitions 0 and 1."""
        for n, row in enumerate(rows):
            value = row if row is None or isinstance(row, str) else json.dumps(row)
            at = n % 2 if partition is None else partition
            self.producer.produce(topic, value=value, partition=at)
        assert self.producer.flush(20) == 0


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def read(cluster: Cluster, root: Path, topic: str = TOPIC, **settings: Any) -> Outcome:
    messages = Topic(cluster.address, topic)
    try:
        with store_to_write(root, None) as store:
            return messages.take(Ingest(store, ReadOptions(), **{"threads": 1} | settings))
    finally:
        messages.close()


def ids(count: int) -> list[str]:
    return sorted(f"x{i}" for i in range(count))


def test_messages_come_in_once_and_reading_goes_on(cluster: Cluster, tmp_path: Path) -> None:
    root = tmp_path / "store"
    cluster.send([exchange(i) for i in range(20)])
    outcome = read(cluster, root)
    assert (outcome.rows, outcome.kept) == (20, 20)
    assert held(root).ids == ids(20)
    assert open_store(root).state.offsets == {TOPIC: {"0": 10, "1": 10}}
    assert read(cluster, root).rows == 0
    assert open_store(root).state.transactions == 1
    cluster.send([exchange(i) for i in range(20, 25)])
    assert read(cluster, root).rows == 5
    assert held(root).ids == ids(25)
    assert open_store(root).state.offsets == {TOPIC: {"0": 13, "1": 12}}
    assert not (root / "tmp" / "kafka").exists()


def test_exchanges_are_named_by_partition_and_offset(cluster: Cluster, tmp_path: Path) -> None:
    cluster.send([None, exchange(0), "", json.dumps(exchange(1), indent=2)], partition=1)
    read(cluster, tmp_path / "store")
    stored = held(tmp_path / "store")
    inputs = open_store(tmp_path / "store").state.inputs
    places = {i: (inputs[row["file"]].path, row["row"]) for i, row in stored.rows.items()}
    assert places == {"x0": (f"kafka://{TOPIC}/1", 1), "x1": (f"kafka://{TOPIC}/1", 3)}


def test_bad_messages_are_told_and_stop_nothing(cluster: Cluster, tmp_path: Path) -> None:
    root = tmp_path / "store"
    cluster.send([exchange(0), "no json", '{"no": "exchange"}', exchange(1)], partition=0)
    outcome = read(cluster, root)
    assert (outcome.kept, outcome.quarantined) == (2, 2)
    cluster.send(["nothing but", "bad messages"], partition=0)  # now told by the source of before
    assert read(cluster, root).quarantined == 2
    state = open_store(root).state
    assert state.offsets[TOPIC]["0"] == 6
    lines = [
        json.loads(line)
        for name in state.quarantines
        for line in (root / "quarantine" / f"{name}.jsonl").read_text().splitlines()
    ]
    assert {(line["file"], line["row"]) for line in lines} == {
        (f"kafka://{TOPIC}/0", row) for row in (1, 2, 4, 5)
    }


def test_duplicates_are_found_across_sources(cluster: Cluster, tmp_path: Path) -> None:
    root = tmp_path / "store"
    take(root, [write_log(tmp_path / "a.jsonl", [exchange(i) for i in range(10)])])
    cluster.send([exchange(i) for i in range(5, 15)])
    outcome = read(cluster, root)
    assert (outcome.rows, outcome.duplicates) == (10, 5)
    assert held(root).ids == ids(15)


@pytest.mark.parametrize("before", [True, False])
def test_a_crash_neither_loses_nor_doubles(
    cluster: Cluster, tmp_path: Path, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "store"
    monkeypatch.setattr(the_source, "SPOOL_MESSAGES", 8)
    cluster.send([exchange(i) for i in range(40)])
    commit = Store.commit
    done: list[int] = []

    def crash(store: Store, transaction: Any) -> None:
        done.append(1)
        if before and len(done) == 2:
            raise KeyboardInterrupt
        commit(store, transaction)
        if len(done) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", crash)
        with pytest.raises(KeyboardInterrupt):
            read(cluster, root)
    state = open_store(root).state
    assert state.transactions == (1 if before else 2)
    assert state.rows == sum(state.offsets[TOPIC].values()) < 40
    read(cluster, root)
    assert held(root).ids == ids(40)
    assert open_store(root).state.quarantines == {}


def test_much_comes_in_in_several_transactions(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(the_source, "SPOOL_BYTES", 2_000)
    monkeypatch.setattr(the_source, "_FETCH", 1)
    cluster.send([exchange(i, prompt="word " * 200) for i in range(12)])
    read(cluster, tmp_path / "store")
    assert open_store(tmp_path / "store").state.transactions > 1
    assert held(tmp_path / "store").ids == ids(12)


def test_what_is_too_old_is_not_taken_but_passed(cluster: Cluster, tmp_path: Path) -> None:
    cluster.send([exchange(i) for i in range(-5, 5)])
    outcome = read(cluster, tmp_path / "store", keep_from=START)
    assert (outcome.expired, outcome.kept) == (5, 5)
    assert read(cluster, tmp_path / "store").rows == 0


def test_a_topic_that_was_made_anew_is_told(cluster: Cluster, tmp_path: Path) -> None:
    root = tmp_path / "store"
    cluster.send([exchange(i) for i in range(6)])
    read(cluster, root)
    other = Cluster()
    other.send([exchange(9)], partition=0)
    with pytest.raises(InputError, match="was made anew"):
        read(other, root)


def test_messages_that_are_of_no_known_format_are_not_passed(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.send(['{"some": "thing"}'] * 4)
    with pytest.raises(InputError, match="no known format"):
        read(cluster, tmp_path / "store")
    assert open_store(tmp_path / "store").state.offsets == {}


def test_brokers_that_do_not_answer_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(the_source, "_WAIT", 0.5)
    messages = Topic("127.0.0.1:1", TOPIC, {"log_level": "0"})
    with (
        store_to_write(tmp_path / "store", None) as store,
        pytest.raises(InputError, match="brokers"),
    ):
        messages.take(Ingest(store, ReadOptions()))
    with pytest.raises(InputError, match="refuses its settings"):
        Topic("127.0.0.1:1", TOPIC, {"no.such": "setting"})
