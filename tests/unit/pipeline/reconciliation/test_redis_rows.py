"""Rows of Redis in the form in which they are compared."""

import pytest
from redis import Redis

from pipeline.reconciliation.expectation import UNWRITABLE
from pipeline.reconciliation.filled_redis import FilledRedis
from pipeline.reconciliation.redis_rows import RedisExpectation, RedisTable
from pipeline.redis_keys import Keys

PRICE = {"symbol": "AUSDT", "price": "0.00000010", "updated_at": "2026-01-15T08:00:00.123456Z"}
TIME_MS = 1_768_464_000_123


def table(name: str = "latest_prices") -> RedisTable:
    return RedisTable(FilledRedis(Redis(), Keys("crypto")), name)


def expected(row: dict, name: str = "latest_prices") -> tuple:
    stored = table(name)
    (found,) = RedisExpectation(name, stored).expected([(row, False)])
    return found.row


def stored(text: str, field: str = "AUSDT") -> tuple:
    return table().row(field.encode(), text.encode())


@pytest.mark.parametrize("price", ["0.00000010", "1.0E-7", "10e-8"])
def test_the_same_digits_are_equal_however_they_are_written(price: str) -> None:
    assert stored(f'{{"symbol":"AUSDT","price":{price},"updated_at":{TIME_MS}}}') == expected(PRICE)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"symbol":"AUSDT","price":0.0000001,"updated_at":{TIME_MS}}}',  # a digit less
        f'{{"symbol":"AUSDT","price":0.00000011,"updated_at":{TIME_MS}}}',
        f'{{"symbol":"AUSDT","price":"0.00000010","updated_at":{TIME_MS}}}',
        f'{{"symbol":"AUSDT","price":null,"updated_at":{TIME_MS}}}',
        f'{{"symbol":"AUSDT","price":0.00000010,"updated_at":{TIME_MS + 1}}}',
        f'{{"symbol":"BUSDT","price":0.00000010,"updated_at":{TIME_MS}}}',
        f'{{"symbol":"AUSDT","price":0.00000010,"updated_at":{TIME_MS},"more":1}}',
        '{"symbol":"AUSDT","price":0.00000010}',
        '{"symbol":"AUSDT","price":NaN,"updated_at":1}',
        '{"symbol":"\\ud800","price":1.0,"updated_at":1}',
        '{"symbol":"AUSDT","price":1e99999999999999999999,"updated_at":1}',
        '{"symbol":"AUSDT","price":[1.5],"updated_at":1}',
        "[" * 100_000,
        "",
        "7",
        "not JSON",
    ],
)
def test_any_other_text_is_different_and_can_be_shown(text: str) -> None:
    found, right = stored(text), expected(PRICE)
    assert found != right
    assert len(found) == len(right)
    columns = table().columns
    shown = [table().value(name, cell) for name, cell in zip(columns, found)]
    assert shown[0] == "AUSDT"
    assert shown[-1] in (None, text)


def test_values_are_shown_with_their_digits_and_times() -> None:
    shown = [str(table().value(name, cell)) for name, cell in zip(table().columns, expected(PRICE))]
    assert shown == ["AUSDT", "1.0E-7", "2026-01-15T08:00:00.123000Z", "None"]


def test_of_a_book_the_best_levels_are_compared() -> None:
    book = {"symbol": "AUSDT", "last_update_id": 7, "bids": '[["1.50", "2"], ["1", "9"]]', "asks": "[]"}
    found = expected(book | {"updated_at": PRICE["updated_at"]}, "order_book")
    assert found[1:6] == (b"7", b"1.50", b"2.0", None, None)


def test_the_key_of_the_data_source_is_a_number_and_a_field() -> None:
    source = {"id": 1, "name": "Binance", "base_url": "https://…", "updated_at": PRICE["updated_at"]}
    assert expected(source, "data_source")[:2] == (b"1", b'"Binance"')


def test_a_row_that_redis_can_never_hold_is_known_as_such() -> None:
    assert expected(PRICE | {"price": "1" + "0" * 400}) is UNWRITABLE


def test_a_field_that_is_no_text_of_postgres_can_be_asked_for() -> None:
    assert table().value("symbol", b"\xff\x00A") == "\ufffd\ufffdA"
