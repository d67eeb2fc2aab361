import pytest
from cassandra import DriverException, InvalidRequest, WriteFailure, WriteTimeout
from cassandra.cluster import NoHostAvailable
from cassandra.protocol import ServerError
from cassandra.query import BatchStatement, BatchType

from pipeline.changes import INSERT, Write
from pipeline.consumer.statements import Statements
from pipeline.consumer.writer import MAX_SERVER_ERRORS, Pending, SchemaChanged, Writer, request
from pipeline.errors import StoreUnavailable
from tests.unit.support.ddl import CQL_TABLES, declared_tables
from tests.unit.support.fake_cassandra import FakeSession


@pytest.fixture
def session():
    return FakeSession()


@pytest.fixture
def statements(session):
    return Statements(session, "crypto")


@pytest.fixture
def writer(session, statements):
    return Writer(session, statements)


@pytest.fixture
def batch(statements):
    """Candles of one partition, at positions `first`, `first` + 1, …; open_time is the position."""

    def make(count, first=0, symbol="ETHUSDT"):
        rows = []
        for position in range(first, first + count):
            write = Write("klines", INSERT, {"symbol": symbol, "interval": "1m", "open_time": position * 1000})
            rows += statements.statement("klines", INSERT).encode([write.row], [1], [position], "klines")
        return rows

    return make


def open_times(sent):
    """Which rows a request holds."""
    if isinstance(sent, BatchStatement):
        return [int.from_bytes(values[2], "big") for values in sent.rows]
    return [int.from_bytes(sent.values[2], "big")]


def refusing(*bad):
    """Cassandra that finds these rows invalid, and with them every batch that holds one."""
    return lambda sent: InvalidRequest("bad row") if set(open_times(sent)) & set(bad) else None


def test_one_row_is_sent_alone_and_more_as_an_unlogged_batch(batch):
    assert not isinstance(request(batch(1)).statement(), BatchStatement)
    sent = request(batch(3)).statement()
    assert sent.batch_type == BatchType.UNLOGGED
    assert open_times(sent) == [0, 1, 2]


def test_confirmed_batches_leave_nothing_pending(writer, session, batch):
    pending = Pending([batch(3), batch(1, symbol="BTCUSDT")])
    writer.finish(pending)
    assert pending.batches == []
    assert pending.refused == []
    assert pending.confirmed == [("klines", 3), ("klines", 1)]
    assert len(session.sent) == 2


@pytest.mark.parametrize("error", [NoHostAvailable("none", {}), WriteTimeout("late", write_type=0)])
def test_batch_that_was_not_confirmed_stays_pending_and_the_others_do_not(writer, session, batch, error):
    session.outcome = lambda sent: error if open_times(sent) == [5] else None
    pending = Pending([batch(3), batch(1, first=5), batch(2, first=7)])
    with pytest.raises(StoreUnavailable):
        writer.finish(pending)
    assert [[row.position for row in kept] for kept in pending.batches] == [[5]]
    assert pending.refused == []
    session.outcome = lambda _request: None
    session.sent.clear()
    writer.finish(pending)
    assert [open_times(sent) for sent in session.sent] == [[5]]
    assert sum(rows for _, rows in pending.confirmed) == 6


@pytest.mark.parametrize("bad", [(0,), (6,), (3, 4), tuple(range(7))])
def test_bad_rows_of_a_batch_are_refused_and_the_others_written(writer, session, batch, bad):
    session.outcome = refusing(*bad)
    pending = Pending([batch(7)])
    writer.finish(pending)
    assert sorted(position for position, _ in pending.refused) == list(bad)
    assert sum(rows for _, rows in pending.confirmed) == 7 - len(bad)
    assert all("bad row" in reason for _, reason in pending.refused)


def test_outage_while_a_batch_is_split_loses_no_row(writer, session, batch):
    session.outcome = refusing(2)
    refusal = session.outcome

    def unavailable_for_halves(sent):
        return refusal(sent) if len(open_times(sent)) == 4 else NoHostAvailable("none", {})

    session.outcome = unavailable_for_halves
    pending = Pending([batch(4)])
    with pytest.raises(StoreUnavailable):
        writer.finish(pending)
    assert sorted(row.position for kept in pending.batches for row in kept) == [0, 1, 2, 3]
    session.outcome = refusal
    writer.finish(pending)
    assert [position for position, _ in pending.refused] == [2]


@pytest.mark.parametrize("driver_knows", [True, False], ids=["the driver knows", "the driver does not know yet"])
@pytest.mark.parametrize("rows", [1, 3])
def test_refusal_under_a_changed_schema_asks_for_encoding_again_and_refuses_no_row(
    writer, session, batch, rows, driver_knows
):
    pending = Pending([batch(rows)])
    session.outcome = lambda _request: InvalidRequest("unknown column")
    session.declare(declared_tables(CQL_TABLES)["klines"].without("volume"), driver_knows)
    with pytest.raises(SchemaChanged):
        writer.finish(pending)
    assert pending.refused == []
    assert sum(map(len, pending.batches)) == rows


