from types import SimpleNamespace

import pytest
from cassandra import InvalidRequest, OperationTimedOut, ReadTimeout
from cassandra.cluster import NoHostAvailable

from pipeline.api.store import MAX_IN_FLIGHT, RECONNECT_SECONDS, CassandraStore
from pipeline.errors import StoreUnavailable
from tests.unit.support.fake_cassandra import FakeSession


class Session(FakeSession):
    def __init__(self):
        super().__init__()
        self.error = None
        self.executed = []
        self.finished = 0
        self.max_in_flight = 0

    def prepare(self, cql):
        if self.error is not None:
            raise self.error
        self.prepared.append(cql)
        return SimpleNamespace(cql=cql, is_idempotent=False)

    def execute_async(self, prepared, values, timeout):
        assert 0 < timeout < 10
        assert prepared.is_idempotent, "else no other node is asked when one hangs"
        if self.error is not None:
            raise self.error
        self.executed.append((prepared.cql, list(values)))
        self.max_in_flight = max(self.max_in_flight, len(self.executed) - self.finished)
        return SimpleNamespace(result=self.result)

    def result(self):
        self.finished += 1
        return iter([{"symbol": "X", "number": self.finished}])


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def store(defaults, session):
    return CassandraStore(defaults, lambda settings, row_factory: session)


def test_first_read_connects_and_later_ones_do_not(defaults, session):
    connections = []
    store = CassandraStore(defaults, lambda *_: connections.append(1) or session)
    assert connections == []
    store.check()
    store.check()
    assert connections == [1]


def test_cassandra_that_was_unavailable_at_the_start_is_connected_to_later(defaults, session):
    outcomes = [StoreUnavailable("unavailable"), session]

    def connect(*_):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    now = [100.0]
    store = CassandraStore(defaults, connect, lambda: now[0])
    with pytest.raises(StoreUnavailable):
        store.check()
    now[0] += RECONNECT_SECONDS
    store.check()


def test_statement_is_prepared_once_and_values_are_bound(store, session):
    for symbol in ("A", "B"):
        assert store.select("price", "latest_prices", "WHERE symbol = ?", (symbol,))[0]["symbol"] == "X"
    assert session.prepared == ["SELECT price FROM crypto.latest_prices WHERE symbol = ?"]
    assert [values for _, values in session.executed] == [["A"], ["B"]]


@pytest.mark.parametrize("error", [NoHostAvailable("none", {}), OperationTimedOut(), ReadTimeout("late")])
def test_driver_error_that_means_unavailable_becomes_store_unavailable(store, session, error):
    session.error = error
    with pytest.raises(StoreUnavailable):
        store.select("price", "latest_prices")
    session.error = None
    assert store.select("price", "latest_prices")


def test_invalid_statement_is_a_bug_and_not_an_outage(store, session):
    session.error = InvalidRequest("no such column")
    with pytest.raises(InvalidRequest):
        store.select("nothing", "latest_prices")


def test_columns_of_a_table_are_all_but_the_hour(store):
    assert store.columns_of("latest_prices") == "*"
    assert store.columns_of("order_book").startswith('"symbol", "updated_at", ')


def test_missing_table_is_store_unavailable(store):
    with pytest.raises(StoreUnavailable, match="nowhere"):
        store.columns_of("nowhere")


def test_many_reads_return_in_order_with_a_limit_on_those_in_flight(store, session):
    found = store.select_many("price", "latest_prices", "WHERE symbol = ?", [(str(n),) for n in range(100)])
    assert [rows[0]["number"] for rows in found] == list(range(1, 101))
    assert [values for _, values in session.executed] == [[str(n)] for n in range(100)]
    assert session.max_in_flight == MAX_IN_FLIGHT


def test_failed_connection_is_not_retried_by_every_request(defaults):
    tries = []

    def connect(*_):
        tries.append(1)
        raise StoreUnavailable("unavailable")

    store = CassandraStore(defaults, connect)
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            store.check()
    assert len(tries) == 1
