import pytest

from pipeline.producer.client import BadReply
from pipeline.producer.jobs import CURRENT_SECONDS, BookJob, PricesJob, StatsJob, depth_weight, parse_reply
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
