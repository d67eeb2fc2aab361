"""KafkaSource in a real consumer group: what a rebalance and a pause during an outage must not
lose."""

import threading
from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from pipeline.consumer.kafka_source import KafkaSource
from pipeline.consumer.record_source import Records
from pipeline.settings import Settings
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
        new = KafkaSource(settings.override(CONSUMER_GROUP=request.node.name))
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
        first.commit({partition: records[-1].offset + 1 for partition, records in taken.items()})
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
    assert not member.commit({partition: records[-1].offset + 1 for partition, records in taken.items()})
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
    next_offsets = {partition: records[-1].offset + 1 for partition, records in taken.items()}
    undo = pretend_topics_changed(member)
    member.poll(0)
    undo()
    assert member._consumer._coordinator.rejoining

    def committed() -> object:
        member.poll(0)
        return member.commit(next_offsets)

    wait_until(committed, 20, "a commit that Kafka accepts")
