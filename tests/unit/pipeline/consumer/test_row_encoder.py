import json
from collections import namedtuple

import pytest
from cassandra.query import UNSET_VALUE
from kafka import TopicPartition

from pipeline.consumer import metrics
from pipeline.consumer.poll import Poll
from pipeline.consumer.row_encoder import RowEncoder
from pipeline.consumer.statements import Statements
from pipeline.errors import StoreUnavailable
from pipeline.stream.unchanged_values import UNAVAILABLE
from pipeline.tables import TABLES
from tests.unit.support.ddl import DeclaredTable
from tests.unit.support.fake_cassandra import FakeSession

Record = namedtuple("Record", "topic partition offset key value headers")
PARTITION = TopicPartition("crypto.public.klines", 0)
SAVED = {
    "klines": "kline_created_open",
    "latest_prices": "price_created",
    "crypto_24h_stats": "stats_updated",
    "order_book": "order_book_updated",
    "recent_trades": "trade_created",
}


def record(table, value, offset=0):
    return Record(f"crypto.public.{table}", 0, offset, b"{}", value, [])


def table_of(record):
    return record.topic.removeprefix("crypto.public.")


@pytest.fixture
def session():
    return FakeSession()


@pytest.fixture
def encoded(session):
    encoder = RowEncoder(Statements(session, "crypto"))

    def encode(*records):
        poll = Poll.parse({PARTITION: list(records)}, table_of)
        return encoder.rows(poll), poll

    return encode


def test_each_of_the_five_tables_becomes_rows_of_the_real_schema(encoded, envelope):
    rows, poll = encoded(*[record(table, envelope(case)) for table, case in SAVED.items()])
    assert poll.dead_letters == []
    assert sorted(row.statement.table.name for row in rows) == [
        "crypto_24h_stats",
        "klines",
        "latest_prices",
        "market_now",
        "market_now",
        "order_book",
        "recent_trades",
        "stored_hours",
        "stored_hours",
    ]


@pytest.mark.parametrize("op", ["c", "u"])
def test_own_table_whose_kafka_key_is_the_symbol_alone_is_not_taken_for_a_mirrored_one(encoded, op):
    row = {"symbol": "AUSDT", "horizon": "15m", "made_at": "2026-01-31T12:00:00Z", "qlike": None}
    value = json.dumps({"op": op, "before": None, "after": row, "source": {"table": "forecasts", "ts_us": 5}})
    rows, poll = encoded(record("forecasts", value.encode())._replace(key=b'{"symbol": "AUSDT"}'))
    assert poll.dead_letters == []
    assert [each.statement.table.name for each in rows] == ["forecasts"]


def test_every_saved_column_is_known_to_cassandra(encoded, envelope):
    before = unknown_columns()
    encoded(*[record(table, envelope(case)) for table, case in SAVED.items()])
    assert unknown_columns() == before


def unknown_columns():
    return sum(
        sample.value
        for metric in metrics.UNKNOWN_COLUMNS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )


def test_bad_record_becomes_a_dead_letter_and_the_ones_around_it_are_written(encoded, envelope):
    good = envelope("kline_created_open")
    rows, poll = encoded(
        record("klines", good, 10),
        record("klines", b"not json", 11),
        record("klines", None, 12),
        record("klines", b'{"op": "c", "after": {}, "source": {"ts_us": 1}}', 13),
        record("klines", good, 14),
    )
    assert [letter.record.offset for letter in poll.dead_letters] == [11, 13]
    assert all(letter.reason for letter in poll.dead_letters)
    assert [row.position for row in rows] == [0, 4]


def test_values_that_do_not_fit_are_found_among_many_rows_and_the_others_keep_their_order(encoded, envelope):
    good = envelope("kline_created_open")
    body = json.loads(good)
    body["after"]["close_price"] = "a lot"
    bad = json.dumps(body).encode()
    rows, poll = encoded(*[record("klines", bad if offset in (0, 7, 8, 19) else good, offset) for offset in range(20)])
    assert [letter.record.offset for letter in poll.dead_letters] == [0, 7, 8, 19]
    assert all("close_price" in letter.reason for letter in poll.dead_letters)
    assert [row.position for row in rows] == [offset for offset in range(20) if offset not in (0, 7, 8, 19)]


def test_dead_letter_keeps_the_original_bytes(encoded):
    _, poll = encoded(record("klines", b"\xff\x00not json", 5))
    assert poll.dead_letters[0].record.value == b"\xff\x00not json"


def test_record_of_a_table_that_cassandra_lacks_becomes_a_dead_letter(encoded, envelope):
    body = json.loads(envelope("kline_created_open"))
    body["source"]["table"] = "nowhere"
    rows, poll = encoded(record("nowhere", json.dumps(body).encode()))
    assert rows == []
    assert "crypto.nowhere" in poll.dead_letters[0].reason


