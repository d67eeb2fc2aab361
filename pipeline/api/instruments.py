"""What is known of each symbol: the steps of its prices and quantities. Small and rarely changed,
so the whole table is read and cached. Knows nothing of HTTP."""

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.api.cache import Cache
from pipeline.api.exact import decimals
from pipeline.api.store import Store
from pipeline.tables import INSTRUMENTS

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


class Instruments:
    """May raise StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache: Cache[Mapping[str, Instrument]] = Cache("rows", FRESH_SECONDS, max_size=1)

    def of(self, symbol: str) -> Instrument:
        """UNKNOWN for a symbol that the exchange has not listed yet."""
        return self.by_symbol().get(symbol, UNKNOWN)

    def by_symbol(self) -> Mapping[str, Instrument]:
        return self._cache.get_or_read(INSTRUMENTS.name, self._read)

    def _read(self) -> Mapping[str, Instrument]:
        rows = self._store.select(self._store.columns_of(INSTRUMENTS.name), INSTRUMENTS.name)
        return {row["symbol"]: Instrument(row["tick_size"], row["step_size"], row["status"]) for row in rows}
