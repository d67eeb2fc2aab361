"""Times are whole milliseconds in both directions, wherever a timestamp may stand: compared with
what Cassandra itself converts."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from pipeline import cassandra_session
from pipeline.api.store import CassandraStore
from pipeline.settings import load

# The years 1, 1969, 1970, 2026 and 9999, and a time that no datetime holds.
TIMES = (-62_135_596_800_000, -1, 0, 1_774_742_400_123, 253_402_300_799_999, 2**62)


@pytest.fixture(scope="module")
def api_store(store: Stack) -> Iterator[CassandraStore]:
    """The API's store, with a table of times that a user may have added."""
    settings = load("api", environ=store.environ, dotenv="/dev/null")
    admin = cassandra_session.login(
        settings, "cassandra", settings.CASSANDRA_ADMIN_PASSWORD, keyspace=settings.CASSANDRA_KEYSPACE
    )
    admin.execute(
        "CREATE TABLE moments (id int, at timestamp, missing timestamp, list list<timestamp>,"
        " map map<text, frozen<tuple<timestamp, int>>>, PRIMARY KEY (id, at))"
    )
    for ms in TIMES:
        admin.execute(f"INSERT INTO moments (id, at, list, map) VALUES (1, {ms}, [{ms}, 0], {{'then': ({ms}, 7)}})")
    yield CassandraStore(settings)
    admin.execute("DROP TABLE moments")
    admin.cluster.shutdown()


def test_timestamps_are_read_as_cassandra_converts_them(api_store: CassandraStore) -> None:
    columns = "at, to_unix_timestamp(at) AS ms, missing, list, map"
    found = api_store.select(columns, "moments", "WHERE id = ? ORDER BY at ASC", (1,))
    assert [row["at"] for row in found] == [row["ms"] for row in found] == list(TIMES)
    assert all(type(row["at"]) is int and row["missing"] is None for row in found)
    assert [list(row["list"]) for row in found] == [[ms, 0] for ms in TIMES]
    assert [dict(row["map"]) for row in found] == [{"then": (ms, 7)} for ms in TIMES]


def test_timestamps_are_bound_as_milliseconds(api_store: CassandraStore) -> None:
    for ms in TIMES:
        assert api_store.select("at", "moments", "WHERE id = ? AND at = ?", (1, ms)) == [{"at": ms}]


def test_column_that_is_added_later_is_in_the_rows(api_store: CassandraStore, store: Stack) -> None:
    """`SELECT *` is prepared once; its columns change with the table."""
    settings = load("api", environ=store.environ, dotenv="/dev/null")
    admin = cassandra_session.login(
        settings, "cassandra", settings.CASSANDRA_ADMIN_PASSWORD, keyspace=settings.CASSANDRA_KEYSPACE
    )
    try:
        where = "WHERE id = ? AND at = ?"
        assert "more" not in api_store.select("*", "moments", where, (1, 0))[0]
        admin.execute("ALTER TABLE moments ADD more text")
        admin.execute("UPDATE moments SET more = 'here' WHERE id = 1 AND at = 0")
        assert api_store.select("*", "moments", where, (1, 0))[0]["more"] == "here"
        admin.execute("ALTER TABLE moments DROP more")
        assert "more" not in api_store.select("*", "moments", where, (1, 0))[0]
    finally:
        admin.cluster.shutdown()