def test_unknown_column_is_counted_and_ignored_and_logged_once(encoded, envelope, caplog):
    body = json.loads(envelope("kline_created_open"))
    body["after"]["added_yesterday"] = 5
    value = json.dumps(body).encode()
    before = unknown_columns()
    rows, poll = encoded(record("klines", value), record("klines", value))
    assert (len(rows), poll.dead_letters) == (2, [])
    assert unknown_columns() - before == 2
    warnings = [entry for entry in caplog.records if entry.getMessage() == "unknown_column"]
    assert [(entry.table, entry.column) for entry in warnings] == [("klines", "added_yesterday")]


def test_missing_column_is_not_an_error(encoded, envelope):
    body = json.loads(envelope("kline_created_open"))
    del body["after"]["volume"]
    rows, poll = encoded(record("klines", json.dumps(body).encode()))
    assert (len(rows), poll.dead_letters) == (1, [])


def test_unavailable_cassandra_makes_no_dead_letters(encoded, envelope, session):
    from cassandra.cluster import NoHostAvailable

    session.prepare_error = NoHostAvailable("none", {})
    with pytest.raises(StoreUnavailable):
        encoded(record("klines", envelope("kline_created_open")))


WRONG = (None, True, 5, -1, 1.5, "", "text", [], [1], {}, 2**63, "9" * 400)


def outcome(encoded, table, body):
    """`written`, `dead letter`, or the exception that would have stopped the program."""
    try:
        rows, poll = encoded(record(table, json.dumps(body).encode(), 7))
    except Exception as error:
        return f"stopped by {type(error).__name__}: {error}"
    if poll.dead_letters:
        return "dead letter" if [letter.record.offset for letter in poll.dead_letters] == [7] else "several"
    return "written" if rows else "nothing"


@pytest.mark.parametrize(
    ("table", "column"), [(name, column) for name, table in TABLES.items() for column in table.columns]
)
def test_column_of_any_wrong_type_never_stops_the_consumer(encoded, envelope, table, column):
    """Written or a dead letter, but no other exception: the program would stop, start again, and
    stop at the same record."""
    outcomes = {}
    for wrong in WRONG:
        body = json.loads(envelope(SAVED[table]))
        body["after"][column] = wrong
        outcomes[repr(wrong)[:20]] = outcome(encoded, table, body)
    assert {wrong: found for wrong, found in outcomes.items() if found not in ("written", "dead letter")} == {}


@pytest.mark.parametrize(("table", "case"), [("latest_prices", "price_deleted"), ("klines", "kline_deleted")])
def test_delete_with_a_key_of_a_wrong_type_never_stops_the_consumer(encoded, envelope, table, case):
    outcomes = {}
    for wrong in (None, 5, 1.5, [], {}):
        body = json.loads(envelope(case))
        body["before"]["symbol"] = wrong
        outcomes[repr(wrong)] = outcome(encoded, table, body)
    assert {wrong: found for wrong, found in outcomes.items() if found != "dead letter"} == {}


HUGE = "x" * 100_000


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("klines", {"after": {"volume": HUGE}}),
        ("order_book", {"after": {"bids": json.dumps([[HUGE, "1"]])}}),
        ("recent_trades", {"after": {"trade_time": HUGE}}),
        ("klines", {"op": HUGE}),
        ("klines", {"source": {"ts_us": HUGE}}),
    ],
    ids=["value", "transformation", "time", "operation", "version"],
)
def test_reason_of_a_dead_letter_stays_short_whatever_was_wrong(encoded, envelope, table, change):
    """It becomes a Kafka header of the record: a dead letter that is too large would be retried
    forever."""
    body = json.loads(envelope(SAVED[table]))
    for field, value in change.items():
        body[field] = {**body[field], **value} if isinstance(value, dict) else value
    _, poll = encoded(record(table, json.dumps(body).encode()))
    lengths = [len(letter.reason) for letter in poll.dead_letters]
    assert len(lengths) == 1
    assert lengths[0] < 2_000


ORDERS = DeclaredTable("orders", {"id": "int", "at": "timestamp", "v": "text"}, ("id", "at"), ("id",))
NINE, TEN = "2026-01-15T09:00:00Z", "2026-01-15T10:00:00Z"


def order(op, after=None, before=None, key=None, offset=0, ts_us=1_795_461_947_123_456):
    body = {"op": op, "before": before, "after": after, "source": {"ts_us": ts_us, "table": "orders"}}
    kafka_key = json.dumps(key or {"id": (after or before)["id"]}).encode()
    return Record("crypto.public.orders", 0, offset, kafka_key, json.dumps(body).encode(), [])


