from types import SimpleNamespace

import pytest
from cassandra import InvalidRequest, OperationTimedOut, ReadTimeout
from cassandra.cluster import NoHostAvailable

from pipeline.api.store import IN_FLIGHT, RECONNECT_SECONDS, Store
from pipeline.errors import StoreUnavailable
from tests.unit.support.fake_cassandra import FakeSession


class Session(FakeSession):
    def __init__(self):
        super().__init__()
        self.error = None
        self.executed = []
        self.answered = 0
        self.most_waiting = 0

    def prepare(self, cql):
        if self.error is not None:
            raise self.error
        self.prepared.append(cql)
        return SimpleNamespace(cql=cql)

    def execute_async(self, prepared, values, timeout):
        assert 0 < timeout < 10
        if self.error is not None:
            raise self.error
        self.executed.append((prepared.cql, list(values)))
        self.most_waiting = max(self.most_waiting, len(self.executed) - self.answered)
        return SimpleNamespace(result=self.result)

    def result(self):
        self.answered += 1
        return iter([{"symbol": "X", "number": self.answered}])


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def store(defaults, session):
    return Store(defaults, lambda settings, row_factory: session)


def test_connection_is_made_with_the_first_read_and_only_once(defaults, session):
    connections = []
    store = Store(defaults, lambda *_: connections.append(1) or session)
    assert connections == []
    store.answers()
    store.answers()
    assert connections == [1]


def test_store_that_was_away_at_the_start_is_connected_to_later(defaults, session):
    outcomes = [StoreUnavailable("away"), session]

    def connect(*_):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    now = [100.0]
    store = Store(defaults, connect, lambda: now[0])
    with pytest.raises(StoreUnavailable):
        store.answers()
    now[0] += RECONNECT_SECONDS
    store.answers()


def test_statement_is_prepared_once_and_values_are_bound(store, session):
    for symbol in ("A", "B"):
        assert store.select("price", "latest_prices", "WHERE symbol = ?", (symbol,))[0]["symbol"] == "X"
    assert session.prepared == ["SELECT price FROM crypto.latest_prices WHERE symbol = ?"]
    assert [values for _, values in session.executed] == [["A"], ["B"]]


@pytest.mark.parametrize("error", [NoHostAvailable("none", {}), OperationTimedOut(), ReadTimeout("late")])
def test_driver_error_that_means_away_is_store_unavailable(store, session, error):
    session.error = error
    with pytest.raises(StoreUnavailable):
        store.select("price", "latest_prices")
    session.error = None
    assert store.select("price", "latest_prices")


def test_wrong_statement_is_a_bug_and_no_outage(store, session):
    session.error = InvalidRequest("no such column")
    with pytest.raises(InvalidRequest):
        store.select("nothing", "latest_prices")


def test_times_are_read_as_epoch_milliseconds_and_the_rest_as_it_is(store):
    columns = store.columns_of("latest_prices")
    assert 'to_unix_timestamp("updated_at") AS "updated_at"' in columns
    assert '"price"' in columns
    assert 'to_unix_timestamp("price")' not in columns


def test_table_that_is_not_there_yet_is_store_unavailable(store):
    with pytest.raises(StoreUnavailable, match="nowhere"):
        store.columns_of("nowhere")


def test_many_reads_are_answered_in_order_with_a_bound_on_those_under_way(store, session):
    found = store.select_many("price", "latest_prices", "WHERE symbol = ?", [(str(n),) for n in range(100)])
    assert [rows[0]["number"] for rows in found] == list(range(1, 101))
    assert [values for _, values in session.executed] == [[str(n)] for n in range(100)]
    assert session.most_waiting == IN_FLIGHT


def test_store_that_cannot_be_connected_to_is_not_looked_for_by_every_request(defaults):
    tries = []

    def connect(*_):
        tries.append(1)
        raise StoreUnavailable("away")

    store = Store(defaults, connect)
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            store.answers()
    assert len(tries) == 1
