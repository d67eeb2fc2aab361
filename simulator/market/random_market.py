"""The random market as a MarketSource: all pairs, created when first requested. Knows no HTTP and
stores nothing but caches."""

from functools import lru_cache
from typing import Any

from simulator.intervals import DAY_MS, LENGTH_MS, open_times
from simulator.market.assets import Asset
from simulator.market.blocks import EPOCH_MS, LogPrice
from simulator.market.instruments import Instrument, instrument_list, unlisted_instrument
from simulator.market.pair import Pair
from simulator.market.price_path import PricePath
from simulator.source import Listing, Reply

# The exchange keeps trades for years; here older ones are missing, so that a reader's gap handling
# can be tested.
TRADE_RETENTION_MS = 30 * DAY_MS
_CACHED_CLOSED_CANDLES = 20_000


class RandomMarket:
    """Two instances with the same seed return the same data, so a restarted simulator continues
    where it stopped."""

    invents_symbols = True

    def __init__(self, seed: int = 7, symbol_count: int = 400, quote_asset: str = "USDT") -> None:
        self.seed = seed
        self.data_source = f"simulator: random market, seed {seed}"
        self.start_line = f"prices are SIMULATED at random (seed {seed}, {symbol_count} symbols against {quote_asset})"
        self._instruments = {item.listing.symbol: item for item in instrument_list(seed, symbol_count, quote_asset)}
        self._listings = tuple(item.listing for item in self._instruments.values())
        self._paths: dict[str, PricePath] = {}
        self._pairs: dict[str, Pair] = {}
        self._closed_kline = lru_cache(_CACHED_CLOSED_CANDLES)(self._make_closed_kline)

    def symbols(self) -> tuple[Listing, ...]:
        return self._listings

    def pair(self, symbol: str) -> Pair:
        """Any symbol has a market; the caller checks whether it is listed."""
        if symbol not in self._pairs:
            instrument = self._instruments.get(symbol) or unlisted_instrument(self.seed, symbol)
            self._pairs[symbol] = Pair(self.seed, instrument, self._log_price(instrument))
        return self._pairs[symbol]

    def price(self, symbol: str, now_ms: int) -> str | None:
        return self.pair(symbol).price(now_ms)

    def statistics(self, symbol: str, now_ms: int) -> Reply | None:
        return self.pair(symbol).statistics(now_ms)

    def book_ticker(self, symbol: str, now_ms: int) -> Reply:
        return self.pair(symbol).book_ticker(now_ms)

    def depth(self, symbol: str, limit: int, now_ms: int) -> Reply:
        return self.pair(symbol).depth(limit, now_ms)

    def agg_trades(
        self, symbol: str, now_ms: int, from_id: int | None, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Reply]:
        pair = self.pair(symbol)
        end = pair.trades.count_until(now_ms if end_ms is None else max(EPOCH_MS - 1, min(now_ms, end_ms)))
        first = pair.trades.count_until(max(EPOCH_MS, now_ms - TRADE_RETENTION_MS, start_ms or 0) - 1)
        if from_id is None and start_ms is None:
            first = max(first, end - limit)
        first = max(first, from_id or 0)
        return pair.agg_trades(first, min(end, first + limit)) if first < end else []

    def klines(
        self, symbol: str, interval: str, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[list[Any]]:
        pair, length_ms = self.pair(symbol), LENGTH_MS[interval]
        return [
            list(self._closed_kline(symbol, interval, open_ms))
            if open_ms + length_ms <= now_ms
            else pair.kline(open_ms, interval, now_ms)
            for open_ms in open_times(interval, EPOCH_MS, now_ms, start_ms, end_ms, limit)
        ]

    def _make_closed_kline(self, symbol: str, interval: str, open_ms: int) -> tuple[Any, ...]:
        return tuple(self.pair(symbol).kline(open_ms, interval, open_ms + LENGTH_MS[interval]))

    def _log_price(self, instrument: Instrument) -> LogPrice:
        base = self._path(instrument.base)
        if instrument.quote is None:
            return base.log_at
        # ETHBTC is ETH's path divided by BTC's, so the three pairs of a triangle move
        # consistently.
        quote = self._path(instrument.quote)
        return lambda grid, node: base.log_at(grid, node) - quote.log_at(grid, node)

    def _path(self, asset: Asset) -> PricePath:
        if asset.name not in self._paths:
            self._paths[asset.name] = PricePath(self.seed, asset.name, asset.daily_volatility)
        return self._paths[asset.name]
