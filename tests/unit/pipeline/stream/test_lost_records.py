import pytest
from kafka import TopicPartition

from pipeline.stream.lost_records import LOST, remedy, report_lost

PARTITION = TopicPartition("crypto.public.orders", 2)


def lost_total():
    return LOST.labels(*PARTITION)._value.get()


def test_lost_records_are_an_error_with_their_offsets_and_are_counted(caplog):
    before = lost_total()
    report_lost(PARTITION, 10, 18, 25)
    [line] = caplog.records
    assert (line.msg, line.levelname) == ("records_lost", "ERROR")
    assert (line.topic, line.partition) == PARTITION
    assert (line.first_lost_offset, line.last_lost_offset) == (10, 17)
    assert lost_total() - before == 8


def test_remedy_is_a_snapshot_of_the_table():
    assert remedy(PARTITION.topic) == (
        "INSERT INTO debezium_signal (id, type, data) VALUES (gen_random_uuid(), 'execute-snapshot',"
        """ '{"type": "blocking", "data-collections": ["public.orders"]}')"""
    )


@pytest.mark.parametrize(("position", "first", "end"), [(5, 0, 2), (5, 2, 3), (5, 5, 9), (5, 0, 9)])
def test_nothing_is_lost_when_kafka_still_has_the_record_or_the_topic_is_another_one(position, first, end, caplog):
    before = lost_total()
    report_lost(PARTITION, position, first, end)
    assert lost_total() == before
    assert all(line.msg == "topic_recreated" for line in caplog.records)
