import logging

import pytest

from pipeline.producer import metrics
from pipeline.producer.client import BadReply
from pipeline.producer.trades import MAX_PAGE, RECHECK_SECONDS, TradesJob
from pipeline.tables import TRADES

START_MS = 1_725_321_600_000


class FakeExchange:
    """An exchange with trades of these ids; asked for an id that is too old, it returns the oldest
    trades that it still has."""

    def __init__(self, ids):
        self.ids = list(ids)
        self.requested = []

    def get(self, path, params):
        assert path == "/api/v3/aggTrades"
        self.requested.append(params)
        ids = [trade_id for trade_id in self.ids if trade_id >= params.get("fromId", 0)]
        return [trade(trade_id) for trade_id in ids[: params["limit"]]]


def trade(trade_id):
    return {
        "a": trade_id,
        "p": "1.5",
        "q": "2",
        "f": trade_id * 3,
        "l": trade_id * 3 + 2,
        "T": START_MS + trade_id,
        "m": False,
    }


def job(last_id=None):
    return TradesJob(name="trades:ETHUSDT", symbol="ETHUSDT", start_ms=START_MS, last_id=last_id)


def ids_of(fetched):
    return [row["trade_id"] for batch in fetched.batches for row in batch.rows]


def counted(metric):
    return metric.labels("ETHUSDT")._value.get()


def test_first_start_requests_trades_from_the_backfill_time_on():
    exchange, first = FakeExchange(range(50, 60)), job()
    fetched = first.fetch(exchange)
    assert exchange.requested == [{"symbol": "ETHUSDT", "limit": MAX_PAGE, "startTime": START_MS}]
    assert ids_of(fetched) == list(range(50, 60))
    assert fetched.positions == {"ETHUSDT": 59}
    assert not fetched.again


def test_request_resumes_after_the_last_committed_id():
    exchange = FakeExchange(range(1, 20))
    fetched = job(last_id=12).fetch(exchange)
    assert exchange.requested == [{"symbol": "ETHUSDT", "limit": MAX_PAGE, "fromId": 13}]
    assert ids_of(fetched) == list(range(13, 20))


def test_what_was_not_committed_is_fetched_again():
    exchange, trades = FakeExchange(range(1, 20)), job(last_id=12)
    trades.fetch(exchange)
    trades.fetch(exchange)
    assert [requested["fromId"] for requested in exchange.requested] == [13, 13]
    trades.stored(trades.fetch(exchange))
    trades.fetch(exchange)
    assert exchange.requested[-1]["fromId"] == 20


def test_position_is_committed_with_the_rows_it_belongs_to():
    fetched = job(last_id=12).fetch(FakeExchange(range(1, 20)))
    (batch,) = fetched.batches
    assert batch.table is TRADES
    assert fetched.positions == {"ETHUSDT": batch.rows[-1]["trade_id"]}


def test_full_page_is_followed_by_the_next_at_once_until_all_are_there():
    exchange, trades, seen, again = FakeExchange(range(1, 2 * MAX_PAGE + 6)), job(last_id=0), [], True
    while again:
        fetched = trades.fetch(exchange)
        trades.stored(fetched)
        seen += ids_of(fetched)
        again = fetched.again
    assert seen == list(range(1, 2 * MAX_PAGE + 6))
    assert len(exchange.requested) == 3


def test_quiet_symbol_brings_nothing_and_keeps_its_place():
    trades = job(last_id=19)
    fetched = trades.fetch(FakeExchange(range(1, 20)))
    trades.stored(fetched)
    assert (fetched.batches, fetched.positions, fetched.again) == ([], {}, False)
    assert trades.last_id == 19


def test_trades_that_are_stored_already_are_not_written_again():
    class IgnoresFromId(FakeExchange):
        def get(self, path, params):
            return [trade(trade_id) for trade_id in self.ids]

    fetched = job(last_id=12).fetch(IgnoresFromId(range(10, 16)))
    assert ids_of(fetched) == [13, 14, 15]


def test_full_page_of_stored_trades_is_not_requested_again_without_end():
    class Stuck(FakeExchange):
        def get(self, path, params):
            return [trade(trade_id) for trade_id in range(1, MAX_PAGE + 1)]

    fetched = job(last_id=5000).fetch(Stuck([]))
    assert not fetched.again
    assert fetched.batches == []


