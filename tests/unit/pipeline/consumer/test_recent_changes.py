"""Bounded, and a bulk change of one table leaves those of the others alone."""

from collections import namedtuple

from kafka import TopicPartition

from pipeline.changes import Change
from pipeline.consumer import recent_changes
from pipeline.consumer.poll import Poll
from pipeline.consumer.recent_changes import MAX_BYTES, MAX_CHANGES, RecentChanges

Record = namedtuple("Record", "topic partition offset key value headers timestamp")


def change(lsn: int | None, table: str = "orders") -> Change:
    return Change(table, False, {"id": lsn}, 1, 1, lsn, 9)


def polled(*changes: Change, value: bytes = b"{}") -> Poll:
    records = [Record("topic", 0, number, b"{}", value, [], 1) for number in range(len(changes))]
    return Poll({TopicPartition("topic", 0): records}, records, list(enumerate(changes)))


def lsns(recent: RecentChanges, table: str = "orders") -> list[int | None]:
    return [one.lsn for one in recent.of(table)]


def test_changes_of_a_table_are_bounded_by_number() -> None:
    recent = RecentChanges()
    for poll in range(10):
        recent.add(polled(*[change(poll)] * 3000))
    assert lsns(recent) == [7] * 3000 + [8] * 3000 + [9] * 3000
    assert len(lsns(recent)) <= MAX_CHANGES


def test_bulk_change_or_snapshot_of_one_table_leaves_those_of_another_alone() -> None:
    recent = RecentChanges()
    recent.add(polled(change(1), change(2, "klines")))
    for _ in range(5):
        recent.add(polled(*[change(3, "klines")] * MAX_CHANGES))
        recent.add(polled(*[change(None)] * MAX_CHANGES))
    assert lsns(recent) == [1]
    assert lsns(recent, "klines") == [3] * MAX_CHANGES


def test_bytes_are_bounded_and_the_table_with_the_most_gives_way(monkeypatch) -> None:
    monkeypatch.setattr(recent_changes, "MAX_BYTES", 1000)
    recent = RecentChanges()
    recent.add(polled(change(1), value=b"x" * 10))
    for lsn in range(2, 9):
        recent.add(polled(change(lsn, "klines"), value=b"x" * 300))
    assert lsns(recent) == [1]
    assert lsns(recent, "klines") == [6, 7, 8]
    assert MAX_BYTES > 1000


def test_table_that_keeps_history_and_unknown_ones_have_none() -> None:
    recent = RecentChanges()
    recent.add(polled(change(1, "latest_prices")))
    assert lsns(recent, "latest_prices") == []
    assert lsns(recent, "other") == []
