"""KafkaSource in a real consumer group: what a rebalance and a pause during an outage must not
lose."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import UnknownTopicOrPartitionError

from pipeline.changes import Change
from pipeline.settings import Settings
from pipeline.stream import followed_topics
from pipeline.stream.before_the_end import LAST_RECORDS
from pipeline.stream.kafka_source import KafkaSource
from pipeline.stream.lost_records import LOST
from pipeline.stream.record_source import Mark, Records
from pipeline.stream.row_versions import PartitionVersions
from tests.support.waiting import wait_until

TABLE, PARTITIONS, PER_PARTITION = "source_test", 4, 25
EVERY_RECORD = {(partition, offset) for partition in range(PARTITIONS) for offset in range(PER_PARTITION)}


@pytest.fixture(scope="module")
def topic(settings: Settings) -> str:
    servers, name = list(settings.KAFKA_BOOTSTRAP_SERVERS), f"{settings.TOPIC_PREFIX}.public.{TABLE}"
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=servers)
    sent = [producer.send(name, b"value", partition=p) for p in range(PARTITIONS) for _ in range(PER_PARTITION)]
    for future in sent:
        future.get(timeout=10)
    producer.close()
    return name


@pytest.fixture
def source(settings: Settings, topic: str, request) -> Iterator[Callable[[], KafkaSource]]:
    """`source()`: one more member of this test's group, subscribed to the topic."""
    opened = []

    def member() -> KafkaSource:
        new = KafkaSource(settings, request.node.name)
        opened.append(new)
        wait_until(lambda: new.follow({TABLE}) == {TABLE}, 30, "the topic listed")
        return new

    yield member
    for one in opened:
        one.close()


def places(records: Records) -> set[tuple[int, int]]:
    return {(record.partition, record.offset) for batch in records.values() for record in batch}


def pretend_topics_changed(member: KafkaSource) -> Callable[[], None]:
    """Makes the member join its group again with its next poll, as it does when a topic gets more
    partitions. Returns what takes the change back. kafka-python has no public way to time this."""
    coordinator = member._consumer._coordinator
    topics, coordinator._assignment_snapshot = coordinator._assignment_snapshot, {"other": 1}
    return lambda: setattr(coordinator, "_assignment_snapshot", topics)


def marks(member: KafkaSource, taken: Records) -> dict[TopicPartition, Mark]:
    """What the loop commits once the records are written."""
    found = {}
    for partition, records in taken.items():
        stamps = member.versions.of(partition)
        found[partition] = Mark(records[-1].offset + 1, stamps.saved(), stamps.lease)
    return found


def poll_until(source: KafkaSource, wanted: Callable[[Records], bool]) -> Records:
    found: Records = {}

    def enough() -> object:
        for partition, records in source.poll(0.2).items():
            found.setdefault(partition, []).extend(records)
        return wanted(found) or places(found)

    wait_until(enough, 30, "records")
    return found


def test_partitions_that_are_assigned_during_an_outage_lose_no_record(source) -> None:
    """They are assigned inside `hold`, not paused yet, and Kafka delivers from them."""
    member = source()
    for _ in range(4):
        member.hold(1)
    member.resume()
    found = poll_until(member, lambda records: places(records) >= EVERY_RECORD)
    assert places(found) == EVERY_RECORD


def test_held_member_takes_nothing_and_continues_where_it_was(source) -> None:
    member = source()
    before = places(poll_until(member, bool))
    member.hold(2)
    member.resume()
    after = places(poll_until(member, lambda records: len(places(records)) >= len(EVERY_RECORD - before)))
    assert before | after == EVERY_RECORD
    assert not before & after


