"""One pair of the random market, in the exchange's own shapes. Knows no other pair and no HTTP."""

from decimal import Decimal
from typing import Any

from simulator.decimals import fixed, fixed_decimal, percent_change
from simulator.intervals import DAY_MS, LENGTH_MS, MINUTE_MS
from simulator.market.blocks import EPOCH_MS, Blocks, LogPrice
from simulator.market.instruments import Instrument
from simulator.market.order_book import Level, OrderBook
from simulator.market.raw_ids import RawIds
from simulator.market.totals import RangeTotals, Totals, joined
from simulator.market.trades import Trade, Trades
from simulator.source import Reply


class Pair:
    """Prices, trades, candles and book of one pair at any time since EPOCH_MS."""

    def __init__(self, seed: int, instrument: Instrument, log_price: LogPrice) -> None:
        self.listing = instrument.listing
        self._price_decimals = instrument.listing.price_decimals
        self._quantity_decimals = instrument.listing.quantity_decimals
        blocks = Blocks(seed, instrument, log_price)
        self._raw_ids = RawIds(seed, instrument.listing.symbol)
        self.trades = Trades(blocks, self._raw_ids)
        self.totals = RangeTotals(blocks, self.trades)
        self._book = OrderBook(seed, instrument, self.trades)
        self._closed_day: tuple[int, Totals] | None = None
        self._statistics: tuple[tuple[int, int], Reply] = ((0, 0), {})

    def price(self, now_ms: int) -> str:
        return self._price(self.trades.price_ticks(self.trades.count_until(now_ms) - 1))

    def statistics(self, now_ms: int) -> Reply:
        """Rolling 24 hours that start at a full minute; closeTime is the last time at which
        anything changed.

        Until the next change the reply is the same object, which makes polling the whole market
        cheap."""
        minute_ms = now_ms - now_ms % MINUTE_MS
        end_index = self.trades.count_until(now_ms)
        key = (minute_ms, end_index)
        if self._statistics[0] != key:
            last = self.trades.one(end_index - 1)
            open_ms, close_ms = minute_ms - DAY_MS + MINUTE_MS, max(minute_ms, last.time_ms)
            parts = (self._closed_part(open_ms, minute_ms), self.totals.between(minute_ms, close_ms + 1))
            self._statistics = (key, self._statistics_reply(joined(parts), last, open_ms, close_ms))
        return self._statistics[1]

    def _closed_part(self, open_ms: int, minute_ms: int) -> Totals:
        if self._closed_day is None or self._closed_day[0] != minute_ms:
            self._closed_day = (minute_ms, self.totals.between(open_ms, minute_ms))
        return self._closed_day[1]

    def _statistics_reply(self, day: Totals, last: Trade, open_ms: int, close_ms: int) -> Reply:
        book = self.book_ticker(close_ms)
        volume = Decimal(self._quantity(day.volume))
        quote_volume = Decimal(self._quote(day.quote_volume))
        return {
            "symbol": self.listing.symbol,
            "priceChange": self._price(day.close - day.open),
            "priceChangePercent": percent_change(Decimal(day.open), Decimal(day.close)),
            "weightedAvgPrice": fixed_decimal(quote_volume / volume if volume else Decimal(0)),
            "prevClosePrice": self._price(self.trades.price_ticks(day.first_index - 1)),
            "lastPrice": self._price(day.close),
            "lastQty": self._quantity(last.quantity_lots),
            "bidPrice": book["bidPrice"],
            "bidQty": book["bidQty"],
            "askPrice": book["askPrice"],
            "askQty": book["askQty"],
            "openPrice": self._price(day.open),
            "highPrice": self._price(day.high),
            "lowPrice": self._price(day.low),
            "volume": self._quantity(day.volume),
            "quoteVolume": self._quote(day.quote_volume),
            "openTime": open_ms,
            "closeTime": close_ms,
            "firstId": -1 if day.is_empty else self._raw_ids.first(day.first_index),
            "lastId": -1 if day.is_empty else self._raw_ids.first(day.end_index) - 1,
            "count": self._raw_ids.count(day.first_index, day.end_index),
        }

    def book_ticker(self, now_ms: int) -> Reply:
        book = self._book.at(now_ms, 1)
        (bid_price, bid_quantity), (ask_price, ask_quantity) = self._level(book.bids[0]), self._level(book.asks[0])
        return {
            "symbol": self.listing.symbol,
            "bidPrice": bid_price,
            "bidQty": bid_quantity,
            "askPrice": ask_price,
            "askQty": ask_quantity,
        }

    def depth(self, limit: int, now_ms: int) -> Reply:
        book = self._book.at(now_ms, limit)
        return {
            "lastUpdateId": book.update_id,
            "bids": [self._level(level) for level in book.bids],
            "asks": [self._level(level) for level in book.asks],
        }

    def agg_trades(self, first_index: int, end_index: int) -> list[Reply]:
        return [
            {
                "a": trade.index,
                "p": self._price(trade.price_ticks),
                "q": self._quantity(trade.quantity_lots),
                "f": trade.first_raw_id,
                "l": trade.last_raw_id,
                "T": trade.time_ms,
                "m": trade.buyer_is_maker,
                "M": True,
            }
            for trade in self.trades.between(first_index, end_index)
        ]

    def kline(self, open_ms: int, interval: str, now_ms: int) -> list[Any]:
        """The candle at `now_ms`."""
        close_ms = open_ms + LENGTH_MS[interval] - 1
        # There are no trades before EPOCH_MS, but a weekly candle may open there.
        candle = self.totals.between(max(open_ms, EPOCH_MS), min(close_ms, now_ms) + 1)
        return [
            open_ms,
            self._price(candle.open),
            self._price(candle.high),
            self._price(candle.low),
            self._price(candle.close),
            self._quantity(candle.volume),
            close_ms,
            self._quote(candle.quote_volume),
            self._raw_ids.count(candle.first_index, candle.end_index),
            self._quantity(candle.taker_volume),
            self._quote(candle.taker_quote_volume),
            "0",
        ]

    def _price(self, ticks: int) -> str:
        return fixed(ticks, self._price_decimals)

    def _quantity(self, lots: int) -> str:
        return fixed(lots, self._quantity_decimals)

    def _quote(self, ticks_lots: int) -> str:
        return fixed(ticks_lots, self._price_decimals + self._quantity_decimals)

    def _level(self, level: Level) -> list[str]:
        return [self._price(level[0]), self._quantity(level[1])]
