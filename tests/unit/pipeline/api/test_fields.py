from pipeline.api.fields import text, with_fields
from pipeline.api.instruments import Instrument

BTC = Instrument(tick_size=0.01, step_size=0.00001)
ROW = {"symbol": "BTCUSDT", "price": 95423.6, "quantity": 0.5, "quote_quantity": 47711.8}


def fields(*names, row=ROW, instrument=BTC):
    (found,) = with_fields([row], names, lambda symbol: instrument)
    return found


def test_row_has_the_requested_columns_alone_in_their_order():
    assert list(fields("price", "symbol").items()) == [("price", 95423.6), ("symbol", "BTCUSDT")]


def test_column_that_a_row_lacks_is_null():
    assert fields("trade_id", "trade_id_text") == {"trade_id": None, "trade_id_text": None}


def test_prices_as_text_have_separators_and_all_decimals_of_the_tick_size():
    assert fields("price_text", "quantity_text") == {"price_text": "95,423.60", "quantity_text": "0.50000"}


def test_number_without_a_known_step_is_shown_as_it_is():
    assert fields("price_text", instrument=Instrument()) == {"price_text": "95,423.6"}
    assert fields("quote_quantity_text") == {"quote_quantity_text": "47,711.8"}


def test_text_never_hides_a_digit_or_uses_an_exponent():
    assert text(95423.615, 2) == "95,423.615"
    assert text(1e-8, 2) == "0.00000001"
    assert text(1234567.0, 0) == "1,234,567"
    assert text(-1234.5, 2) == "-1,234.50"
