"""Recorded data as a MarketSource: the state now is the recorded state at the shifted time. Invents
nothing.

Each symbol's recording is shifted by one constant (`shift_ms`) and then runs at normal speed; after
its end nothing new appears. What was not recorded is empty: there are no trades if only candles
were recorded, and no order book but the recorded one."""

from bisect import bisect_left, bisect_right
from functools import lru_cache
from pathlib import Path
from typing import Any

from simulator.intervals import DAY_MS, MINUTE_MS, open_time
from simulator.market.instruments import split_symbol
from simulator.replay.aggregate import joined
from simulator.replay.archive import Archive, read_archive
from simulator.replay.day_statistics import best_levels, statistics_reply
from simulator.replay.rows import Candle
from simulator.replay.timeline import Timeline
from simulator.source import Listing, Reply

# Quote assets, the longer first where one ends with another.
QUOTE_ASSETS = (
    *("FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USD1", "DAI"),
    *("BTC", "ETH", "BNB", "TRY", "EUR", "BRL", "JPY", "GBP", "USD"),
)
_FILES_IN_HEADER = 4


class ReplayMarket:
    """Raises BadArchive if the folder cannot be used."""

    invents_symbols = False

    def __init__(self, folder: Path, replay_start_ms: int) -> None:
        archive = read_archive(folder)
        self._timelines = {
            symbol: Timeline(recorded, replay_start_ms) for symbol, recorded in sorted(archive.recorded.items())
        }
        self._listings = tuple(_listing(symbol, archive) for symbol in self._timelines)
        files = [name for timeline in self._timelines.values() for name in timeline.files]
        more = f", and {len(files) - _FILES_IN_HEADER} more" if len(files) > _FILES_IN_HEADER else ""
        self.data_source = f"simulator: replay of recorded data ({', '.join(files[:_FILES_IN_HEADER])}{more})"
        self.start_line = "prices are a REPLAY of recorded files, times shifted: " + "; ".join(
            f"{symbol} {'+'.join(timeline.files)} by {timeline.shift_ms} ms"
            for symbol, timeline in self._timelines.items()
        )
        self._closed_day = lru_cache(len(self._timelines))(self._join_day)

    def symbols(self) -> tuple[Listing, ...]:
        return self._listings

    def shift_ms(self, symbol: str) -> int:
        """The ms added to every time in the symbol's files."""
        return self._timelines[symbol].shift_ms

    def files(self, symbol: str) -> tuple[str, ...]:
        return self._timelines[symbol].files

    def price(self, symbol: str, now_ms: int) -> str | None:
        timeline = self._timelines[symbol]
        shown, opens_ms = timeline.trades_until(now_ms), timeline.open_times(timeline.finest)
        begun = bisect_right(opens_ms, now_ms)
        trade = timeline.trades(shown - 1, shown)[0] if shown else None
        if begun and (trade is None or opens_ms[begun - 1] > trade.time_ms):
            return timeline.candle(timeline.finest, opens_ms[begun - 1], now_ms).close
        return trade.price if trade else None

    def statistics(self, symbol: str, now_ms: int) -> Reply | None:
        timeline, price = self._timelines[symbol], self.price(symbol, now_ms)
        if price is None:
            return None
        open_ms = now_ms - now_ms % MINUTE_MS - DAY_MS + MINUTE_MS
        # Only the open candle changes between two polls; the closed ones are joined once per
        # candle.
        split_ms = open_time(now_ms, timeline.finest)
        closed = self._closed_day(symbol, open_ms, split_ms)
        parts = ([closed] if closed else []) + timeline.candles_between(split_ms, now_ms, now_ms)
        day = joined(parts, open_ms, "1d") if parts else None
        first, end = timeline.trades_until(open_ms - 1), timeline.trades_until(now_ms)
        ends = (*timeline.trades(first, first + 1), *timeline.trades(end - 1, end)) if first < end else ()
        return statistics_reply(symbol, price, day, ends, timeline.depth, open_ms, now_ms)

    def book_ticker(self, symbol: str, now_ms: int) -> Reply:
        return {"symbol": symbol, **best_levels(self._timelines[symbol].depth)}

    def depth(self, symbol: str, limit: int, now_ms: int) -> Reply:
        book = self._timelines[symbol].depth or {"lastUpdateId": 0, "bids": [], "asks": []}
        return book | {"bids": book["bids"][:limit], "asks": book["asks"][:limit]}

    def agg_trades(
        self, symbol: str, now_ms: int, from_id: int | None, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Reply]:
        timeline = self._timelines[symbol]
        end = timeline.trades_until(now_ms if end_ms is None else min(now_ms, end_ms))
        first = max(
            timeline.place_of_id(from_id) if from_id is not None else 0,
            timeline.trades_until(start_ms - 1) if start_ms is not None else 0,
        )
        if from_id is None and start_ms is None:
            first = max(0, end - limit)
        return [trade.wire() for trade in timeline.trades(first, min(end, first + limit))]

    def klines(
        self, symbol: str, interval: str, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[list[Any]]:
        timeline = self._timelines[symbol]
        opens_ms = timeline.open_times(interval)
        end = bisect_right(opens_ms, now_ms if end_ms is None else min(now_ms, end_ms))
        first = max(0, end - limit) if start_ms is None else bisect_left(opens_ms, start_ms)
        chosen = opens_ms[first : min(end, first + limit)]
        return [timeline.candle(interval, open_ms, now_ms).wire() for open_ms in chosen]

    def _join_day(self, symbol: str, open_ms: int, end_ms: int) -> Candle | None:
        parts = self._timelines[symbol].candles_between(open_ms, end_ms - 1, end_ms)
        return joined(parts, open_ms, "1d") if parts else None


def _listing(symbol: str, archive: Archive) -> Listing:
    entry = archive.exchange_info.get(symbol)
    if entry:
        return Listing(symbol, entry["baseAsset"], entry["quoteAsset"], entry.get("status", "TRADING"))
    return Listing(symbol, *split_symbol(symbol, QUOTE_ASSETS))
