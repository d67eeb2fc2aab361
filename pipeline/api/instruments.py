"""What is known of each symbol: the steps of its prices and quantities. Small and rarely changed,
so the whole table is read and cached. Knows nothing of HTTP."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from pipeline.api.exact import decimals
from pipeline.api.store import Row

FRESH_SECONDS = 10.0


class Instrument(NamedTuple):
    """None where the exchange names no step."""

    tick_size: float | None = None
    step_size: float | None = None
    status: str | None = None

    @property
    def price_decimals(self) -> int:
        return decimals(self.tick_size) if self.tick_size else 0

    @property
    def quantity_decimals(self) -> int:
        return decimals(self.step_size) if self.step_size else 0


UNKNOWN = Instrument()


def instruments_of(rows: Iterable[Row]) -> dict[str, Instrument]:
    """By symbol."""
    return {row["symbol"]: Instrument(row["tick_size"], row["step_size"], row["status"]) for row in rows}


class Instruments:
    """`by_symbol` reads them from wherever the current state comes from; it may raise
    StoreUnavailable."""

    def __init__(self, by_symbol: Callable[[], Mapping[str, Instrument]]) -> None:
        self._by_symbol = by_symbol

    def of(self, symbol: str) -> Instrument:
        """UNKNOWN for a symbol that the exchange has not listed yet."""
        return self._by_symbol().get(symbol, UNKNOWN)