def test_gap_is_reported_before_the_commit_and_once_however_often_it_is_fetched(caplog):
    """If it were reported after the commit, a crash in between would hide it: the next start
    continues behind the gap."""
    gaps, missing = counted(metrics.TRADE_GAPS), counted(metrics.TRADES_MISSING)
    trades = job(last_id=12)
    trades.fetch(FakeExchange(range(20, 23)))
    trades.stored(trades.fetch(FakeExchange(range(20, 25))))
    assert counted(metrics.TRADE_GAPS) == gaps + 1
    assert counted(metrics.TRADES_MISSING) == missing + 7
    (logged,) = caplog.records
    assert (logged.levelno, logged.symbol) == (logging.ERROR, "ETHUSDT")
    assert (logged.first_missing_id, logged.last_missing_id) == (13, 19)
    assert trades.last_id == 24


def test_gap_inside_a_page_is_reported_too(caplog):
    trades = job(last_id=12)
    trades.stored(trades.fetch(FakeExchange([13, 14, 17, 18, 20])))
    assert [(logged.first_missing_id, logged.last_missing_id) for logged in caplog.records] == [(15, 16), (19, 19)]


def test_trades_without_a_gap_and_a_first_start_report_nothing(caplog):
    first, next_one = job(), job(last_id=12)
    first.stored(first.fetch(FakeExchange(range(500, 510))))
    next_one.stored(next_one.fetch(FakeExchange(range(1, 20))))
    assert caplog.records == []


@pytest.mark.parametrize("reply", [{"code": 1}, [[1]], [{"a": 1}], None])
def test_reply_of_a_wrong_shape_is_a_bad_reply(reply):
    class Broken(FakeExchange):
        def get(self, path, params):
            return reply

    with pytest.raises(BadReply, match="trade_rows"):
        job().fetch(Broken([]))


def test_ids_that_do_not_ascend_are_a_bad_reply():
    class Shuffled(FakeExchange):
        def get(self, path, params):
            return [trade(trade_id) for trade_id in (13, 15, 14)]

    with pytest.raises(BadReply, match="ascend"):
        job(last_id=12).fetch(Shuffled([]))


class Newest(FakeExchange):
    """Like the exchange: without fromId and startTime it returns the newest trades, with startTime
    those since then."""

    def get(self, path, params):
        self.requested.append(params)
        ids = [trade_id for trade_id in self.ids if trade_id >= params.get("fromId", 0)]
        if "startTime" in params:
            ids = [trade_id for trade_id in ids if START_MS + 1000 + trade_id >= params["startTime"]]
        chosen = ids[: params["limit"]] if {"fromId", "startTime"} & params.keys() else ids[-params["limit"] :]
        return [{**trade(trade_id), "T": START_MS + 1000 + trade_id} for trade_id in chosen]


def test_trade_ids_that_started_again_are_logged_once_and_followed(clock, caplog):
    trades = job(last_id=5000)
    trades.clock = clock
    exchange = Newest(range(1, 8))
    seen = []
    for _ in range(4):
        fetched = trades.fetch(exchange)
        trades.stored(fetched)
        seen += ids_of(fetched)
    assert seen == list(range(1, 8))
    assert trades.last_id == 7
    (logged,) = caplog.records
    assert (logged.getMessage(), logged.last_id, logged.newest_id) == ("trade_ids_restarted", 5000, 7)


def test_quiet_symbol_is_rechecked_rarely_and_keeps_its_place(clock, caplog):
    trades, exchange = job(last_id=19), Newest(range(1, 20))
    trades.clock = clock
    for _ in range(100):
        trades.stored(trades.fetch(exchange))
        clock.now += 2
    newest = [requested for requested in exchange.requested if "fromId" not in requested]
    assert len(newest) == 1
    clock.now += RECHECK_SECONDS
    trades.fetch(exchange)
    trades.fetch(exchange)
    assert len([requested for requested in exchange.requested if "fromId" not in requested]) == 2
    assert (trades.last_id, caplog.records) == (19, [])
    exchange.ids.append(20)
    assert ids_of(trades.fetch(exchange)) == [20]
