"""What the exchange says of one symbol, page by page, beside what PostgreSQL has in the same
stretch: trades by id, closed candles by open time. Knows the endpoints and SQL; judges nothing.

Only what the producer has passed is asked for: up to the last trade that it has committed, and up
to the newest candle that it knows as closed. What it has not fetched yet is no difference."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor

from pipeline.producer.batch import Row
from pipeline.producer.jobs import parse_reply
from pipeline.producer.rows import LeftOut, Parsed, kline_rows, trade_id, trade_rows
from pipeline.reconciliation.exchange_calls import ExchangeCalls
from pipeline.reconciliation.window import Window
from pipeline.tables import KLINES, TRADES, Table
from pipeline.times import datetime_to_ms, ms_to_datetime, now_ms

MAX_PAGE = 1000
TRADES_WEIGHT, KLINES_WEIGHT = 4, 2
# A candle that closed so long ago is certainly closed by the exchange's clock.
CLOCK_MARGIN_MS = 10_000


class Page(NamedTuple):
    """`rows`: the exchange's, by trade id or open time; `unknown`: keys of items that become no
    row. Both lie between `first` and `last`, in which PostgreSQL is read as well."""

    rows: dict[Any, Row]
    unknown: frozenset[Any]
    first: Any
    last: Any


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades of a symbol within a window."""

    symbol: str
    window: Window
    table: Table = TRADES

    @property
    def label(self) -> str:
        return self.symbol

    def pages(self, calls: ExchangeCalls, cursor: Cursor) -> Iterator[Page]:
        """Raises ExchangeError, psycopg2 errors."""
        where = "FROM recent_trades WHERE symbol = %s AND trade_time >= %s AND trade_time < %s"
        bounds = (self.symbol, ms_to_datetime(self.window.from_ms), ms_to_datetime(self.window.to_ms))
        cursor.execute("SELECT last_trade_id FROM trade_positions WHERE symbol = %s", (self.symbol,))
        position = cursor.fetchone()
        cursor.execute(f"SELECT min(trade_id), max(trade_id) {where}", bounds)
        first, last = cursor.fetchone()
        if position is None or first is None:
            return
        last = min(last, position[0])
        if self._is_within(cursor):
            found = self._items(calls, startTime=self.window.from_ms, limit=1)
            first = min([first, *(found_id for found_id, _ in found)])
        while first <= last:
            items = [(place, item) for place, item in self._items(calls, fromId=first, limit=MAX_PAGE) if place <= last]
            if not items:
                return
            rows = {place: item for place, item in items if not isinstance(item, LeftOut)}
            yield Page(rows, frozenset(place for place, _ in items if place not in rows), first, items[-1][0])
            first = items[-1][0] + 1

    def _is_within(self, cursor: Cursor) -> bool:
        """Whether PostgreSQL has trades from before the window, so that none of its beginning may
        be missing."""
        cursor.execute(
            "SELECT EXISTS (SELECT FROM recent_trades WHERE symbol = %s AND trade_time < %s)",
            (self.symbol, ms_to_datetime(self.window.from_ms)),
        )
        return bool(cursor.fetchone()[0])

    def _items(self, calls: ExchangeCalls, **params: int) -> list[tuple[int, Row | LeftOut]]:
        reply = calls.get("/api/v3/aggTrades", TRADES_WEIGHT, symbol=self.symbol, **params)
        parsed: Parsed = parse_reply(trade_rows, self.symbol, reply or [])
        return [(place, item) for item in parsed if (place := trade_id(item)) is not None]

    def stored(self, cursor: Cursor, page: Page) -> dict[Any, Row]:
        """PostgreSQL's rows of the page's stretch."""
        columns = ", ".join(TRADES.columns)
        cursor.execute(
            f"SELECT {columns} FROM recent_trades WHERE symbol = %s AND trade_id BETWEEN %s AND %s",
            (self.symbol, page.first, page.last),
        )
        return {values[1]: dict(zip(TRADES.columns, values)) for values in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Candles:
    """Closed candles of a symbol and interval within a window."""

    symbol: str
    interval: str
    window: Window
    table: Table = KLINES

    @property
    def label(self) -> str:
        return f"{self.symbol} {self.interval}"

    def pages(self, calls: ExchangeCalls, cursor: Cursor) -> Iterator[Page]:
        """Raises ExchangeError, psycopg2 errors."""
        cursor.execute(
            "SELECT min(open_time), max(open_time) FILTER (WHERE is_closed AND open_time < %s)"
            " FROM klines WHERE symbol = %s AND interval = %s",
            (ms_to_datetime(self.window.to_ms), self.symbol, self.interval),
        )
        first, last = cursor.fetchone()
        if first is None or last is None:
            return
        start_ms, last_ms = max(datetime_to_ms(first), self.window.from_ms), datetime_to_ms(last)
        while start_ms <= last_ms:
            requested_at_ms = now_ms() - CLOCK_MARGIN_MS
            query = {"symbol": self.symbol, "interval": self.interval, "startTime": start_ms, "limit": MAX_PAGE}
            reply = calls.get("/api/v3/klines", KLINES_WEIGHT, **query)
            parsed = parse_reply(kline_rows, self.symbol, self.interval, reply or [], requested_at_ms)
            rows = {item["open_time"]: item for item in parsed if not isinstance(item, LeftOut)}
            closed = {at: item for at, item in rows.items() if item["is_closed"] and at <= last}
            if not closed:
                return
            newest = max(closed)
            yield Page(closed, frozenset(), ms_to_datetime(start_ms), newest)
            start_ms = datetime_to_ms(newest) + 1

    def stored(self, cursor: Cursor, page: Page) -> dict[Any, Row]:
        """PostgreSQL's rows of the page's stretch."""
        names = [name for name in KLINES.columns if name != "updated_at"]
        cursor.execute(
            f"SELECT {', '.join(names)} FROM klines WHERE symbol = %s AND interval = %s"
            " AND open_time BETWEEN %s AND %s",
            (self.symbol, self.interval, page.first, page.last),
        )
        return {values[2]: dict(zip(names, values)) for values in cursor.fetchall()}


Series = Trades | Candles
