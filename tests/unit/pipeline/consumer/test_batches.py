import json

import pytest
from cassandra.query import UNSET_VALUE

from pipeline.changes import DELETE, INSERT, UPDATE, Change, Write
from pipeline.consumer.batches import MAX_BATCH_BYTES, MAX_ROWS, batches, newest
from pipeline.consumer.statements import Statements
from pipeline.stream.envelope import parse
from pipeline.transformations import transform
from tests.unit.support.ddl import DeclaredTable
from tests.unit.support.fake_cassandra import FakeSession

NOTES_COLUMNS = {"id": "int", "title": "text", "body": "text", "updated_at": "timestamp"}
NOTES = DeclaredTable("notes", NOTES_COLUMNS, key=("id",), partition=("id",))


@pytest.fixture
def make():
    """Encoded rows, as the consumer makes them."""
    session = FakeSession()
    session.declare(NOTES)
    statements = Statements(session, "crypto")

    def versioned(write, version_us=1, position=0, source=None):
        statement = statements.statement(write.table, write.kind)
        return statement.encode([write.row], [version_us], [position], source or write.table)[0]

    return versioned


def candle(open_time=0, symbol="ETHUSDT", kind=INSERT, **columns):
    return Write("klines", kind, {"symbol": symbol, "interval": "1m", "open_time": open_time * 1000, **columns})


def values(row):
    return dict(zip(row.statement.prepared.names, row.values, strict=True))


def test_several_changes_of_a_row_leave_the_newest(make):
    rows = [make(candle(), 5, 0), make(candle(), 9, 1), make(candle(), 7, 2)]
    assert [(row.version_us, row.position) for row in newest(rows)] == [(9, 1)]


def test_of_equal_versions_the_later_record_wins(make):
    rows = [make(candle(volume="1"), 5, 0), make(candle(volume="2"), 5, 1)]
    (kept,) = newest(rows)
    assert (kept.position, values(kept)["volume"]) == (1, values(rows[1])["volume"])


def test_delete_after_insert_in_one_transaction_wins(make):
    rows = [make(candle(), 5, 0), make(candle(kind=DELETE), 5, 1)]
    assert [row.statement.kind for row in newest(rows)] == [DELETE]


def test_insert_after_delete_in_one_transaction_wins(make):
    rows = [make(candle(kind=DELETE), 5, 0), make(candle(), 5, 1)]
    assert [(row.statement.kind, row.version_us) for row in newest(rows)] == [(DELETE, 4), (INSERT, 5)]


def test_older_delete_that_is_delivered_late_loses(make):
    rows = [make(candle(), 9, 0), make(candle(kind=DELETE), 5, 1)]
    assert [(row.statement.kind, row.version_us) for row in newest(rows)] == [(DELETE, 5), (INSERT, 9)]


def merged(rows):
    """What Cassandra holds of the one row after these writes: per column the value of the largest
    version; a delete hides what is not newer."""
    cells, deleted_us = {}, 0
    for row in rows:
        if row.statement.kind == DELETE:
            deleted_us = max(deleted_us, row.version_us)
            continue
        for name, value in values(row).items():
            if value is not UNSET_VALUE and row.version_us > cells.get(name, (0, None))[0]:
                cells[name] = (row.version_us, value)
    return {name: value for name, (version_us, value) in cells.items() if version_us > deleted_us and value is not None}


@pytest.mark.parametrize("stored_before", [1, 2], ids=["in an earlier poll", "in the same poll"])
def test_row_deleted_and_created_again_keeps_nothing_of_the_old_one(make, stored_before):
    """The new row leaves its nulls unset, so the delete between must be written."""
    old = make(candle(volume="1"), 3, 0)
    again = [make(candle(kind=DELETE), 5, 1), make(candle(close_price="2"), 6, 2)]
    written = newest([old, *again] if stored_before == 2 else again)
    assert merged([old, *written]) == merged([old, *again])
    assert "volume" not in merged([old, *written])


