"""A steady stream of committed changes to the five tables: upserts, order books of which one side
changes, trades, deletes, rows inserted again, several changes of a row in one transaction. Knows
PostgreSQL; knows nothing of what comes after it."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Self

import psycopg2
from psycopg2.extras import Json

from tests.support.waiting import wait_until

RATE = 250  # changes per second
SYMBOLS, CANDLES = 25, 6
Statement = tuple[str, tuple]  # one change: SQL and its values

PRICE = (
    "INSERT INTO latest_prices (symbol, price, updated_at) VALUES (%s, %s, clock_timestamp()) ON CONFLICT (symbol) "
    "DO UPDATE SET price = excluded.price, updated_at = excluded.updated_at"
)
STATS_NUMBERS = (
    "price_change, price_change_percent, weighted_avg_price, last_price, open_price, high_price, low_price, bid_price, "
    "ask_price, volume, quote_volume"
)
STATS = (
    f"INSERT INTO crypto_24h_stats (symbol, {STATS_NUMBERS}, trade_count, open_time, close_time, updated_at) "
    f"VALUES (%s, {', '.join(['%s'] * 11)}, %s, now() - interval '1 day', now(), clock_timestamp()) "
    "ON CONFLICT (symbol) DO UPDATE SET last_price = excluded.last_price, volume = excluded.volume, "
    "trade_count = excluded.trade_count, close_time = excluded.close_time, updated_at = excluded.updated_at"
)
BOOK = (
    "INSERT INTO order_book (symbol, last_update_id, bids, asks, updated_at) VALUES (%s, %s, %s, %s, clock_timestamp())"
    " ON CONFLICT (symbol) DO UPDATE SET last_update_id = excluded.last_update_id, bids = excluded.bids, "
    "asks = excluded.asks, updated_at = excluded.updated_at"
)
BIDS_ONLY = "UPDATE order_book SET last_update_id = %s, bids = %s, updated_at = clock_timestamp() WHERE symbol = %s"
TRADE = (
    "INSERT INTO recent_trades (symbol, trade_id, trade_time, price, quantity, quote_quantity, is_buyer_maker, "
    "first_trade_id, last_trade_id) VALUES (%s, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s)"
)
CANDLE = (
    "INSERT INTO klines (symbol, interval, open_time, open_price, high_price, low_price, close_price, volume, "
    "close_time, quote_volume, number_of_trades, taker_buy_volume, taker_buy_quote_volume, is_closed, updated_at) "
    "VALUES (%s, '1m', timestamptz '2026-01-01Z' + %s * interval '1 minute', %s, %s, %s, %s, %s, "
    "timestamptz '2026-01-01Z' + (%s + 1) * interval '1 minute' - interval '1 ms', %s, %s, %s, %s, false, "
    "clock_timestamp()) ON CONFLICT (symbol, interval, open_time) DO UPDATE SET close_price = excluded.close_price, "
    "high_price = excluded.high_price, volume = excluded.volume, number_of_trades = excluded.number_of_trades, "
    "updated_at = excluded.updated_at"
)
DELETES = {
    "latest_prices": "DELETE FROM latest_prices WHERE symbol = %s",
    "crypto_24h_stats": "DELETE FROM crypto_24h_stats WHERE symbol = %s",
    "klines": "DELETE FROM klines WHERE symbol = %s AND interval = '1m' AND "
    "open_time = timestamptz '2026-01-01Z' + %s * interval '1 minute'",
}


class SteadyChanges:
    """Changes rows in a thread, `rate` changes per second. Reconnects after losing the connection:
    what was committed is in PostgreSQL."""

    def __init__(self, connect: Callable[[], psycopg2.extensions.connection], seed: int, rate: float) -> None:
        self._connect = connect
        self.rate = rate
        self._random = Random(seed)
        self.done = 0
        self.failed = 0
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Finishes the current change. Raises the error that ended the load, if one did."""
        self._stop.set()
        self._thread.join(60)
        if self.error:
            raise self.error

    def more(self, changes: int, timeout_seconds: float = 60) -> None:
        """Waits until this many more changes are committed."""
        wanted = self.done + changes

        def reached() -> object:
            if self.error:
                raise self.error
            return self.done >= wanted or (self.done, self.failed)

        wait_until(reached, timeout_seconds, f"{changes} more changes")

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    connection = self._connect()
                except psycopg2.OperationalError:
                    self.failed += 1
                    self._stop.wait(0.2)
                    continue
                with suppress(psycopg2.OperationalError, psycopg2.InterfaceError):
                    self._change_rows(connection)
                with suppress(psycopg2.Error):
                    connection.close()
        except Exception as error:
            self.error = error

    def _change_rows(self, connection: psycopg2.extensions.connection) -> None:
        """Runs until the load is stopped or the connection is lost."""
        started, done = time.monotonic(), 0
        while not self._stop.is_set():
            statements = self._transaction()
            with connection, connection.cursor() as cursor:
                for sql, values in statements:
                    cursor.execute(sql, values)
            done += len(statements)  # a transaction of several changes counts as that many
            self.done += len(statements)
            self._stop.wait(max(0.0, started + done / self.rate - time.monotonic()))

    def _transaction(self) -> list[Statement]:
        """The statements of the next transaction."""
        raise NotImplementedError


