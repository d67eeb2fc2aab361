import json

import pytest

from pipeline.changes import Truncation
from pipeline.errors import UnwritableRecord
from pipeline.stream.envelope import parse
from pipeline.stream.row_versions import SNAPSHOT_MARGIN_US
from pipeline.stream.unchanged_values import UNAVAILABLE

COMMIT_US = 1_795_461_947_123_456


@pytest.fixture
def altered(envelope):
    """A saved envelope with some of its fields replaced; a field given as `...` is left out. The
    name of its table is left out, so that it can be used for another one."""

    def make(case, **fields):
        saved = json.loads(envelope(case))
        del saved["source"]["table"]
        body = {**saved, **fields}
        return json.dumps({name: value for name, value in body.items() if value is not ...}).encode()

    return make


@pytest.mark.parametrize(
    ("case", "table", "deleted"),
    [
        ("kline_created_open", "klines", False),
        ("price_updated", "latest_prices", False),
        ("kline_deleted", "klines", True),
    ],
)
def test_streamed_change_takes_the_commit_time_as_version(envelope, case, table, deleted):
    change = parse(table, envelope(case))
    committed = json.loads(envelope(case))["source"]["ts_us"]
    assert (change.table, change.deleted) == (table, deleted)
    assert change.version_us == change.commit_us == committed


def test_create_and_update_carry_the_row_after_the_change(envelope):
    assert parse("klines", envelope("kline_created_open")).row["is_closed"] is False
    assert parse("klines", envelope("kline_updated_closed")).row["close_price"] == "2811.99"


def test_delete_carries_the_key_of_the_row_before_it(envelope):
    row = parse("klines", envelope("kline_deleted")).row
    assert (row["symbol"], row["interval"], row["open_time"]) == ("ETHUSDT", "1m", "2026-11-23T19:25:00.000000Z")


@pytest.mark.parametrize("case", ["price_snapshot_row", "price_incremental_snapshot_row", "trade_snapshot_row"])
def test_snapshot_row_counts_as_a_margin_older_than_the_snapshot(envelope, case):
    """Whatever times are in the row: `updated_at` may mean anything, and an update may leave it
    alone."""
    table = "recent_trades" if case.startswith("trade") else "latest_prices"
    change = parse(table, envelope(case))
    assert change.version_us == json.loads(envelope(case))["source"]["ts_us"] - SNAPSHOT_MARGIN_US
    assert change.commit_us == 0
    assert not change.deleted


def test_streamed_update_beats_an_older_snapshot_row_stamped_later(envelope, altered):
    """Measured: 18 of 50 rows had a streamed update with a smaller ts_us than the snapshot's."""
    source = json.loads(envelope("price_updated"))["source"]
    snapshot_us = COMMIT_US + 40_000
    old = parse("latest_prices", altered("price_snapshot_row", source={**source, "ts_us": snapshot_us}))
    new = parse("latest_prices", envelope("price_updated"))
    assert new.commit_us < snapshot_us
    assert new.version_us > old.version_us
    assert SNAPSHOT_MARGIN_US >= 10_000_000


@pytest.mark.parametrize("own", ["2099-01-01T00:00:00Z", "yesterday", None, COMMIT_US])
def test_times_in_a_snapshot_row_are_not_read(altered, own):
    change = parse("offers", altered("price_snapshot_row", after={"id": 7, "updated_at": own}))
    assert change.version_us == COMMIT_US - SNAPSHOT_MARGIN_US


def test_streamed_change_carries_its_place_in_postgresqls_log(envelope):
    change = parse("latest_prices", envelope("price_updated"))
    assert (change.lsn, change.transaction) == (26914784, 771)


def test_tombstone_is_neither_a_change_nor_an_error():
    assert parse("klines", None) is None


def test_logical_message_holds_no_row(envelope):
    assert parse("klines", envelope("logical_message")) is None


def test_truncate_carries_its_place_in_postgresqls_log(envelope):
    assert parse("klines", envelope("truncated")) == Truncation("klines", COMMIT_US, 26914784, 771)


def test_unknown_operation_is_a_dead_letter_and_not_dropped(altered):
    """Truncate and message are known to hold no row; an unknown operation may hold one, which must
    not be lost."""
    for op in ("x", "", "cu", "curd", "C", "text"):
        with pytest.raises(UnwritableRecord):
            parse("klines", altered("kline_created_open", op=op))


@pytest.mark.parametrize(
    "value",
    [b"", b"not json", b"{", b"\xff\xfe", b'{"op": "c"', b"nan"],
    ids=["empty", "text", "cut", "not utf-8", "unfinished", "nan"],
)
def test_value_that_is_not_json_is_unwritable(value):
    with pytest.raises(UnwritableRecord, match="not JSON"):
        parse("klines", value)


