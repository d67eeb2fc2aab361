import struct
from dataclasses import replace

import pytest
from cassandra import InvalidRequest, OperationTimedOut
from cassandra.cluster import NoHostAvailable
from cassandra.query import UNSET_VALUE

from pipeline.changes import DELETE, INSERT, UPDATE, Write
from pipeline.consumer.statements import Statements
from pipeline.errors import StoreUnavailable, UnwritableRecord
from tests.unit.support.ddl import CQL_TABLES, DeclaredTable, declared_tables
from tests.unit.support.fake_cassandra import FakeSession

KLINE_KEY = {"symbol": "ETHUSDT", "interval": "1m", "open_time": 1_795_461_900_000_000}


@pytest.fixture
def session():
    return FakeSession()


@pytest.fixture
def statements(session):
    return Statements(session, "crypto")


def encoded(statements, write, version_us=7, source=None):
    statement = statements.statement(write.table, write.kind)
    return statement.encode([write.row], [version_us], [0], source or write.table)[0]


def by_name(row):
    return dict(zip(row.statement.prepared.names, row.values, strict=True))


def test_insert_carries_the_version_as_write_timestamp(statements):
    row = encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "close_price": "2811.5"}), 1_795_461_947_123_456)
    values = by_name(row)
    assert values["[timestamp]"] == struct.pack(">q", 1_795_461_947_123_456)
    assert values["close_price"] == struct.pack(">d", 2811.5)
    assert values["symbol"] == b"ETHUSDT"


@pytest.mark.parametrize("kind", [INSERT, UPDATE, DELETE])
def test_every_kind_of_write_uses_the_version_as_timestamp(statements, session, kind):
    statements.statement("market_now", kind)
    assert session.prepared[-1].count("USING TIMESTAMP ?") == 1
    row = encoded(statements, Write("market_now", kind, {"quote_asset": "USDT", "symbol": "ETHUSDT"}), 42)
    assert by_name(row)["[timestamp]"] == struct.pack(">q", 42)


def test_update_leaves_no_row_marker_behind(statements, session):
    statements.statement("market_now", UPDATE)
    assert session.prepared[-1].startswith('UPDATE "crypto"."market_now"')


def test_delete_names_the_whole_key_and_no_other_column(statements):
    statement = statements.statement("klines", DELETE)
    assert statement.prepared.names == ["[timestamp]", "symbol", "interval", "open_time"]


def test_column_that_the_row_lacks_is_unset_and_none_is_null(statements):
    values = by_name(encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "volume": None})))
    assert values["volume"] is None
    assert values["close_price"] is UNSET_VALUE


def test_column_that_the_table_lacks_is_ignored(statements):
    row = encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "not_there": {"any": "thing"}}))
    assert "not_there" not in by_name(row)


@pytest.mark.parametrize("missing", list(KLINE_KEY))
@pytest.mark.parametrize("kind", [INSERT, DELETE])
def test_row_without_a_key_column_is_unwritable(statements, missing, kind):
    without = {name: value for name, value in KLINE_KEY.items() if name != missing}
    for row in (without, {**without, missing: None}):
        with pytest.raises(UnwritableRecord, match=missing):
            encoded(statements, Write("klines", kind, row))


def test_value_that_does_not_fit_is_named_with_table_column_and_value(statements):
    with pytest.raises(UnwritableRecord, match=r"klines\.volume='much'"):
        encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "volume": "much"}))


def test_reason_of_a_huge_bad_value_stays_short(statements):
    """It becomes a Kafka header and a log line: if it quoted a value of a megabyte, the dead letter
    itself could not be sent."""
    with pytest.raises(UnwritableRecord) as caught:
        encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "volume": "x" * 100_000}))
    length = len(str(caught.value))
    assert length < 2_000


def test_version_that_is_not_a_64_bit_number_is_unwritable(statements):
    with pytest.raises(UnwritableRecord):
        encoded(statements, Write("klines", INSERT, KLINE_KEY), 2**63)