def test_partitions_that_moved_are_committed_by_their_new_owner_only(source, settings, topic, request) -> None:
    """If the old owner committed an older offset than the new owner, the group would read records
    again; with a newer one it would skip what the new owner has not written."""
    first, stop = source(), threading.Event()
    taken = poll_until(first, lambda records: places(records) >= EVERY_RECORD)
    second = source()
    thread = threading.Thread(target=lambda: [second.hold(0.2) for _ in iter(stop.is_set, True)])
    thread.start()
    try:
        wait_until(lambda: first.hold(0.2) or len(first.assigned()) == PARTITIONS // 2, 60, "half of the partitions")
        first.commit(marks(first, taken))
        kept = first.assigned()
    finally:
        stop.set()
        thread.join()
    reader = KafkaConsumer(
        bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS), group_id=request.node.name, enable_auto_commit=False
    )
    committed = {p: reader.committed(TopicPartition(topic, p)) for p in range(PARTITIONS)}
    reader.close()
    kept_numbers = {partition.partition for partition in kept}
    assert committed == {p: PER_PARTITION if p in kept_numbers else None for p in range(PARTITIONS)}


def test_offsets_that_kafka_did_not_accept_are_committed_by_a_later_poll(source, settings, topic, request) -> None:
    """Otherwise the lag that Kafka shows stays until the next record, and after a stop the group
    reads the records again."""
    member = source()
    taken = poll_until(member, lambda records: places(records) >= EVERY_RECORD)
    pretend_topics_changed(member)
    member._consumer.poll(timeout_ms=0)  # begins to join and does not wait for the end
    assert not member.commit(marks(member, taken))
    reader = KafkaConsumer(
        bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS), group_id=request.node.name, enable_auto_commit=False
    )

    def committed() -> object:
        assert places(member.poll(0.2)) == set()
        found = {p: reader.committed(TopicPartition(topic, p)) for p in range(PARTITIONS)}
        return found == dict.fromkeys(range(PARTITIONS), PER_PARTITION) or found

    wait_until(committed, 20, "the offsets in Kafka")
    reader.close()


def test_join_whose_reason_is_gone_before_its_answer_is_still_finished(source) -> None:
    """kafka-python by itself would neither finish it nor ever join again: no commit would succeed
    any more."""
    member = source()
    taken = poll_until(member, lambda records: places(records) >= EVERY_RECORD)
    written = marks(member, taken)
    undo = pretend_topics_changed(member)
    member.poll(0)
    undo()
    assert member._consumer._coordinator.rejoining

    def committed() -> object:
        member.poll(0)
        return member.commit(written)

    wait_until(committed, 20, "a commit that Kafka accepts")


def test_partition_is_read_from_where_a_store_remembers_it_and_older_marks_are_void(source, topic) -> None:
    member = source()
    taken = poll_until(member, lambda records: places(records) >= EVERY_RECORD)
    written, partition = marks(member, taken), TopicPartition(topic, 1)
    lease = member.restart(partition, 20, "")
    assert not member.versions.is_current(partition, written[partition].lease)
    assert member.versions.is_current(partition, lease)
    assert member.next_offset(partition) == 20
    again = poll_until(member, lambda records: len(places(records)) >= PER_PARTITION - 20)
    assert places(again) == {(1, offset) for offset in range(20, PER_PARTITION)}
    assert member.bounds([partition]) == {partition: (0, PER_PARTITION)}
    assert member.partitions_of({TABLE, "other"}) == {TopicPartition(topic, number) for number in range(PARTITIONS)}


COMMIT_US = 1_795_000_000_000_000


@pytest.fixture
def kafka_admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS))
    yield client
    client.close()


@pytest.fixture
def own_topic(settings: Settings, kafka_admin, request) -> TopicPartition:
    """An empty topic of the test's own, with one partition for records of up to 17 MiB."""
    table = re.sub(r"\W", "_", request.node.name)
    name = f"{settings.TOPIC_PREFIX}.public.{table}"
    limits = {"max.message.bytes": str(17 * 1024 * 1024)}
    kafka_admin.create_topics([NewTopic(name, 1, 1, topic_configs=limits)])
    return TopicPartition(name, 0)


