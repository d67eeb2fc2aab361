"""KafkaSource against a real Kafka group: what a rebalance and a pause in the middle of an outage
must not lose."""

import threading
from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from pipeline.consumer.kafka_source import KafkaSource, Records
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
    """`source()`: one more member of this test's group, following the topic."""
    opened = []

    def member() -> KafkaSource:
        found = KafkaSource(settings.override(CONSUMER_GROUP=request.node.name))
        opened.append(found)
        wait_until(lambda: found.follow({TABLE}) == {TABLE}, 30, "the topic listed")
        return found

    yield member
    for one in opened:
        one.close()


def places(records: Records) -> set[tuple[int, int]]:
    return {(record.partition, record.offset) for batch in records.values() for record in batch}


def poll_until(source: KafkaSource, wanted: Callable[[Records], bool]) -> Records:
    found: Records = {}

    def enough() -> object:
        for partition, records in source.poll(0.2).items():
            found.setdefault(partition, []).extend(records)
        return wanted(found) or places(found)

    wait_until(enough, 30, "records")
    return found


def test_partitions_that_come_during_an_outage_lose_no_record(source) -> None:
    """They arrive inside `hold`, not paused yet, and Kafka delivers from them."""
    member = source()
    for _ in range(4):
        member.hold(1)
    member.resume()
    found = poll_until(member, lambda records: places(records) >= EVERY_RECORD)
    assert places(found) == EVERY_RECORD


def test_held_member_takes_nothing_and_goes_on_where_it_was(source) -> None:
    member = source()
    before = places(poll_until(member, bool))
    member.hold(2)
    member.resume()
    after = places(poll_until(member, lambda records: len(places(records)) >= len(EVERY_RECORD - before)))
    assert before | after == EVERY_RECORD
    assert not before & after


def test_partitions_that_moved_are_committed_by_their_new_owner_only(source, settings, topic, request) -> None:
    """An offset of ours that is older than the new owner's would make the group read records again;
    one that is newer would make it skip what the new owner has not written."""
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
    mine = {partition.partition for partition in kept}
    assert committed == {p: PER_PARTITION if p in mine else None for p in range(PARTITIONS)}


def test_offsets_that_kafka_did_not_take_are_committed_by_a_later_poll(source, settings, topic, request) -> None:
    """Else the lag that Kafka shows stays until the next record, and a stop makes the group read
    them again."""
    member = source()
    taken = poll_until(member, lambda records: places(records) >= EVERY_RECORD)
    coordinator = member._consumer._coordinator
    coordinator._assignment_snapshot = {"other": 1}  # as if topics had changed: the member joins again
    member._consumer.poll(timeout_ms=0)
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
    """kafka-python by itself would neither finish it nor ever join again: no commit would be taken
    any more."""
    member = source()
    taken = poll_until(member, lambda records: places(records) >= EVERY_RECORD)
    next_offsets = {partition: records[-1].offset + 1 for partition, records in taken.items()}
    coordinator = member._consumer._coordinator
    topics_now, coordinator._assignment_snapshot = coordinator._assignment_snapshot, {"other": 1}
    member.poll(0)
    coordinator._assignment_snapshot = topics_now
    assert coordinator.rejoining

    def committed() -> object:
        member.poll(0)
        return member.commit(next_offsets)

    wait_until(committed, 20, "a commit that is taken")
