import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize("reply", [{"code": 1}, [[1]], [{"p": "1"}], [{"a": 1}, {"a": 2}], None])
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


def test_one_stale_newest_trade_is_no_restart(clock, caplog):
    trades, exchange = job(last_id=19), Newest(range(1, 20))
    trades.clock = clock
    trades.fetch(exchange)
    exchange.ids = list(range(1, 15))  # a replica that lags behind
    trades.stored(trades.fetch(exchange))
    exchange.ids = list(range(1, 20))
    for _ in range(3):
        trades.stored(trades.fetch(exchange))
    assert (trades.last_id, caplog.records) == (19, [])


class Odd(FakeExchange):
    """Some of its trades are odd, for as long as they are in `odd`: id → fields that differ."""

    def __init__(self, ids, odd):
        super().__init__(ids)
        self.odd = dict(odd)

    def get(self, path, params):
        return [{**each, **self.odd.get(each["a"], {})} for each in super().get(path, params)]


def poll(trades, exchange, times):
    seen = []
    for _ in range(times):
        fetched = trades.fetch(exchange)
        trades.stored(fetched)
        seen += ids_of(fetched)
    return seen


@pytest.mark.parametrize("odd", [{"p": None}, {"q": "-1"}, {"T": 0}, {"a": None}, {"a": "x"}, {"m": "false"}], ids=repr)
@pytest.mark.parametrize("place", [13, 15, 18, 19])
def test_odd_trade_neither_stops_nor_hides_the_others_and_is_no_gap(odd, place, caplog):
    if place == 19 and "a" in odd:
        return  # a reply without a single readable id is a bad one
    trades, exchange = job(last_id=12), Odd(range(1, 20), {place: odd})
    seen = poll(trades, exchange, 3)
    assert seen == [trade_id for trade_id in range(13, 20) if trade_id != place]
    assert trades.last_id == (18 if place == 19 else 19)
    exchange.ids.append(20)
    assert poll(trades, exchange, 1) == [20]
    assert [record.getMessage() for record in caplog.records] == ["row_rejected"]


def test_odd_trade_that_is_well_at_the_second_request_is_stored():
    trades, exchange = job(last_id=12), Odd(range(1, 20), {15: {"p": "abc"}})
    seen = poll(trades, exchange, 1)
    exchange.odd.clear()
    assert seen + poll(trades, exchange, 1) == list(range(13, 20))


def test_odd_trade_alone_waits_until_another_follows():
    trades, exchange = job(last_id=18), Odd(range(1, 20), {19: {"p": "abc"}})
    assert poll(trades, exchange, 5) == []
    assert trades.last_id == 18
    exchange.ids.append(20)
    assert poll(trades, exchange, 1) == [20]


def test_several_trades_that_are_all_odd_are_a_bad_reply_and_stay_to_be_fetched(caplog):
    """The exchange has changed: a version that knows the new shape must find them."""
    trades, exchange = job(last_id=10), Odd(range(1, 20), {n: {"p": "abc"} for n in range(20)})
    with pytest.raises(BadReply, match="ETHUSDT"):
        trades.fetch(exchange)
    exchange.odd.clear()
    assert poll(trades, exchange, 1) == list(range(11, 20))


ZERO = {"p": "0.00000000", "q": "0.00000000", "f": -1, "l": -1}


def test_trades_of_nothing_are_counted_passed_over_at_once_and_not_logged(caplog):
    before = metrics.REJECTED_ROWS.labels("trades")._value.get()
    trades = job(last_id=12)
    fetched = trades.fetch(Odd(range(1, 20), {13: ZERO, 16: {"q": "0"}, 19: ZERO}))
    trades.stored(fetched)
    assert ids_of(fetched) == [14, 15, 17, 18]
    assert (fetched.positions, trades.last_id, caplog.records) == ({"ETHUSDT": 19}, 19, [])
    assert metrics.REJECTED_ROWS.labels("trades")._value.get() == before + 3


def test_page_of_trades_of_nothing_moves_the_position():
    trades, exchange = job(last_id=0), Odd(range(1, MAX_PAGE + 3), dict.fromkeys(range(1, MAX_PAGE + 1), ZERO))
    fetched = trades.fetch(exchange)
    assert (fetched.batches, fetched.positions, fetched.again) == ([], {"ETHUSDT": MAX_PAGE}, True)
    trades.stored(fetched)
    assert poll(trades, exchange, 1) == [MAX_PAGE + 1, MAX_PAGE + 2]


ODDITIES = st.sampled_from([{"p": None}, {"a": None}, {"T": "soon"}, {"q": "0"}, ZERO, {"f": [1]}])


@given(odd=st.dictionaries(st.integers(1, 60), ODDITIES), missing=st.sets(st.integers(2, 59)))
def test_every_good_trade_is_stored_once_whatever_is_odd_or_missing_around_it(odd, missing):
    """The last trade is good: an odd one alone waits for the next."""
    ids = [trade_id for trade_id in range(1, 62) if trade_id not in missing]
    exchange, trades, seen = Odd(ids, odd), job(last_id=0), []
    for _ in range(2 + len(odd)):
        seen += poll(trades, exchange, 1)
    assert seen == [trade_id for trade_id in ids if trade_id not in odd]
    assert trades.last_id == 61