@pytest.fixture
def member_of(settings: Settings, request) -> Iterator[Callable[[TopicPartition], KafkaSource]]:
    """`member_of(topic)`: one more member of this test's group, which follows the topic."""
    opened = []

    def member(topic: TopicPartition, **options: bool) -> KafkaSource:
        new = KafkaSource(settings, request.node.name, **options)
        opened.append(new)
        table = topic.topic.rsplit(".", 1)[1]
        wait_until(lambda: follow_now(new, table) == {table}, 30, "the topic listed")
        return new

    yield member
    for one in opened:
        one.close()


def follow_now(member: KafkaSource, table: str) -> frozenset[str]:
    member._last_follow = float("-inf")
    return member.follow({table})


def send(settings: Settings, topic: TopicPartition, *values: bytes, **options) -> None:
    producer = KafkaProducer(bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS), **options)
    if "transactional_id" in options:
        producer.init_transactions()
        producer.begin_transaction()
    for value in values:
        producer.send(topic.topic, value, partition=topic.partition)
    producer.flush()
    if "transactional_id" in options:
        (producer.abort_transaction if b"aborted" in values else producer.commit_transaction)()
    producer.close()


def values_read(member: KafkaSource, count: int) -> list[bytes]:
    found = poll_until(member, lambda records: len(places(records)) >= count)
    member.commit(marks(member, found))
    return [record.value for records in found.values() for record in records]


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
def test_every_codec_of_kafka_is_read(codec, settings, own_topic, member_of) -> None:
    send(settings, own_topic, b"a" * 5000, b"b", compression_type=codec)
    assert values_read(member_of(own_topic), 2) == [b"a" * 5000, b"b"]


def test_record_of_sixteen_mebibytes_is_read_and_the_ones_around_it(settings, own_topic, member_of) -> None:
    large = os.urandom(16 * 1024 * 1024)
    send(settings, own_topic, b"before", large, b"after", max_request_size=20 * 1024 * 1024)
    assert values_read(member_of(own_topic), 3) == [b"before", large, b"after"]


def test_records_of_an_aborted_transaction_are_not_read_and_the_lag_is_zero_at_the_end(
    settings, own_topic, member_of, request
) -> None:
    send(settings, own_topic, b"kept", transactional_id="a")
    member = member_of(own_topic)
    assert values_read(member, 1) == [b"kept"]
    send(settings, own_topic, b"aborted", transactional_id="b")
    send(settings, own_topic, b"kept too", transactional_id="c")
    assert values_read(member, 1) == [b"kept too"]
    wait_until(lambda: member.poll(0.1) or member.lag_records() == {own_topic: 0}, 30, "no lag")
    end = member.ends(own_topic.topic.rsplit(".", 1)[1])
    assert end == {0: 6}  # three records and the marks of three transactions
    wait_until(lambda: member.poll(0.1) or committed(settings, request.node.name, own_topic) == 6, 30, "Kafka's lag 0")
    assert member.is_read(own_topic.topic.rsplit(".", 1)[1], end)


def test_records_that_are_still_to_be_written_are_not_committed_by_a_poll_without_records(
    settings, own_topic, member_of, request
) -> None:
    """The loop takes the next poll while the one before it is written."""
    send(settings, own_topic, b"1")
    member = member_of(own_topic)
    assert values_read(member, 1) == [b"1"]
    send(settings, own_topic, b"2")
    taken = poll_until(member, lambda records: len(places(records)) == 1)
    assert [member.poll(0.1) for _ in range(5)] == [{}] * 5
    assert committed(settings, request.node.name, own_topic) == 1
    member.commit(marks(member, taken))
    assert committed(settings, request.node.name, own_topic) == 2


def committed(settings: Settings, group: str, partition: TopicPartition) -> int | None:
    reader = KafkaConsumer(
        bootstrap_servers=list(settings.KAFKA_BOOTSTRAP_SERVERS), group_id=group, enable_auto_commit=False
    )
    try:
        return reader.committed(partition)
    finally:
        reader.close()