def test_partition_is_the_partition_key_and_not_the_clustering_key(statements):
    first = encoded(statements, Write("klines", INSERT, KLINE_KEY))
    second = encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "open_time": 1_795_461_960_000_000}))
    other = encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "interval": "1h"}))
    assert first.partition == second.partition != other.partition


def test_insert_and_delete_of_a_row_are_one_identity(statements):
    inserted = encoded(statements, Write("klines", INSERT, KLINE_KEY))
    deleted = encoded(statements, Write("klines", DELETE, KLINE_KEY))
    assert inserted.identity == deleted.identity


def test_same_key_in_other_notation_is_the_same_identity(statements):
    as_text = encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "open_time": "2026-11-23T19:25:00.000000Z"}))
    as_ms = encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "open_time": 1_795_461_900_000_000}))
    assert as_text.identity == as_ms.identity


def test_sources_that_share_a_row_are_different_identities(statements):
    write = Write("market_now", UPDATE, {"quote_asset": "USDT", "symbol": "ETHUSDT"})
    assert encoded(statements, write, 7, "latest_prices").identity != encoded(statements, write, 7, "stats").identity
    assert encoded(statements, write, 7, "stats").identity == encoded(statements, write, 8, "stats").identity


def test_rows_of_different_tables_with_one_key_are_different_identities(statements):
    row = {"symbol": "ETHUSDT", "updated_at": 5}
    price = encoded(statements, Write("latest_prices", INSERT, row))
    stats = encoded(statements, Write("crypto_24h_stats", INSERT, row))
    assert price.identity != stats.identity


def test_size_is_never_less_than_the_bytes_that_are_sent(statements):
    for name in ("live", "x" * 70_000, "größer" * 100, ""):
        row = encoded(statements, Write("data_source", INSERT, {"id": 1, "name": name, "base_url": None}))
        sent = sum(len(value) for value in row.values if isinstance(value, bytes))
        assert sent <= row.size_bytes <= sent + 8 * len(row.values)


def test_statement_is_prepared_once_and_again_when_the_table_changed(statements, session):
    first = statements.statement("klines", INSERT)
    assert statements.statement("klines", INSERT) is first
    assert statements.is_current(first)
    declared = declared_tables(CQL_TABLES)["klines"]
    session.declare(replace(declared, columns={**declared.columns, "note": "text"}))
    assert not statements.is_current(first)
    second = statements.statement("klines", INSERT)
    assert second is not first
    assert by_name(encoded(statements, Write("klines", INSERT, {**KLINE_KEY, "note": "new"})))["note"] == b"new"


def test_new_table_is_written_without_any_code(statements, session):
    assert "notes" not in statements.tables()
    session.declare(DeclaredTable("notes", {"id": "int", "title": "text"}, ("id",), ("id",)))
    assert "notes" in statements.tables()
    assert by_name(encoded(statements, Write("notes", INSERT, {"id": 7, "title": "x"})))["title"] == b"x"


def test_table_whose_columns_are_all_key_is_written(statements):
    row = {"table_name": "klines", "symbol": "ETHUSDT", "hour": 0}
    assert len(encoded(statements, Write("stored_hours", INSERT, row)).values) == 4


def test_table_that_cassandra_lacks_makes_the_record_unwritable(statements):
    with pytest.raises(UnwritableRecord, match=r"crypto\.nowhere"):
        statements.statement("nowhere", INSERT)


@pytest.mark.parametrize("error", [NoHostAvailable("none", {}), OperationTimedOut()])
def test_unavailable_cassandra_while_preparing_can_be_retried(statements, session, error):
    session.prepare_error = error
    with pytest.raises(StoreUnavailable):
        statements.statement("klines", INSERT)
    session.prepare_error = None
    assert statements.statement("klines", INSERT)


