"""What a store must be able to say of the market as it is now. Knows no store."""

from collections.abc import Mapping, Set
from typing import Protocol

from pipeline.api.instruments import Instrument
from pipeline.api.store import Row
from pipeline.tables import Table

# The header that says which store answered.
ANSWERED_FROM = "X-Answered-From"
CASSANDRA, REDIS = "cassandra", "redis"


class CurrentState(Protocol):
    """Every method may raise StoreUnavailable. The rows are shared between requests: do not change
    them. Both stores give equal rows; a test compares the bytes of the API's answers."""

    @property
    def store(self) -> str:
        """CASSANDRA or REDIS."""

    def rows_of(self, table: Table) -> list[Row]:
        """latest_prices or crypto_24h_stats: the newest row of every symbol, in any order, in the
        shape of the history table."""

    def tracked(self) -> Set[str]:
        """Symbols with trades, books or candles."""

    def instruments(self) -> Mapping[str, Instrument]:
        """What the exchange says of each symbol."""

    def source(self) -> Row:
        """Which exchange the rows come from: `name` and `base_url`."""