@pytest.mark.parametrize("while_running", [True, False], ids=["while it runs", "while it is stopped"])
def test_records_that_kafka_removed_before_they_were_read_are_reported(
    while_running, settings, own_topic, member_of, kafka_admin, caplog
) -> None:
    send(settings, own_topic, b"first")
    member = member_of(own_topic)
    assert values_read(member, 1) == [b"first"]
    if not while_running:
        member.close()
    send(settings, own_topic, *[b"lost"] * 19, b"last")
    kafka_admin.delete_records({own_topic: 20})
    if not while_running:
        member = member_of(own_topic)
    counter = LOST.labels(own_topic.topic, 0)
    before = counter._value.get()
    assert values_read(member, 1) == [b"last"]
    [line] = [record for record in caplog.records if record.msg == "records_lost"]
    assert line.levelname == "ERROR"
    assert (line.topic, line.partition) == own_topic
    assert (line.first_lost_offset, line.last_lost_offset) == (1, 19)
    assert f"public.{own_topic.topic.rsplit('.', 1)[1]}" in line.remedy
    assert counter._value.get() - before == 19


def test_group_that_is_new_to_a_trimmed_topic_has_lost_nothing(
    settings, own_topic, member_of, kafka_admin, caplog
) -> None:
    send(settings, own_topic, b"old", b"new")
    kafka_admin.delete_records({own_topic: 1})
    assert values_read(member_of(own_topic), 1) == [b"new"]
    assert "records_lost" not in caplog.text


@pytest.mark.parametrize("count", [2, 40], ids=["fewer records than before", "more records than before"])
def test_topic_that_is_created_again_is_read_from_its_start(count, settings, own_topic, member_of, kafka_admin) -> None:
    send(settings, own_topic, *[b"old"] * 10)
    member = member_of(own_topic)
    assert values_read(member, 10) == [b"old"] * 10
    kafka_admin.delete_topics([own_topic.topic])
    wait_until(lambda: own_topic.topic not in kafka_admin.list_topics() or "still listed", 30, "the topic deleted")
    kafka_admin.create_topics([NewTopic(own_topic.topic, 1, 1)])
    send(settings, own_topic, *[b"new"] * count)
    table = own_topic.topic.rsplit(".", 1)[1]
    found: dict[int, bytes] = {}

    def all_new() -> object:
        follow_now(member, table)
        found.update({record.offset: record.value for records in member.poll(0.2).values() for record in records})
        return set(found) >= set(range(count)) or sorted(found)

    wait_until(all_new, 60, "the new records")
    assert set(found.values()) == {b"new"}


def test_deleted_topic_is_left_and_followed_again_when_it_comes_back(
    settings, own_topic, topic, member_of, kafka_admin, monkeypatch
) -> None:
    monkeypatch.setattr(followed_topics, "DELETED_AFTER_SECONDS", 1.0)
    send(settings, own_topic, b"old")
    member, table = member_of(own_topic), own_topic.topic.rsplit(".", 1)[1]
    assert values_read(member, 1) == [b"old"]
    kafka_admin.delete_topics([own_topic.topic])

    def followed() -> frozenset[str]:
        try:
            member.poll(0.1)
            return follow_now(member, table)
        except UnknownTopicOrPartitionError:  # of a request at the moment of the deletion: the loops try again
            return frozenset({table})

    wait_until(lambda: followed() == frozenset() or "still followed", 30, "the topic left")
    kafka_admin.create_topics([NewTopic(own_topic.topic, 1, 1)])
    send(settings, own_topic, b"new")
    wait_until(lambda: followed() == {table} or "not followed", 30, "the topic followed again")
    assert values_read(member, 1) == [b"new"]


