from collections import namedtuple

from kafka import TopicPartition

from pipeline.consumer.dead_letter_source import LetterVersions
from pipeline.consumer.dead_letters import VERSION
from pipeline.consumer.poll import Poll
from pipeline.stream.record_source import Mark
from pipeline.stream.row_versions import PartitionVersions, RowVersions

Record = namedtuple("Record", "topic partition offset key value headers timestamp")
FIRST, SECOND = (TopicPartition("crypto.public.klines", number) for number in (0, 1))
COMMIT_US = 1_795_461_947_123_456


def record(partition, offset, value, headers=()):
    return Record(*partition, offset, b"{}", value, list(headers), COMMIT_US // 1000)


def parsed(by_partition, versions):
    return Poll.parse(by_partition, lambda record: record.topic.removeprefix("crypto.public."), versions)


def test_each_partition_has_versions_of_its_own_and_a_mark_after_its_last_record(envelope):
    created = envelope("kline_created_open")
    versions = RowVersions(lambda _partition: "")
    for partition in (FIRST, SECOND):
        versions.of(partition)
    poll = parsed(
        {
            FIRST: [record(FIRST, 7, created), record(FIRST, 8, b"not json"), record(FIRST, 9, created)],
            SECOND: [record(SECOND, 3, created), record(SECOND, 4, None)],
        },
        versions,
    )
    commit_us = poll.changes[0][1].commit_us
    assert [(at, change.version_us - commit_us) for at, change in poll.changes] == [(0, 0), (2, 1), (3, 0)]
    assert {partition: mark.next_offset for partition, mark in poll.marks.items()} == {FIRST: 10, SECOND: 5}
    for partition, mark in poll.marks.items():
        assert mark == Mark(mark.next_offset, versions.of(partition).saved(), versions.of(partition).lease)


def test_next_poll_goes_on_from_the_mark_as_another_consumer_does(envelope):
    """Also when it ends in the middle of a transaction."""
    created = envelope("kline_created_open")
    one = parsed({FIRST: [record(FIRST, n, created) for n in range(3)]}, RowVersions(lambda _partition: ""))
    last = one.changes[-1][1].version_us
    two = parsed({FIRST: [record(FIRST, 3, created)]}, RowVersions(lambda partition: one.marks[partition].state))
    assert two.changes[0][1].version_us == last + 1


def test_truncate_is_kept_with_its_position(envelope):
    poll = parsed({FIRST: [record(FIRST, 0, None), record(FIRST, 1, envelope("truncated"))]}, None)
    assert [(at, found.table, found.commit_us) for at, found in poll.truncations] == [(1, "klines", COMMIT_US)]
    assert poll.changes == []


def test_rejected_change_keeps_its_version_for_the_replay(envelope):
    created = envelope("kline_created_open")
    poll = parsed({FIRST: [record(FIRST, n, created) for n in range(2)]}, RowVersions(lambda _partition: ""))
    poll.reject(1, "refused")
    [letter] = poll.dead_letters
    assert letter.version_us == poll.changes[1][1].version_us
    replayed = record(FIRST, 0, created, [(VERSION, str(letter.version_us).encode())])
    again = parsed({FIRST: [replayed]}, LetterVersions())
    assert again.changes[0][1].version_us == letter.version_us


def test_letter_without_a_version_has_that_of_its_commit_time(envelope):
    again = parsed({FIRST: [record(FIRST, 0, envelope("kline_created_open"))]}, LetterVersions())
    [(_, change)] = again.changes
    assert change.version_us == change.commit_us


def test_lease_of_a_new_owner_is_another_one():
    assert PartitionVersions().lease == 0
    assert RowVersions(lambda _partition: "").of(FIRST).lease > 0