@pytest.mark.parametrize("value", [b"null", b"[]", b"5", b'"op"', b"true", b"{}", b'{"after": {}}', b'[{"op": "c"}]'])
def test_json_that_is_not_an_envelope_is_unwritable(value):
    with pytest.raises(UnwritableRecord):
        parse("klines", value)


@pytest.mark.parametrize("field", ["op", "source", "after"])
@pytest.mark.parametrize("wrong", [..., None, 5, [], True], ids=str)
def test_envelope_with_a_missing_or_wrong_field_is_unwritable(altered, field, wrong):
    with pytest.raises(UnwritableRecord):
        parse("klines", altered("kline_created_open", **{field: wrong}))


@pytest.mark.parametrize("wrong", [..., None, 5, [], "text"], ids=str)
def test_delete_without_the_row_before_it_is_unwritable(altered, wrong):
    with pytest.raises(UnwritableRecord):
        parse("klines", altered("kline_deleted", before=wrong))


@pytest.mark.parametrize("wrong", ["5", [], {}, 1.5, None], ids=str)
def test_position_that_is_no_number_is_left_out(envelope, altered, wrong):
    source = json.loads(envelope("price_updated"))["source"]
    change = parse("latest_prices", altered("price_updated", source={**source, "lsn": wrong, "txId": wrong}))
    assert (change.lsn, change.transaction) == (None, None)


@pytest.mark.parametrize("ts_us", [None, "soon", [], {}, 0, -(2**63), 2**62], ids=str)
def test_change_without_a_time_is_unwritable(altered, ts_us):
    with pytest.raises(UnwritableRecord):
        parse("klines", altered("kline_created_open", source={"ts_us": ts_us}))


def test_flattened_record_without_an_envelope_is_unwritable():
    with pytest.raises(UnwritableRecord, match="not a Debezium envelope"):
        parse("klines", b'{"symbol": "ETHUSDT", "interval": "1m", "price": "1.0"}')


def test_envelope_that_is_wrapped_with_its_schema_is_understood(envelope):
    """value.converter.schemas.enable=true."""
    wrapped = json.dumps({"schema": {"type": "struct"}, "payload": json.loads(envelope("price_updated"))}).encode()
    assert parse("latest_prices", wrapped) == parse("latest_prices", envelope("price_updated"))
    assert parse("latest_prices", b'{"schema": null, "payload": null}') is None


@pytest.mark.parametrize("value", [b'{"id": 1}', b'{"schema": {}, "payload": {"id": 1}}', b"Obj\x01avro"])
def test_record_of_another_converter_is_unwritable_and_says_what_to_set(value):
    with pytest.raises(UnwritableRecord, match=r"value\.converter=org\.apache\.kafka\.connect\.json\.JsonConverter"):
        parse("klines", value)


def test_change_of_another_table_on_the_same_topic_is_unwritable():
    """b$orders and b_orders share the topic crypto.public.b_orders."""
    value = b'{"op": "c", "before": null, "after": {"id": 1}, "source": {"ts_us": 1, "table": "b$orders"}}'
    with pytest.raises(UnwritableRecord, match=r"table b\$orders on the topic of b_orders.*RENAME"):
        parse("b_orders", value)


@pytest.mark.parametrize("op", ["c", "u", "d", "r"])
def test_operation_key_and_state_before_are_passed_on_for_a_table_of_the_users(op):
    row, before = {"id": 1, "v": "new"}, {"id": 1, "v": "old"}
    value = json.dumps({"op": op, "before": before, "after": row, "source": {"ts_us": 9}}).encode()
    change = parse("orders", value, b'{"id":1}')
    assert (change.op, change.row) == (op, before if op == "d" else row)
    assert change.before == (before if op == "u" else None)
    if op != "r":
        assert change.kafka_key == b'{"id":1}'


def test_unavailable_value_placeholder_is_dropped_and_the_other_columns_kept(envelope):
    row = parse("notes", envelope("note_with_toasted_column_left_alone")).row
    assert row == {"id": 7, "title": "new title", "updated_at": "2026-11-23T19:25:47.100000Z"}


def test_text_that_only_contains_the_placeholder_is_kept(altered):
    text = f"why is {UNAVAILABLE} in my topic?"
    assert parse("notes", altered("price_created", after={"id": 7, "body": text})).row["body"] == text


def test_placeholder_of_an_array_column_is_dropped_too(altered):
    """Debezium writes an unchanged TOASTed text[] as an array that holds the placeholder."""
    row = parse("notes", altered("price_updated", after={"id": 7, "tags": [UNAVAILABLE]})).row
    assert "tags" not in row


@pytest.mark.parametrize("wrong", [None, 5, [], "text"], ids=str)
def test_placeholder_elsewhere_does_not_hide_a_missing_row(altered, wrong):
    with pytest.raises(UnwritableRecord):
        parse("notes", altered("note_with_toasted_column_left_alone", after=wrong, before={"body": UNAVAILABLE}))
