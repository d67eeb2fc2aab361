"""What one poll brings: the newest state of each row, tracked symbols, the position after it."""

from collections import namedtuple

from kafka import TopicPartition

from pipeline.current.poll import batch_of
from pipeline.stream.row_versions import PartitionVersions
from pipeline.times import DAY_MS

Record = namedtuple("Record", "topic partition offset key value timestamp")
SENT_MS = 1_795_461_947_200


def batch(table, *values, key=b'{"symbol":"ETHUSDT"}', at=10):
    topic = TopicPartition(f"crypto.public.{table}", 0)
    records = [Record(topic.topic, 0, at + n, key, value, SENT_MS) for n, value in enumerate(values)]
    emptied = []
    found = batch_of(topic, table, at, records, PartitionVersions(lease=3), lambda *told: emptied.append(told))
    return found, emptied


def test_newest_state_of_a_row_and_the_position_after_it(envelope):
    created, updated = envelope("price_created"), envelope("price_updated")
    found, _ = batch("latest_prices", created, updated, updated.replace(b"2811.6", b"2811.7"))
    [(symbol, (version_us, row))] = found.rows.items()
    assert symbol == "ETHUSDT"
    assert b'"price":2811.7' in row
    assert version_us >= 1795461947123456
    assert (found.position, found.mark.next_offset, found.mark.lease, found.records) == (10, 13, 3, 3)
    assert len(found.commits) == 3


def test_delete_after_an_update_wins_and_one_before_it_does_not(envelope):
    deleted = envelope("price_deleted")
    updated = envelope("price_updated")
    assert [row for _, row in batch("latest_prices", updated, deleted)[0].rows.values()] == [b""]
    found, _ = batch("latest_prices", deleted, updated)
    assert b"2811.6" in found.rows["ETHUSDT"][1]


def test_record_that_holds_no_row_is_counted_and_passed(envelope):
    found, _ = batch("latest_prices", b"{", b"[]", None, envelope("price_updated"))
    assert list(found.rows) == ["ETHUSDT"]
    assert found.mark.next_offset == 14


def test_trade_marks_its_symbol_as_tracked_by_the_records_key_alone():
    found, _ = batch("recent_trades", b"not even JSON")
    assert found.rows == {}
    assert found.tracked == {"ETHUSDT": SENT_MS + 7 * DAY_MS}
    assert batch("klines", b"x")[0].tracked == {"ETHUSDT": SENT_MS + 90 * DAY_MS}


def test_key_that_names_no_symbol_tracks_nothing():
    for key in (None, b"", b"{}", b"[1]", b'{"symbol":7}', b'{"symbol":"eth usdt"}', b"\xff"):
        assert batch("klines", b"x", key=key)[0].tracked == {}


def test_truncate_removes_what_was_before_its_commit(envelope):
    """So that rows that follow in its transaction stay; those before it in this partition go."""
    truncated = envelope("truncated").replace(b'"klines"', b'"latest_prices"')
    found, emptied = batch("latest_prices", envelope("price_updated"), truncated)
    [(table, commit_us)] = emptied
    assert (table, found.truncated_us) == ("latest_prices", commit_us - 1)
    assert [row for _, row in found.rows.values()] == [b""]
