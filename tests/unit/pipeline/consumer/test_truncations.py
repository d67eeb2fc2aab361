from collections import namedtuple

import pytest
from cassandra.cluster import NoHostAvailable
from kafka import TopicPartition

from pipeline.changes import Change, Truncation
from pipeline.consumer.poll import Poll
from pipeline.consumer.row_encoder import RowEncoder
from pipeline.consumer.statements import Statements
from pipeline.consumer.truncations import (
    RETRY_SECONDS,
    SETTLE_SECONDS,
    Truncations,
    removed,
)
from pipeline.errors import StoreUnavailable
from tests.unit.support.ddl import DeclaredTable
from tests.unit.support.fake_cassandra import FakeSession

T = 1_795_000_000_000_000
TRUNCATED = Truncation("orders", T, 500, 9)
Record = namedtuple("Record", "topic partition offset key value headers timestamp")
ORDERS = TopicPartition("crypto.public.orders", 0)


def change(lsn, commit_us=T, transaction=9, version_us=None, **fields):
    row = fields.pop("row", {"id": lsn})
    return Change("orders", False, row, version_us or commit_us, commit_us, lsn, transaction, **fields)


# Older; so often that versions ran ahead; of the TRUNCATE's transaction, before it and after it.
AROUND = (change(200, T - 20, 6), change(300, T - 10, 7, version_us=T + 40), change(400), change(600))
# Which of them need a delete of their own.
REMOVED = [(300, True, T + 40), (400, True, T)]


def shown(one):
    return one.row["id"], one.deleted, one.version_us


@pytest.fixture
def session():
    fake = FakeSession()
    columns = {"id": "int", "n": "int"}
    fake.declare(DeclaredTable("orders", columns, ("id",), ("id",)))
    fake.rows["orders"] = [(n,) for n in range(5)]
    return fake


class Group:
    """What the group has read, by Kafka partition."""

    def __init__(self):
        self.read = {0: 0, 1: 0}

    def is_read(self, _table, ends):
        return all(self.read[number] >= end for number, end in ends.items())


@pytest.fixture
def group():
    return Group()


@pytest.fixture
def truncations(session, group, clock):
    return Truncations(session, "crypto", lambda _table: {0: 70, 1: 80}, group.is_read, clock)


