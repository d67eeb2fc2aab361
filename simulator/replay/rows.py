"""One line of the exchange's archive files as a record, with its strings unchanged. Knows no files
and no clock."""

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from simulator.source import Reply
from simulator.times import in_ms

_BOOLEANS = {"true": True, "false": False}

CANDLE_COLUMNS = 12
TRADE_COLUMNS = 8


class BadRow(ValueError):
    """The line does not have the format of its file; the text says why."""


@dataclass(frozen=True, slots=True)
class Candle:
    """A recorded candle in the order of its columns; numbers are the recorded strings, times ms."""

    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    close_ms: int
    quote_volume: str
    trade_count: int
    taker_volume: str
    taker_quote_volume: str
    unused: str

    def shifted(self, shift_ms: int) -> "Candle":
        return replace(self, open_ms=self.open_ms + shift_ms, close_ms=self.close_ms + shift_ms)

    def wire(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]


@dataclass(frozen=True, slots=True)
class RecordedTrade:
    """A recorded aggregate trade; price and quantity are the recorded strings."""

    id: int
    price: str
    quantity: str
    first_raw_id: int
    last_raw_id: int
    time_ms: int
    buyer_is_maker: bool
    is_best_match: bool

    def shifted(self, shift_ms: int) -> "RecordedTrade":
        return replace(self, time_ms=self.time_ms + shift_ms)

    def wire(self) -> Reply:
        return dict(zip("apqflTmM", (getattr(self, name) for name in self.__slots__)))


def to_ms(text: str) -> int:
    """A time in ms, whether written in ms or µs. Raises BadRow."""
    return in_ms(_integer(text, "time"))


def parse_candle(fields: list[str]) -> Candle:
    """Raises BadRow if a field has the wrong form or the prices contradict each other."""
    _require_columns(fields, CANDLE_COLUMNS)
    for text in (*fields[1:6], fields[7], *fields[9:11]):
        _require_number(text)
    low, high = Decimal(fields[3]), Decimal(fields[2])
    if not all(low <= Decimal(price) <= high for price in (fields[1], fields[4])):
        raise BadRow("open or close lies outside low … high")
    open_ms, close_ms = to_ms(fields[0]), to_ms(fields[6])
    if close_ms < open_ms:
        raise BadRow(f"close time {close_ms} is before open time {open_ms}")
    count = _integer(fields[8], "number of trades")
    return Candle(
        open_ms=open_ms,
        open=fields[1],
        high=fields[2],
        low=fields[3],
        close=fields[4],
        volume=fields[5],
        close_ms=close_ms,
        quote_volume=fields[7],
        trade_count=count,
        taker_volume=fields[9],
        taker_quote_volume=fields[10],
        unused=fields[11],
    )


def parse_trade(fields: list[str]) -> RecordedTrade:
    """Raises BadRow if a field has the wrong form."""
    _require_columns(fields, TRADE_COLUMNS)
    _require_number(fields[1])
    _require_number(fields[2])
    ids = [_integer(fields[place], "id") for place in (0, 3, 4)]
    return RecordedTrade(
        ids[0], fields[1], fields[2], ids[1], ids[2], to_ms(fields[5]), _boolean(fields[6]), _boolean(fields[7])
    )


def _require_columns(fields: list[str], expected: int) -> None:
    if len(fields) != expected:
        raise BadRow(f"{len(fields)} columns, expected {expected}")


def _require_number(text: str) -> None:
    try:
        finite = Decimal(text).is_finite()
    except InvalidOperation:
        finite = False
    if not finite or text != text.strip():
        raise BadRow(f"{text!r} is not a decimal number")


def _integer(text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise BadRow(f"{text!r} is not a {what} (digits expected)")
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise BadRow(f"{text!r} is neither true nor false")
    return _BOOLEANS[text.lower()]
