import pytest

from pipeline.live.channels import FIELDS, UNUSABLE_ROW, all_channels, can_be_pushed, channel, points
from pipeline.live.line_protocol import line
from tests.support.live.received import Received
from tests.unit.pipeline.live.changes import BTC, book, candle, price, trade

BOOK = '[["95423.58","1.5"],["95423.50","2"]]', '[["95423.61","0.3"]]'


def said(*changes) -> Received:
    found = Received("crypto")
    for at, each in enumerate(changes):
        for point in points(each):
            found.message(line(point.series, point.fields, 1795689276310 + at))
    return found


def test_price_is_said_on_the_symbols_channel_and_on_that_of_all() -> None:
    found = said(price("95478.61"))
    assert found.value("price_BTCUSDT", "price") == found.value("prices", "price", BTC) == 95478.61


def test_book_says_best_prices_and_their_exact_difference() -> None:
    found = said(book(*BOOK))
    assert [found.value("book_BTCUSDT", field) for field in FIELDS["book"]] == [95423.58, 95423.61, 0.03]


@pytest.mark.parametrize(("bids", "asks"), [("[]", BOOK[1]), (BOOK[0], "[]"), ("[]", "[]")])
def test_book_with_an_empty_side_says_nothing(bids: str, asks: str) -> None:
    assert points(book(bids, asks)) == []


def test_trade_names_the_side_of_the_taker() -> None:
    found = said(trade(1, sold=True), trade(2))
    assert [row.fields["side"] for row in found.rows] == ["sold", "bought"]


def test_candle_is_that_of_a_minute() -> None:
    found = said(candle(), candle(interval="1h"))
    assert [found.value("candle_BTCUSDT", field) for field in FIELDS["candle"]] == [1, 4, 0.5, 3.5, 12, 7]
    assert len(found.rows) == 1


def test_correction_of_an_earlier_candle_is_older_than_the_open_one() -> None:
    (opened,), (corrected,) = (
        points(candle("2026-11-26T10:01:00Z", version=1)),
        points(candle("2026-11-26T10:00:00Z", version=2)),
    )
    assert corrected.order < opened.order


def test_every_channel_has_the_documented_fields() -> None:
    found = said(price("1"), book(*BOOK), trade(1), candle())
    assert {row.channel: tuple(row.fields) for row in found.rows} == {
        name: FIELDS[name.split("_")[0]] for name in all_channels([BTC])
    }
    assert found.complaints == []


def test_deleted_row_removes_the_value() -> None:
    assert [point.fields for point in points(price("1", deleted=True))] == [None, None]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "", None, "1,5", "__debezium_unavailable_value", [1]])
def test_row_without_a_presentable_number_is_unusable(text: object) -> None:
    with pytest.raises(UNUSABLE_ROW):
        points(price(text))  # type: ignore[arg-type]


@pytest.mark.parametrize("levels", ["", "{}", '[["x","1"]]', "[[]]", "null", "[1]", None])
def test_book_of_anything_else_is_unusable_or_says_nothing(levels: object) -> None:
    try:
        assert points(book(levels, BOOK[1])) == []  # type: ignore[arg-type]
    except UNUSABLE_ROW:
        pass


def test_symbol_of_another_script_has_a_channel_of_its_own() -> None:
    found = said(price("0.2", symbol="币安人生USDT"), price("0.3", symbol="币安USDT"))
    assert found.complaints == []
    assert found.value(channel("price", "币安人生USDT"), "price") == 0.2
    assert found.value("prices", "price", "币安USDT") == 0.3


def test_symbol_whose_channel_would_be_too_long_cannot_be_pushed() -> None:
    assert can_be_pushed("A" * 20)
    assert not can_be_pushed("币" * 20)