def stamp(member: KafkaSource, partition: TopicPartition, commit_us: int) -> int:
    record = SimpleNamespace(key=b"1", timestamp=COMMIT_US // 1000)
    return member.versions.of(partition).stamp(record, Change("t", False, {}, commit_us, commit_us)).version_us


def test_versions_go_on_with_the_next_consumer_where_they_were_committed(settings, own_topic, member_of) -> None:
    send(settings, own_topic, b"1", b"2")
    first = member_of(own_topic)
    taken = poll_until(first, lambda records: len(places(records)) == 2)
    last = [stamp(first, own_topic, COMMIT_US) for _ in range(5000)][-1]
    first.commit(marks(first, taken))
    first.close()
    send(settings, own_topic, b"3")
    second = member_of(own_topic)
    assert values_read(second, 1) == [b"3"]
    assert stamp(second, own_topic, COMMIT_US + 1900) == last + 1


def test_what_was_taken_before_a_partition_moved_is_not_committed_when_it_comes_back(
    settings, own_topic, member_of, request
) -> None:
    """The other consumer was further: the group would read its records again, and versions would
    start again from the older ones."""
    send(settings, own_topic, b"1", b"2", b"3")
    member = member_of(own_topic)
    taken = poll_until(member, lambda records: len(places(records)) == 3)
    old = {own_topic: marks(member, taken)[own_topic]._replace(next_offset=1)}
    member._rebalances.on_partitions_lost({own_topic})
    member.poll(0)
    other = marks(member, taken)
    wait_until(lambda: member.commit(other) or "refused", 10, "a commit of the new owner")
    member.commit(old)
    assert committed(settings, request.node.name, own_topic) == 3


def test_source_from_the_end_reads_what_comes_after_its_start_also_the_second_time(
    settings, own_topic, member_of, request
) -> None:
    for first in (0, 3):
        send(settings, own_topic, b"late", b"late")
        member = member_of(own_topic, from_end=True)
        begins = first + 2

        def begun(member=member, begins=begins) -> object:
            assert member.poll(0.2) == {}
            return committed(settings, request.node.name, own_topic) == begins

        wait_until(begun, 30, "the end committed")
        send(settings, own_topic, b"new")
        assert values_read(member, 1) == [b"new"]
        member.close()


def test_source_from_the_end_goes_on_where_the_group_was_when_a_partition_comes_back(
    settings, own_topic, member_of, kafka_admin
) -> None:
    kafka_admin.create_partitions({own_topic.topic: 4})
    every = {TopicPartition(own_topic.topic, number) for number in range(4)}
    first = member_of(own_topic, from_end=True)
    wait_until(lambda: first.poll(0.2) or first.assigned() == every, 60, "all partitions")
    second, stop = member_of(own_topic, from_end=True), threading.Event()
    # In a thread of its own: a member that joins waits for the others to join as well.
    thread = threading.Thread(target=lambda: [second.poll(0.2) for _ in iter(stop.is_set, True)])
    thread.start()
    try:
        wait_until(
            lambda: first.poll(0.2) or [len(each.assigned()) for each in (first, second)] == [2, 2], 60, "halves"
        )
    finally:
        stop.set()
        thread.join()
    second.close()
    for partition in every:
        send(settings, partition, b"new")
    found = poll_until(first, lambda records: len(places(records)) >= 4)
    assert {place: record.value for place, (record,) in found.items()} == dict.fromkeys(every, b"new")


def change_at(commit_us: int) -> bytes:
    source = {"ts_us": commit_us, "lsn": commit_us, "txId": 1}
    return orjson.dumps({"op": "u", "before": None, "after": {"id": 1}, "source": source})


def test_store_that_begins_at_the_end_learns_of_the_last_records(settings, own_topic, member_of) -> None:
    """Marks of transactions have offsets too, and here they are the last."""
    send(settings, own_topic, *(change_at(us) for us in range(1000, 1000 + 2 * LAST_RECORDS)))
    send(settings, own_topic, change_at(500), b"no JSON", transactional_id=f"{own_topic.topic}-end")
    member = member_of(own_topic)
    bounds = member.bounds([own_topic])
    assert bounds[own_topic] == (0, 2 * LAST_RECORDS + 3)
    versions = PartitionVersions.restored(member.states_at(bounds)[own_topic])
    record = SimpleNamespace(key=b"a", timestamp=0)
    assert versions.stamp(record, Change("t", False, {}, 1, 0)).version_us == 1000 + 2 * LAST_RECORDS


def test_nothing_is_learnt_of_an_empty_partition(own_topic, member_of) -> None:
    member = member_of(own_topic)
    state = member.states_at(member.bounds([own_topic]))[own_topic]
    assert state == PartitionVersions().saved()