def polled(*found):
    """A poll with these changes and truncations, in order."""
    records = [Record(ORDERS.topic, 0, n, b"{}", b"", [], T // 1000) for n in range(len(found))]
    poll = Poll({ORDERS: records}, records)
    for position, one in enumerate(found):
        (poll.truncations if isinstance(one, Truncation) else poll.changes).append((position, one))
    return poll


def start(truncations, *found):
    truncations.start(found or [TRUNCATED], lambda: None)


def stored(session):
    return [values for text, values in session.executed if text.startswith("INSERT")]


def deletes(session):
    """The versions and keys of the deleted partitions."""
    return session.sent_values


def test_every_partition_is_deleted_with_a_version_just_before_the_truncate(truncations, session):
    truncations.apply(polled(TRUNCATED))
    start(truncations)
    assert deletes(session) == [(T - 1, n) for n in range(5)]
    assert stored(session) == [("orders", T, 500, 9, {}, False)]


def test_truncate_that_cannot_be_stored_is_waited_for(truncations, session):
    truncations.apply(polled(TRUNCATED))
    session.execute_error = NoHostAvailable("none", {})
    with pytest.raises(StoreUnavailable):
        start(truncations)
    session.execute_error = None
    start(truncations)
    assert len(deletes(session)) == 5


def test_table_that_cannot_be_emptied_now_is_emptied_later_and_holds_up_nothing(
    truncations, session, group, clock, caplog
):
    """A crash after it was stored is the same case: then the next consumer finishes it."""
    truncations.apply(polled(TRUNCATED))
    session.outcome = lambda _statement: NoHostAvailable("none", {})
    start(truncations)
    assert [line.msg for line in caplog.records] == ["truncate_unfinished"]
    assert len(stored(session)) == 1
    session.outcome = lambda _statement: None
    session.sent_values.clear()
    group.read = {0: 70, 1: 80}
    clock.now += SETTLE_SECONDS
    truncations.look_after(lambda: None)
    assert deletes(session) == []
    clock.now += RETRY_SECONDS
    truncations.look_after(lambda: None)
    assert len(deletes(session)) == 5
    assert stored(session)[-1][-1] is True


def test_changes_before_it_are_dropped_and_those_after_it_are_written(truncations):
    kept = [
        change(600),  # later in the same transaction
        change(700, T + 5, 10),
        change(400, T + 1, 8),  # began before it and committed after it: waited for the lock
        Change("orders", False, {"id": 1}, T - 5, 0),  # a snapshot row: the delete decides by its version
        Change("klines", False, {}, T - 9, T - 9, 3, 3),
    ]
    removed = [change(100, T - 1000, 7), change(499)]
    poll = polled(*removed, *kept, TRUNCATED)
    truncations.apply(poll)
    assert [one for _, one in poll.changes] == kept


def test_changes_before_it_are_dropped_in_later_polls_until_it_is_finished(truncations, session, clock, group):
    truncations.apply(polled(TRUNCATED))
    start(truncations)
    late = polled(change(100, T - 1000, 7))
    truncations.apply(late)
    assert late.changes == []
    clock.now += SETTLE_SECONDS
    truncations.look_after(lambda: None)
    assert stored(session)[-1] == ("orders", T, 500, 9, {0: 70, 1: 80}, False)
    assert len(deletes(session)) == 5
    group.read = {0: 70, 1: 80}
    clock.now += 5
    truncations.look_after(lambda: None)
    assert len(deletes(session)) == 10
    assert stored(session)[-1] == ("orders", T, 500, 9, {0: 70, 1: 80}, True)
    clock.now += 5
    truncations.look_after(lambda: None)
    assert len(deletes(session)) == 10


def test_rows_whose_version_is_not_below_it_get_a_delete_of_their_own(truncations):
    """Written in the poll before: in the same transaction, or so often that versions ran ahead."""
    truncations.apply(polled(*AROUND))
    poll = polled(TRUNCATED)
    truncations.apply(poll)
    assert [shown(one) for _, one in poll.changes] == REMOVED


@pytest.mark.parametrize("before", [None, {"id": 400, "n": 1}])
def test_such_a_delete_removes_what_an_update_has_written(truncations, session, before):
    """Of equal versions the delete wins; the state before an update is older than that, and no row
    takes its place."""
    truncations.apply(polled(change(400, row={"id": 400, "n": 2}, op="u", before=before, kafka_key=b'{"id": 400}')))
    poll = polled(TRUNCATED)
    truncations.apply(poll)
    rows = RowEncoder(Statements(session, "crypto")).rows(poll)
    assert [(row.statement.kind, row.version_us) for row in rows] == [("delete", T)]


def test_truncate_that_another_consumer_stored_is_known_and_finished(truncations, session, clock, group):
    session.rows["truncations"] = [("orders", T, 500, 9, {0: 7}, False)]
    truncations.look_after(lambda: None)
    assert truncations.removes(change(100, T - 1000, 7))
    assert dict(truncations.commit_times()) == {"orders": T}
    group.read = {0: 7}
    clock.now += SETTLE_SECONDS
    truncations.look_after(lambda: None)
    assert len(deletes(session)) == 5
    assert stored(session)[-1] == ("orders", T, 500, 9, {0: 7}, True)


@pytest.mark.parametrize("done", [False, True])
def test_rows_that_it_has_written_before_a_truncate_of_another_consumer_are_deleted(truncations, session, done):
    """It learns of the TRUNCATE from Cassandra, perhaps when the others have finished it."""
    truncations.apply(polled(*AROUND))
    session.rows["truncations"] = [("orders", T, 500, 9, {}, done)]
    truncations.look_after(lambda: None)
    owed = truncations.owed()
    assert list(map(shown, owed)) == REMOVED
    assert truncations.owed() == []
    rows = RowEncoder(Statements(session, "crypto")).rows(Poll.without_records(owed))
    assert [(row.statement.kind, row.version_us) for row in rows] == [("delete", T + 40), ("delete", T)]


def test_such_a_delete_that_cannot_be_written_is_logged_and_is_no_dead_letter(session, caplog):
    del session.rows["orders"]
    poll = Poll.without_records([removed(change(400, row={}))])
    assert RowEncoder(Statements(session, "crypto")).rows(poll) == []
    assert poll.dead_letters == []
    assert [line.msg for line in caplog.records] == ["own_change_rejected"]


def test_truncate_that_another_consumer_finished_is_not_carried_out_again(truncations, session, clock, group):
    session.rows["truncations"] = [("orders", T, 500, 9, {0: 7}, True)]
    group.read = {0: 7}
    for _ in range(3):
        clock.now += SETTLE_SECONDS
        truncations.look_after(lambda: None)
    assert deletes(session) == []
    assert not truncations.removes(change(100, T - 1000, 7))


def test_truncate_that_is_read_again_is_carried_out_again(truncations, session, clock):
    """By a new group, the rows before it have been written again."""
    session.rows["truncations"] = [("orders", T, 500, 9, {0: 7}, True)]
    truncations.look_after(lambda: None)
    truncations.apply(polled(TRUNCATED))
    start(truncations)
    assert len(deletes(session)) == 5
    clock.now += SETTLE_SECONDS
    truncations.look_after(lambda: None)
    assert truncations.removes(change(100, T - 1000, 7))


def test_older_truncate_after_a_newer_one_does_nothing(truncations, session):
    truncations.apply(polled(TRUNCATED))
    older = TRUNCATED._replace(commit_us=T - 100, lsn=50)
    truncations.apply(polled(older))
    start(truncations, older)
    assert deletes(session) == []


def test_history_is_kept_and_the_truncate_is_reported_once(truncations, session, caplog):
    of_history = TRUNCATED._replace(table="latest_prices")
    for _ in range(2):
        truncations.apply(polled(of_history))
        start(truncations, of_history)
    assert (session.executed, session.sent) == ([], [])
    assert [line.msg for line in caplog.records] == ["truncate_ignored"]
    assert caplog.records[0].table == "latest_prices"


def test_candles_are_emptied(truncations, session):
    session.rows["klines"] = [("BTCUSDT", "1m")]
    of_klines = TRUNCATED._replace(table="klines")
    truncations.apply(polled(of_klines))
    start(truncations, of_klines)
    assert len(deletes(session)) == 1


def test_table_that_cassandra_lacks_is_no_error(truncations, session):
    nowhere = TRUNCATED._replace(table="nowhere")
    truncations.apply(polled(nowhere))
    start(truncations, nowhere)
    assert deletes(session) == []


def test_outage_while_the_stored_ones_are_read_is_an_error_that_can_be_waited_for(truncations, session):
    session.execute_error = NoHostAvailable("none", {})
    with pytest.raises(StoreUnavailable):
        truncations.look_after(lambda: None)
