"""What a market must answer so that the HTTP layer can serve it. Knows neither HTTP nor where the
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


class Source(Protocol):
    """Every method is a question about the moment `now_ms`; rows later than that are never shown.

    Answers have the exchange's own shape (decimal strings, ms integers), because a replay must hand
    recorded strings on unchanged. `symbol` is always a listed one: the HTTP layer refuses others
    before it asks."""

    data_source: str
    """Where the numbers come from, short and ASCII: it travels in the X-Data-Source header."""
    start_line: str
    """The same in full, for the log line at start."""
    invents_symbols: bool
    """Whether a symbol that was never listed can be answered too (fault `new_symbol`)."""

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
        """Ascending by id. From `from_id` or `start_ms` on, or, without either, the newest; both
        ends inclusive."""

    def klines(
        self, symbol: str, interval: str, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[list[Any]]:
        """Ascending by open time; the bounds are inclusive and concern the open time. The last row
        may be open."""