def test_schema_is_read_once_for_all_single_rows_that_are_refused(writer, session, batch):
    read, refresh = [], session.cluster.refresh_table_metadata
    session.cluster.refresh_table_metadata = lambda *table: read.append(table) or refresh(*table)
    session.outcome = lambda _request: InvalidRequest("bad row")
    pending = Pending([batch(1, first=number) for number in range(50)])
    writer.finish(pending)
    assert len(pending.refused) == 50
    assert read == [("crypto", "klines")]


def test_refusal_while_the_schema_cannot_be_read_refuses_no_row(writer, session, batch):
    pending = Pending([batch(1), batch(1, first=1)])
    session.outcome = lambda _request: InvalidRequest("bad row")
    session.refresh_error = DriverException("the control connection is lost")
    with pytest.raises(StoreUnavailable, match="schema of klines"):
        writer.finish(pending)
    assert pending.refused == []
    session.refresh_error = None
    writer.finish(pending)
    assert sorted(position for position, _ in pending.refused) == [0, 1]


def test_bug_in_the_code_or_the_driver_stops_the_program_and_makes_no_dead_letters(writer, session, batch):
    """What Cassandra finds invalid is the record's fault; anything else is a bug, which would turn
    the whole stream into dead letters."""
    session.outcome = lambda _request: AttributeError("'NoneType' object has no attribute 'host'")
    with pytest.raises(AttributeError):
        writer.finish(Pending([batch(3)]))


def server_error(text="NullPointerException"):
    """What the driver makes of a server error when there is no other node to ask."""
    error = ServerError(0, text, None)
    return NoHostAvailable("Unable to complete the operation against any hosts", {"node": error})


def failing(*bad, error=None):
    """Cassandra that cannot handle these rows, nor any batch that holds one, and takes others."""
    return lambda sent: (error or server_error()) if set(open_times(sent)) & set(bad) else None


def written_at_last(writer, pending, attempts=20):
    """How often the caller had to wait."""
    for waits in range(attempts):
        try:
            writer.finish(pending)
            return waits
        except StoreUnavailable:
            pass
    return None


@pytest.mark.parametrize("bad", [(0,), (6,), (3, 4)])
@pytest.mark.parametrize("error", [server_error(), WriteFailure("failed", write_type=0)], ids=["server", "write"])
def test_row_that_always_gets_a_server_error_is_refused_and_the_others_are_written(writer, session, batch, bad, error):
    session.outcome = failing(*bad, error=error)
    session.probed = session.outcome
    pending = Pending([batch(7)])
    assert written_at_last(writer, pending) < MAX_SERVER_ERRORS
    assert sorted(position for position, _ in pending.refused) == list(bad)
    assert sum(rows for _, rows in pending.confirmed) == 7 - len(bad)
    assert all("server error" in reason for _, reason in pending.refused)


def test_row_alone_that_always_gets_a_server_error_is_refused_because_a_harmless_write_works(writer, session, batch):
    session.outcome = lambda _sent: server_error()
    session.probed = lambda _sent: None
    pending = Pending([batch(1)])
    assert written_at_last(writer, pending) == MAX_SERVER_ERRORS - 1
    assert [position for position, _ in pending.refused] == [0]


def test_server_errors_of_every_row_are_an_outage_and_refuse_nothing(writer, session, batch):
    session.outcome = session.probed = lambda _sent: server_error()
    pending = Pending([batch(3), batch(2, symbol="BTCUSDT")])
    assert written_at_last(writer, pending) is None
    assert pending.refused == []
    assert [len(kept) for kept in pending.batches] == [3, 2]
    session.outcome = session.probed = lambda _sent: None
    writer.finish(pending)
    assert sum(rows for _, rows in pending.confirmed) == 5


def test_server_error_that_passes_refuses_nothing(writer, session, batch):
    errors = [server_error()] * (MAX_SERVER_ERRORS - 1)
    session.outcome = lambda sent: errors.pop() if errors and open_times(sent) == [5] else None
    pending = Pending([batch(1, first=5), batch(2)])
    assert written_at_last(writer, pending) == MAX_SERVER_ERRORS - 1
    assert pending.refused == []
    assert sum(rows for _, rows in pending.confirmed) == 3


def test_server_errors_under_a_changed_schema_ask_for_encoding_again(writer, session, batch):
    pending = Pending([batch(1)])
    session.outcome = lambda _sent: server_error("unknown column")
    session.declare(declared_tables(CQL_TABLES)["klines"].without("volume"), driver_notified=False)
    for _ in range(MAX_SERVER_ERRORS - 1):
        with pytest.raises(StoreUnavailable):
            writer.finish(pending)
    with pytest.raises(SchemaChanged):
        writer.finish(pending)
    assert pending.refused == []


def test_probe_tries_the_suspect_itself_when_the_table_of_the_last_row_is_gone(writer, session, batch):
    writer.finish(Pending([batch(1, symbol="BTCUSDT")]))
    session.outcome = lambda _sent: server_error()
    answers = [InvalidRequest("unconfigured table"), None] * MAX_SERVER_ERRORS
    session.probed = lambda _sent: answers.pop(0)
    pending = Pending([batch(1)])
    assert written_at_last(writer, pending) == MAX_SERVER_ERRORS - 1
    assert len(pending.refused) == 1