def test_refused_statement_makes_the_record_unwritable_and_is_not_prepared_again(statements, session):
    session.prepare_error = InvalidRequest("unconfigured table")
    asked = []
    prepare = session.prepare
    session.prepare = lambda cql: asked.append(cql) or prepare(cql)
    for _ in range(3):
        with pytest.raises(UnwritableRecord, match="unconfigured table"):
            statements.statement("klines", INSERT)
    assert len(asked) == 1


def test_refused_statement_is_prepared_when_the_table_has_changed(statements, session):
    session.prepare_error = InvalidRequest("unconfigured table")
    with pytest.raises(UnwritableRecord):
        statements.statement("klines", INSERT)
    session.prepare_error = None
    session.declare(declared_tables(CQL_TABLES)["klines"])
    assert statements.statement("klines", INSERT)


def test_counter_table_is_refused_with_a_remedy_and_never_prepared(statements, session):
    session.declare(DeclaredTable("hits", {"id": "int", "hits": "counter"}, ("id",), ("id",)))
    with pytest.raises(UnwritableRecord, match=r"hits\.hits is a counter.*bigint"):
        statements.statement("hits", INSERT)
    assert session.prepared == []


def test_null_of_a_created_row_is_unset(statements):
    """A null that is written is a tombstone in Cassandra."""
    statement = statements.statement("klines", INSERT)
    rows = [{**KLINE_KEY, "volume": None, "close_price": "1"}, {**KLINE_KEY, "volume": "2", "close_price": None}]
    for created, null in ((True, UNSET_VALUE), (False, None)):
        first, second = statement.encode(rows, [1, 1], [0, 1], "klines", created)
        assert by_name(first)["volume"] is null
        assert by_name(second)["close_price"] is null
        assert by_name(second)["volume"] == struct.pack(">d", 2)


@pytest.mark.parametrize("kind", [INSERT, DELETE])
@pytest.mark.parametrize("created", [True, False])
def test_null_key_of_a_created_row_is_still_unwritable(statements, kind, created):
    with pytest.raises(UnwritableRecord, match="interval"):
        statements.statement("klines", kind).encode([{**KLINE_KEY, "interval": None}], [1], [0], "klines", created)


def test_delete_without_a_certain_key_names_the_replica_identity(statements, session):
    session.declare(DeclaredTable("orders", {"id": "int", "at": "timestamp"}, ("id", "at"), ("id",)))
    with pytest.raises(UnwritableRecord, match=r'key column at.*ALTER TABLE "orders" REPLICA IDENTITY FULL'):
        encoded(statements, Write("orders", DELETE, {"id": 1}))


def test_empty_partition_key_is_unwritable_in_words(statements, session):
    session.declare(DeclaredTable("orders", {"id": "text"}, ("id",), ("id",)))
    with pytest.raises(UnwritableRecord, match="cannot be empty"):
        encoded(statements, Write("orders", INSERT, {"id": ""}))


def test_row_that_cassandra_could_never_take_is_unwritable(statements, session):
    session.declare(DeclaredTable("orders", {"id": "int", "body": "text"}, ("id",), ("id",)))
    with pytest.raises(UnwritableRecord, match=r"orders: a row of 16,\d+,\d+ bytes"):
        encoded(statements, Write("orders", INSERT, {"id": 1, "body": "x" * 16_000_000}))


def test_collections_that_debezium_sends_as_null_when_unchanged_are_known(statements, session):
    columns = {"id": "int", "a": "list<text>", "b": "list<double>", "c": "frozen<set<timestamp>>", "d": "list<int>"}
    columns |= {"e": "map<text, double>", "f": "decimal", "g": "list<smallint>", "h": "list<frozen<list<int>>>"}
    session.declare(DeclaredTable("orders", columns, ("id",), ("id",)))
    assert statements.keys("orders").null_if_unchanged == ("b", "c", "g", "h")
    assert statements.keys("nowhere") is None


def test_keyspace_that_is_missing_has_no_tables(session):
    assert Statements(session, "elsewhere").tables() == set()
