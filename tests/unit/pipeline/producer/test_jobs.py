import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UnknownSymbol
from pipeline.producer import metrics
from pipeline.producer.client import BadReply
from pipeline.producer.jobs import (
    CURRENT_SECONDS,
    RESTART_REPLIES,
    BookIds,
    BookJob,
    PricesJob,
    StatsJob,
    TrackedPricesJob,
    depth_weight,
    parse_reply,
)
from pipeline.producer.left_out import MAX_LINES_PER_REPLY
from pipeline.tables import BOOKS, PRICES


class FakeExchange:
    def __init__(self, reply):
        self.reply = reply
        self.requested = []

    def get(self, path, params=None):
        self.requested.append((path, params))
        return self.reply


def test_prices_of_the_whole_market_are_one_request_without_parameters():
    exchange = FakeExchange([{"symbol": "ETHUSDT", "price": "1"}, {"symbol": "ETHBTC", "price": "2"}])
    fetched = PricesJob(wanted=frozenset({"ETHUSDT"})).fetch(exchange)
    assert exchange.requested == [("/api/v3/ticker/price", None)]
    assert fetched.batches[0].table is PRICES
    assert [row["symbol"] for row in fetched.batches[0].rows] == ["ETHUSDT"]


def test_prices_of_the_tracked_symbols_are_requested_by_name():
    exchange = FakeExchange([{"symbol": "BTCUSDT", "price": "1"}, {"symbol": "ETHUSDT", "price": "2"}])
    fetched = TrackedPricesJob(wanted=frozenset({"ETHUSDT", "BTCUSDT"})).fetch(exchange)
    assert exchange.requested == [("/api/v3/ticker/price", {"symbols": '["BTCUSDT","ETHUSDT"]'})]
    assert [row["symbol"] for row in fetched.batches[0].rows] == ["BTCUSDT", "ETHUSDT"]


def test_tracked_symbol_that_was_delisted_takes_no_price_from_the_others():
    class Refusing(FakeExchange):
        def get(self, path, params=None):
            super().get(path, params)
            if params:
                raise UnknownSymbol("-1121")
            return self.reply

    exchange = Refusing([{"symbol": "BTCUSDT", "price": "1"}, {"symbol": "XRPUSDT", "price": "2"}])
    fetched = TrackedPricesJob(wanted=frozenset({"BTCUSDT", "GONEUSDT"})).fetch(exchange)
    assert [row["symbol"] for row in fetched.batches[0].rows] == ["BTCUSDT"]


def test_book_is_requested_and_written_with_the_levels_of_the_setting():
    levels = [[str(100 - n), "1"] for n in range(10)]
    exchange = FakeExchange({"lastUpdateId": 5, "bids": levels, "asks": levels})
    fetched = BookJob(name="order_book:X", weight=5, symbol="X", levels=3).fetch(exchange)
    assert exchange.requested == [("/api/v3/depth", {"symbol": "X", "limit": 3})]
    assert fetched.batches[0].table is BOOKS
    assert len(fetched.batches[0].rows[0]["bids"]) == 3


@pytest.mark.parametrize(("levels", "weight"), [(1, 5), (20, 5), (100, 5), (101, 25), (500, 25), (501, 50), (1000, 50)])
def test_weight_of_a_book_grows_with_its_levels_as_documented(levels, weight):
    assert depth_weight(levels) == weight


def test_weights_match_the_exchanges_document():
    assert PricesJob().weight == 4
    assert StatsJob().weight == 80


def test_current_values_must_not_wait_long_for_postgresql():
    for job in (StatsJob(), PricesJob(), BookJob(name="b", weight=5, symbol="X", levels=1)):
        assert job.max_age_seconds == CURRENT_SECONDS


def price(symbol, value="1"):
    return {"symbol": symbol, "price": value}


def rejected(kind):
    return metrics.REJECTED_ROWS.labels(kind)._value.get()


def test_odd_symbol_is_counted_each_time_and_logged_once_until_it_is_well_again(caplog):
    caplog.set_level(logging.INFO)
    job, before = PricesJob(wanted=frozenset({"A", "B"})), rejected("price")
    for value in (None, "-1", "1", "NaN"):
        fetched = job.fetch(FakeExchange([price("A"), price("B", value)]))
        assert [row["symbol"] for row in fetched.batches[0].rows] == (["A", "B"] if value == "1" else ["A"])
    assert rejected("price") == before + 3
    logged = [(record.getMessage(), record.kind, record.symbol) for record in caplog.records]
    events = ("row_rejected", "row_accepted_again", "row_rejected")
    assert logged == [(event, "price", "B") for event in events]
    assert "price" in caplog.records[0].error


