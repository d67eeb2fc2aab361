"""What a market must provide so that the HTTP layer can serve it. Knows neither HTTP nor where the
numbers come from."""

from dataclasses import dataclass
from typing import Any, Protocol

Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """One tradable pair as /exchangeInfo shows it; `price_decimals` 2 means a tick of 0.01."""

    symbol: str
    base_asset: str
    quote_asset: str
    status: str = "TRADING"
    price_decimals: int = 8
    quantity_decimals: int = 8


class MarketSource(Protocol):
    """Every method returns the state at `now_ms`; later rows are never included.

    Results have the exchange's own shape (decimal strings, ms integers), because a replay must
    return recorded strings unchanged. `symbol` is always a listed one: the HTTP layer rejects
    others."""

    data_source: str
    """Where the numbers come from, short and ASCII: the value of the X-Data-Source header."""
    start_line: str
    """The same in detail, for the log line at start."""
    invents_symbols: bool
    """Whether symbols can be added while it runs (fault `new_symbol`)."""

    def symbols(self) -> tuple[Listing, ...]: ...

    def price(self, symbol: str, now_ms: int) -> str | None:
        """The price of the last trade; None if there was none yet."""

    def statistics(self, symbol: str, now_ms: int) -> Reply | None:
        """The fields of /ticker/24hr, type FULL; None if nothing was traded yet."""

    def book_ticker(self, symbol: str, now_ms: int) -> Reply: ...

    def depth(self, symbol: str, limit: int, now_ms: int) -> Reply: ...

    def agg_trades(
        self, symbol: str, now_ms: int, from_id: int | None, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Reply]:
        """Ascending by id, from `from_id` or `start_ms` on, or the newest without either; all
        bounds are inclusive."""

    def klines(
        self, symbol: str, interval: str, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[list[Any]]:
        """Ascending by open time; the bounds are inclusive and apply to the open time. The last
        candle may be open."""