class Load(SteadyChanges):
    """Changes rows of symbols that begin with `prefix`. PostgreSQL itself records what was
    committed (audit.sql)."""

    def __init__(
        self, connect: Callable[[], psycopg2.extensions.connection], prefix: str, seed: int, rate: float = RATE
    ) -> None:
        super().__init__(connect, seed, rate)
        self.symbols = [f"{prefix}{number:02}USDT" for number in range(SYMBOLS)]
        self._next_id = 1

    def _transaction(self) -> list[Statement]:
        chance, symbol = self._random.random(), self._random.choice(self.symbols)
        if chance < 0.90:
            return [self._upsert(symbol)]
        if chance < 0.95:
            return [self._delete(symbol)]
        if chance < 0.98:  # several changes of one row in one transaction, which all have the same commit time
            delete = (DELETES["latest_prices"], (symbol,))
            return [self._price(symbol), self._price(symbol), delete, self._price(symbol)]
        minute = self._random.randrange(CANDLES)
        return [self._candle(symbol, minute), (DELETES["klines"], (symbol, minute)), self._candle(symbol, minute)]

    def _upsert(self, symbol: str) -> Statement:
        statement_of = self._random.choices(
            (self._price, self._stats, self._book, self._bids, self._trade, self._candle), (30, 12, 6, 7, 20, 25)
        )[0]
        return statement_of(symbol)

    def _delete(self, symbol: str) -> Statement:
        table = self._random.choice(list(DELETES))
        minute = (self._random.randrange(CANDLES),) if table == "klines" else ()
        return DELETES[table], (symbol, *minute)

    def _number(self) -> str:
        """Exact, with eight decimals, as on the exchange."""
        integer, fraction = divmod(self._random.randrange(1, 10**12), 10**8)
        return f"{integer}.{fraction:08}"

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _levels(self) -> Json:
        """Enough levels that PostgreSQL TOASTs the column."""
        return Json([[self._number(), self._number()] for _ in range(60)])

    def _price(self, symbol: str) -> Statement:
        return PRICE, (symbol, self._number())

    def _stats(self, symbol: str) -> Statement:
        return STATS, (symbol, *(self._number() for _ in range(11)), self._id())

    def _book(self, symbol: str) -> Statement:
        return BOOK, (symbol, self._id(), self._levels(), self._levels())

    def _bids(self, symbol: str) -> Statement:
        return BIDS_ONLY, (self._id(), self._levels(), symbol)

    def _trade(self, symbol: str) -> Statement:
        trade_id = self._id()
        numbers = self._number(), self._number(), self._number()
        return TRADE, (symbol, trade_id, *numbers, self._random.random() < 0.5, trade_id, trade_id)

    def _candle(self, symbol: str, minute: int | None = None) -> Statement:
        minute = self._random.randrange(CANDLES) if minute is None else minute
        prices = [self._number() for _ in range(5)]
        return CANDLE, (symbol, minute, *prices, minute, self._number(), self._id(), self._number(), self._number())