def test_many_odd_symbols_at_once_make_few_lines(caplog):
    symbols = [f"S{n}" for n in range(100)]
    job = PricesJob(wanted=frozenset({"A", *symbols}))
    for _ in range(2):
        job.fetch(FakeExchange([price("A"), *(price(symbol, None) for symbol in symbols)]))
    assert len(caplog.records) == MAX_LINES_PER_REPLY + 1
    assert caplog.records[-1].more_symbols == 90


@pytest.mark.parametrize("reply", [[5], ["text"], [None], [[]], [{}], [price("A", None)], [price("A", None), 5]])
def test_reply_of_which_nothing_is_usable_is_a_bad_reply(reply):
    with pytest.raises(BadReply, match="price_rows"):
        PricesJob(wanted=frozenset({"A"})).fetch(FakeExchange(reply))


def test_statistics_without_a_field_for_every_symbol_are_a_bad_reply():
    with pytest.raises(BadReply, match="stats_rows"):
        StatsJob(wanted=frozenset({"A", "B"})).fetch(FakeExchange([{"symbol": "A"}, {"symbol": "B"}]))


def book_job(newest=None):
    return BookJob(name="order_book:X", weight=5, symbol="X", levels=3, ids=BookIds(newest))


def poll(job, update_id):
    """Fetch a book with this id and commit it. Returns its batch, if there is one."""
    fetched = job.fetch(FakeExchange({"lastUpdateId": update_id, "bids": [["1", "2"]], "asks": []}))
    job.stored(fetched)
    return fetched.batches[0] if fetched.batches else None


def test_odd_book_is_named_and_left_out_and_the_request_succeeds(caplog):
    job = book_job()
    fetched = job.fetch(FakeExchange({"lastUpdateId": 5, "bids": None, "asks": []}))
    assert fetched.batches == []
    assert (caplog.records[0].getMessage(), caplog.records[0].symbol) == ("row_rejected", "X")


@pytest.mark.parametrize("stale", [[12], [12, 11], [12, 12]])
def test_stale_books_are_not_written(stale, caplog):
    job = book_job(newest=100)
    assert [poll(job, each) for each in stale] == [None] * len(stale)
    batch = poll(job, 101)
    assert (batch.unconditional, batch.rows[0]["last_update_id"]) == (False, 101)
    assert [poll(job, each) for each in stale] == [None] * len(stale)
    assert caplog.records == []


@pytest.mark.parametrize("ids", [[12, 13, 14], [12, 12, 12], [0, 5, 99]])
def test_books_whose_ids_began_again_are_written_and_it_is_logged_once(ids, caplog):
    job = book_job(newest=100)
    assert [poll(job, each) for each in ids[:2]] == [None, None]
    assert poll(job, ids[2]).unconditional
    assert not poll(job, ids[2] + 1).unconditional
    (logged,) = caplog.records
    assert (logged.getMessage(), logged.last_id, logged.new_id) == ("book_ids_restarted", 100, ids[2])


def test_books_that_go_down_each_time_are_no_restart():
    job = book_job(newest=100)
    assert [poll(job, each) for each in (50, 40, 30, 20, 10)] == [None] * 5


def test_restart_that_was_not_committed_is_found_again(caplog):
    job = book_job(newest=100)
    for update_id in (12, 13):
        poll(job, update_id)
    for _ in range(2):
        fetched = job.fetch(FakeExchange({"lastUpdateId": 14, "bids": [["1", "2"]], "asks": []}))
        assert fetched.batches[0].unconditional
    assert caplog.records == []
    job.stored(fetched)
    assert len(caplog.records) == 1


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(0, 30))
def test_book_is_never_replaced_by_fewer_lower_ids_than_a_restart_takes(ids, newest):
    job, lower = book_job(newest), 0
    for update_id in ids:
        lower = lower + 1 if update_id < newest else 0
        batch = poll(job, update_id)
        if update_id < newest and batch is not None:
            assert lower >= RESTART_REPLIES
        if batch is not None:
            newest, lower = update_id, 0


@pytest.mark.parametrize("error", [KeyError("a"), TypeError("b"), ValueError("c"), IndexError("d")])
def test_wrong_shape_is_a_bad_reply_that_keeps_its_cause(error):
    def price_rows():
        raise error

    with pytest.raises(BadReply, match=r"price_rows: wrong shape") as caught:
        parse_reply(price_rows)
    assert caught.value.__cause__ is error


def test_bug_in_our_code_is_not_a_bad_reply():
    def price_rows():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        parse_reply(price_rows)