@pytest.fixture
def written(session):
    """(kind, key and values) per row of a table whose key in Cassandra is more than PostgreSQL's,
    and the reasons of dead letters by offset."""
    session.declare(ORDERS)
    encoder = RowEncoder(Statements(session, "crypto"))

    def write(*records):
        poll = Poll.parse({TopicPartition("crypto.public.orders", 0): list(records)}, table_of)
        rows = [(row.statement.kind, readable(row)) for row in encoder.rows(poll)]
        return rows, {letter.record.offset: letter.reason for letter in poll.dead_letters}

    return write


def readable(row):
    """The row's values without its version; unset ones are left out."""
    found = {}
    for column, value in zip(row.statement.prepared.column_metadata, row.values):
        if column.name != "[timestamp]" and value is not UNSET_VALUE:
            found[column.name] = column.type.from_binary(value, 5)
    return {**found, "at": found["at"].hour} if "at" in found else found


def test_update_that_moves_the_key_deletes_the_old_row(written):
    rows, letters = written(order("u", {"id": 1, "at": TEN, "v": "x"}, {"id": 1, "at": NINE, "v": "x"}))
    assert rows == [("delete", {"id": 1, "at": 9}), ("insert", {"id": 1, "at": 10, "v": "x"})]
    assert letters == {}


def test_delete_of_the_old_place_is_older_than_a_row_that_took_it_at_the_same_time(session):
    """Two rows of PostgreSQL that swap places in one transaction; of equal versions Cassandra would
    let the delete win."""
    session.declare(ORDERS)
    move = order("u", {"id": 1, "at": TEN, "v": "x"}, {"id": 1, "at": NINE, "v": "x"})
    poll = Poll.parse({TopicPartition("crypto.public.orders", 0): [move]}, table_of)
    delete, insert = RowEncoder(Statements(session, "crypto")).rows(poll)
    assert (delete.statement.kind, delete.version_us) == ("delete", insert.version_us - 1)


def test_update_that_leaves_the_key_deletes_nothing(written):
    rows, letters = written(order("u", {"id": 1, "at": TEN, "v": "y"}, {"id": 1, "at": TEN, "v": "x"}))
    assert rows == [("insert", {"id": 1, "at": 10, "v": "y"})]
    assert letters == {}


def test_update_that_may_have_moved_the_key_is_refused(written):
    rows, letters = written(order("u", {"id": 1, "at": TEN, "v": "x"}))
    assert rows == []
    assert "REPLICA IDENTITY FULL" in letters[0]


def test_moved_row_that_cannot_be_stored_leaves_the_old_one(written):
    rows, letters = written(order("u", {"id": 1, "at": TEN, "v": 5}, {"id": 1, "at": NINE, "v": "x"}))
    assert rows == []
    assert "orders.v=5" in letters[0]


def test_moved_row_without_all_its_values_is_refused(written):
    before = {"id": 1, "at": NINE}
    rows, letters = written(order("u", {"id": 1, "at": TEN, "v": UNAVAILABLE}, before))
    assert rows == []
    assert "without all of its values" in letters[0]


def test_delete_with_the_default_identity_is_refused_when_the_key_is_larger(written):
    rows, letters = written(order("d", before={"id": 1, "at": "1970-01-01T00:00:00Z", "v": None}))
    assert rows == []
    assert "key column at" in letters[0]
    assert "REPLICA IDENTITY FULL" in letters[0]


def test_delete_with_the_full_identity_deletes_the_row(written):
    rows, letters = written(order("d", before={"id": 1, "at": TEN, "v": "x"}))
    assert (rows, letters) == ([("delete", {"id": 1, "at": 10})], {})


def test_new_row_leaves_nulls_unset_and_an_update_writes_them(written):
    null = {"id": 1, "at": TEN, "v": None}
    key = {"id": 1, "at": TEN}
    rows, _ = written(order("c", null), order("u", null, key=key, offset=1), order("r", null, offset=2))
    assert [("v" in values, values.get("v")) for _, values in rows] == [(False, None), (True, None), (True, None)]


def test_key_with_microseconds_is_refused(written):
    rows, letters = written(order("c", {"id": 1, "at": "2026-01-15T10:00:00.123400Z", "v": "x"}))
    assert rows == []
    assert "orders.at='2026-01-15T10:00:00.123400Z'" in letters[0]


def test_table_that_cannot_be_written_refuses_all_its_records_at_once(session, written):
    asked = []
    session.prepare = lambda cql: asked.append(cql)
    session.declare(DeclaredTable("orders", {"id": "int", "hits": "counter"}, ("id",), ("id",)))
    rows, letters = written(*[order("c", {"id": number, "hits": 1}, offset=number) for number in range(50)])
    assert (rows, len(letters), asked) == ([], 50, [])
