"""The later change of a row always gets the larger version. Random histories are compared with a
plain dictionary; `ROW_HISTORIES=100000` tries more of them."""

import os
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kafka import TopicPartition

from pipeline.changes import Change
from pipeline.stream.row_versions import (
    MAX_AHEAD_US,
    RECENT_TRANSACTIONS,
    SNAPSHOT_MARGIN_US,
    PartitionVersions,
    RowVersions,
)
from tests.unit.support.row_history import replay

HISTORIES = int(os.environ.get("ROW_HISTORIES", "10000"))
RANDOM = settings(max_examples=HISTORIES, deadline=None, database=None, suppress_health_check=list(HealthCheck))

T = 1_795_000_000_000_000
HERE, THERE = TopicPartition("t", 0), TopicPartition("t", 1)


@RANDOM
@given(st.binary(min_size=10, max_size=120))
def test_cassandra_ends_with_the_rows_of_postgresql_after_any_history(data):
    replay(data, RowVersions)


@settings(RANDOM, max_examples=max(1, HISTORIES // 100))
@given(st.binary(min_size=10, max_size=60))
def test_transactions_of_thousands_of_changes_of_one_row_change_nothing(data):
    replay(data, RowVersions, thousands=True)


@pytest.fixture
def versions():
    return PartitionVersions()


def stamp(versions, key, commit_us, lsn=None, transaction=1, deleted=False):
    record = SimpleNamespace(key=key, timestamp=T // 1000 + 20)
    return versions.stamp(record, Change("t", deleted, {}, commit_us, commit_us, lsn, transaction)).version_us


def stamp_snapshot_row(versions, key, snapshot_us):
    record = SimpleNamespace(key=key, timestamp=T // 1000 + 20)
    return versions.stamp(record, Change("t", False, {}, snapshot_us - SNAPSHOT_MARGIN_US, 0)).version_us


def test_restarted_partition_goes_on_from_the_given_state_and_not_from_the_committed_one():
    every = RowVersions(lambda _partition: PartitionVersions(T + 500).saved())
    before = every.of(HERE)
    assert stamp(before, b"a", T + 10) == T + 501
    lease = every.restart(HERE, PartitionVersions(T + 5).saved())
    assert lease != before.lease
    assert not every.is_current(HERE, before.lease)
    assert stamp(every.of(HERE), b"a", T + 1) == T + 6
    every.restart(HERE, "")
    assert stamp(every.of(HERE), b"a", T + 1) == T + 1


def moved(versions):
    """The versions as another consumer goes on with them."""
    return PartitionVersions.restored(versions.saved())


def test_change_of_another_row_keeps_its_commit_time(versions):
    assert stamp(versions, b"1", T, lsn=10) == T
    assert stamp(versions, b"2", T, lsn=20) == T
    assert stamp(versions, b"1", T + 5000, lsn=30, transaction=2) == T + 5000


def test_each_further_change_of_a_row_in_a_transaction_gets_a_larger_version(versions):
    assert [stamp(versions, b"1", T, lsn) for lsn in (10, 20, 30)] == [T, T + 1, T + 2]


def test_next_transaction_is_larger_however_often_the_one_before_changed_the_row(versions):
    last = [stamp(versions, b"1", T, lsn) for lsn in range(5000)][-1]
    assert stamp(versions, b"1", T + 1900, 9000, 2) > last


def test_another_consumer_gives_larger_versions_than_were_given_before(versions):
    last = [stamp(versions, b"1", T, lsn) for lsn in range(5000)][-1]
    assert stamp(moved(versions), b"1", T, 9000) > last
    assert stamp(moved(versions), b"1", T + 1900, 9000, 2) > last


def test_clock_of_postgresql_that_steps_back_hides_no_change(versions):
    last = stamp(versions, b"1", T, 10)
    assert stamp(versions, b"1", T - 3_600_000_000, 20, 2) > last


def test_database_restored_elsewhere_begins_again_with_small_positions(versions):
    last = [stamp(versions, b"1", T + n, 1_000_000 + n, n) for n in range(20)][-1]
    first = stamp(versions, b"1", T + 100, 5, 3)
    assert last < first < stamp(versions, b"1", T + 100, 6, 3)


def test_snapshot_row_beats_what_came_before_it_and_loses_to_what_follows(versions):
    streamed = stamp(versions, b"1", T, 10)
    row = stamp_snapshot_row(versions, b"1", T + 2_000_000)
    assert streamed < row < stamp(versions, b"1", T + 1, 20, 2)


def test_snapshot_row_of_an_untouched_row_is_older_than_the_changes_of_the_snapshots_time(versions):
    assert stamp_snapshot_row(versions, b"1", T) == T - SNAPSHOT_MARGIN_US


@pytest.mark.parametrize("transactions", [1, RECENT_TRANSACTIONS, 5 * RECENT_TRANSACTIONS])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["same consumer", "another consumer"])
def test_change_sent_again_after_a_snapshot_does_not_hide_what_only_the_snapshot_has(transactions, elsewhere):
    versions = PartitionVersions()
    sent = [(T + n * 1000, 10 * n, n) for n in range(transactions)]
    for change in sent:
        stamp(versions, b"1", *change)
    row = stamp_snapshot_row(versions, b"1", T + 3_000_000)
    if elsewhere:
        versions = moved(versions)
    assert all(stamp(versions, b"1", *change) < row for change in sent)
    assert stamp(versions, b"1", T + 5_000_000, 10_000, 99) > row


def test_transaction_that_is_streamed_after_one_with_a_later_commit_time_is_no_repetition(versions):
    """PostgreSQL takes the commit time before it writes the commit to its log, so two transactions
    can come in the other order than their times."""
    last = [stamp(versions, b"1", T, lsn, 1) for lsn in range(5000)][-1]
    stamp(versions, b"2", T + 2001, 7000, 3)
    assert stamp(versions, b"1", T + 2000, 6000, 2) > last


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same consumer", "another consumer"])
def test_rows_of_one_log_entry_are_no_repetitions_of_each_other(versions, elsewhere):
    """COPY writes many rows with one position in PostgreSQL's log."""
    deleted = stamp(versions, b"1", T, 10, deleted=True)
    stamp(versions, b"2", T, 20)
    if elsewhere:
        versions = moved(versions)
    assert stamp(versions, b"1", T, 20) > deleted


def test_row_that_takes_the_place_of_a_deleted_one_is_larger_whatever_their_keys(versions):
    """The key in Cassandra may be another than in PostgreSQL, and of equal versions a delete
    wins."""
    deleted = stamp(versions, b"1", T, 10, deleted=True)
    assert stamp(versions, b"2", T, 20) > deleted
    assert stamp(moved(versions), b"3", T, 30) > deleted


def test_records_without_a_key_are_in_the_order_of_the_log(versions):
    assert [stamp(versions, None, T, lsn) for lsn in (10, 20, 30)] == [T, T + 1, T + 2]


def test_many_rows_of_one_transaction_stay_close_to_its_commit_time(versions):
    assert max(stamp(versions, b"%d" % n, T, n) for n in range(50_000)) < T + 100


def test_commit_time_in_the_far_future_does_not_decide_the_versions_of_other_rows(versions):
    far = stamp(versions, b"1", 2**61, 10)
    assert far <= T + 20_000 + MAX_AHEAD_US
    assert stamp(moved(versions), b"2", T, 20, 2) <= far + 1


def test_change_without_a_position_is_ordered_by_the_log(versions):
    assert [stamp(versions, b"1", T, None, None) for _ in range(2)] == [T, T + 1]
    assert stamp(moved(versions), b"1", T, None, None) == T + 2


@pytest.mark.parametrize("text", ["", "other tool", "[]", "[2, 1]", "null", '[1, "x", 0, 0, [], null]', "[1, 5, 0, 0]"])
def test_state_that_cannot_be_read_starts_with_the_commit_times(text):
    assert stamp(PartitionVersions.restored(text), b"1", T, 10) == T


def test_saved_state_stays_far_below_kafkas_limit_for_it(versions):
    for n in range(1000):
        stamp(versions, b"%d" % n, T + n, 2**60 + n, 2**40 + n)
    assert len(versions.saved()) < 1000 < 4096  # offset.metadata.max.bytes


def test_partition_that_was_another_consumers_in_between_starts_from_what_that_one_saved():
    committed = {HERE: "", THERE: ""}
    versions = RowVersions(committed.__getitem__)
    before = versions.of(HERE)
    assert versions.of(HERE) is before
    lease = before.lease
    versions.keep({THERE})
    assert not versions.is_current(HERE, lease)
    other = PartitionVersions(T + 77)
    committed[HERE] = other.saved()
    assert stamp(versions.of(HERE), b"1", T, 10) == T + 78
    assert not versions.is_current(HERE, lease)
    assert versions.is_current(HERE, versions.of(HERE).lease)


def test_snapshot_of_a_truncated_table_is_newer_than_the_truncate():
    versions = RowVersions(lambda _partition: "")
    versions.emptied("t", T)
    versions.emptied("t", T - 50)
    for partition in (HERE, THERE):
        assert stamp_snapshot_row(versions.of(partition), b"1", T + 1_000_000) == T
        assert stamp_snapshot_row(versions.of(partition), b"2", T - 1) < T - 1


def stamp_move(versions, key, commit_us, lsn):
    record = SimpleNamespace(key=key, timestamp=T // 1000 + 20)
    change = Change("t", False, {}, commit_us, commit_us, lsn, 1, before={})
    return versions.stamp(record, change).version_us


def test_row_that_takes_the_place_of_a_moved_one_is_newer_than_the_delete_of_the_old_place(versions):
    """In one transaction: a row is updated three times and then leaves its place in Cassandra's
    key, which is deleted with the version before the last one; another row takes the place."""
    versions_us = [stamp_move(versions, b"a", T, lsn) for lsn in range(4)]
    assert versions_us == [T, T + 1, T + 2, T + 3]
    assert stamp_move(versions, b"b", T, 5) > versions_us[-1] - 1


def test_updates_of_many_rows_with_their_state_before_stay_at_the_commit_time(versions):
    """Else a transaction of a million rows would give versions a second ahead of the clock."""
    assert {stamp_move(versions, str(row).encode(), T, row) for row in range(100)} <= {T, T + 1, T + 2}


def earlier(*changes):
    """(commit time, position in the log) of each."""
    record = SimpleNamespace(key=b"a", timestamp=T // 1000 + 20)
    return [(record, Change("t", False, {}, us, us, lsn, us)) for us, lsn in changes]


def test_snapshot_rows_hide_what_came_before_the_place_where_a_reader_began():
    versions = PartitionVersions.following(earlier((T + 10, 1), (T + 30, 3), (T + 20, 2)))
    assert stamp_snapshot_row(versions, b"a", T + 40) == T + 31
    assert stamp(versions, b"a", T + 20, 2, transaction=7) == T + 20  # sent again
    assert stamp(versions, b"a", T + 30, 3, transaction=8) == T + 30
    assert stamp(versions, b"a", T + 31, 4, transaction=9) == T + 32  # new


def test_change_with_an_old_commit_time_and_a_new_position_is_no_repetition():
    versions = PartitionVersions.following(earlier((T + 10, 1), (T + 30, 3)))
    assert stamp(versions, b"a", T + 20, 9) == T + 31


def test_reader_after_nothing_begins_with_the_commit_times():
    assert stamp(PartitionVersions.following([]), b"a", T + 20, 9) == T + 20


def test_commit_time_that_is_not_believed_decides_nothing_for_who_begins_after_it():
    versions = PartitionVersions.following(earlier((T + 400 * MAX_AHEAD_US, 1)))
    assert stamp_snapshot_row(versions, b"a", T) <= T + 2 * MAX_AHEAD_US