def test_delete_is_not_written_beside_a_newest_state_that_sets_every_column(make, envelope):
    full = json.loads(envelope("kline_created_open"))["after"]
    key = {name: full[name] for name in ("symbol", "interval", "open_time")}
    rows = [make(Write("klines", DELETE, key), 5, 0), make(Write("klines", INSERT, full), 6, 1)]
    assert [row.statement.kind for row in newest(rows)] == [INSERT]


def test_different_rows_are_all_kept_in_order(make):
    rows = [make(candle(time), 1, time) for time in range(5)]
    assert newest(rows) == rows


def test_price_and_statistics_of_a_symbol_do_not_replace_each_other(make):
    key = {"quote_asset": "USDT", "symbol": "ETHUSDT"}
    rows = [
        make(Write("market_now", UPDATE, {**key, "price": "1"}), 5, 0, "latest_prices"),
        make(Write("market_now", UPDATE, {**key, "volume": "1"}), 6, 1, "crypto_24h_stats"),
    ]
    assert newest(rows) == rows


def test_column_left_out_of_the_newer_change_keeps_the_value_of_the_older(make, envelope):
    """An insert with a large text and, in the same poll, an update that does not touch it: the
    update arrives without the TOASTed column. Writing only the newest state would lose the text
    forever."""
    created = Change("notes", False, {"id": 7, "title": "old", "body": "long text", "updated_at": 1}, 5, 5)
    updated = parse("notes", envelope("note_with_toasted_column_left_alone"))
    rows = [
        make(write, change.version_us, position)
        for position, change in enumerate((created, updated))
        for write in transform(change)
    ]
    stored = {}
    for row in newest(rows):
        stored.update({name: value for name, value in values(row).items() if value is not UNSET_VALUE})
    assert (stored["title"], stored.get("body")) == (b"new title", b"long text")


def test_nothing_to_write_makes_no_batch():
    assert newest([]) == []
    assert list(batches([])) == []


def test_batch_holds_rows_of_one_partition_only(make):
    rows = [make(candle(time, symbol)) for time in range(3) for symbol in ("ETHUSDT", "BTCUSDT")]
    made = list(batches(rows))
    assert [len({row.partition for row in batch}) for batch in made] == [1, 1]
    assert sorted(len(batch) for batch in made) == [3, 3]


def test_batch_holds_rows_of_one_statement_only(make):
    rows = [make(candle(1)), make(candle(2, kind=DELETE)), make(candle(3))]
    assert sorted(len(batch) for batch in batches(rows)) == [1, 2]


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (MAX_ROWS, [MAX_ROWS]), (2 * MAX_ROWS + 1, [MAX_ROWS, MAX_ROWS, 1])]
)
def test_batch_is_bounded_by_rows(make, count, sizes):
    assert [len(batch) for batch in batches(make(candle(time)) for time in range(count))] == sizes


def test_batch_is_bounded_by_bytes(make):
    row = {"id": 7, "body": "x" * (MAX_BATCH_BYTES // 3)}
    rows = [make(Write("notes", INSERT, row), version) for version in range(7)]
    made = list(batches(rows))
    assert all(sum(row.size_bytes for row in batch) <= MAX_BATCH_BYTES for batch in made)
    assert [len(batch) for batch in made] == [2, 2, 2, 1]


def test_row_larger_than_the_bound_goes_alone(make):
    large = Write("notes", INSERT, {"id": 7, "body": "x" * (2 * MAX_BATCH_BYTES)})
    small = Write("notes", INSERT, {"id": 7, "body": "x"})
    assert [len(batch) for batch in batches([make(small), make(large), make(small)])] == [1, 1, 1]


def test_every_row_is_in_exactly_one_batch(make):
    rows = [make(candle(time, symbol)) for time in range(450) for symbol in ("ETHUSDT", "BTCUSDT")]
    spread = [row for batch in batches(rows) for row in batch]
    assert sorted(map(id, spread)) == sorted(map(id, rows))
