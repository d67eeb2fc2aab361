"""What is asked of the exchange again and again: one class per kind of request. A job fetches and
makes rows; when to ask and where to write is not its business."""

import time
from dataclasses import dataclass, field
from typing import Any

from pipeline.producer.batch import Batch
from pipeline.producer.client import BadReply, Exchange
from pipeline.producer.rows import BAD_SHAPE, book_rows, price_rows, stats_rows
from pipeline.tables import BOOKS, PRICES, STATS

# Rows of the moment are dated by their commit: a reply that waited longer for PostgreSQL is thrown
# away.
MOMENT_SECONDS = 10.0


@dataclass(slots=True)
class Fetched:
    """What one request brought, and when (monotonic). `positions`: last trade id per symbol,
    committed with the rows.
    `again`: there is more, ask at once. `state`: for the job's own `stored`."""

    batches: list[Batch] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    again: bool = False
    state: Any = None
    at: float = field(default_factory=time.monotonic, compare=False)


@dataclass(slots=True, kw_only=True)
class Job:
    """`good_seconds`: for how long what it fetched may be written."""

    kind: str
    name: str
    weight: int
    good_seconds: float = float("inf")

    def fetch(self, exchange: Exchange) -> Fetched:
        """One request, in a thread of the pool. Raises ExchangeError."""
        raise NotImplementedError

    def stored(self, fetched: Fetched) -> None:
        """What was fetched is committed."""


def shaped(make_rows: Any, *arguments: Any) -> Any:
    """The rows of a reply. Raises BadReply when it is not what the API document says."""
    try:
        return make_rows(*arguments)
    except BAD_SHAPE as error:
        raise BadReply(f"{make_rows.__name__}: wrong shape, {type(error).__name__} {error}") from error


@dataclass(slots=True, kw_only=True)
class PricesJob(Job):
    """The price of every wanted symbol, in one request for the whole market (weight 4)."""

    kind: str = "price"
    name: str = "price"
    weight: int = 4
    good_seconds: float = MOMENT_SECONDS
    wanted: frozenset[str] = frozenset()

    def fetch(self, exchange: Exchange) -> Fetched:
        reply = exchange.get("/api/v3/ticker/price")
        return Fetched([Batch(PRICES, shaped(price_rows, reply, self.wanted))])


@dataclass(slots=True, kw_only=True)
class StatsJob(Job):
    """24 h statistics of every wanted symbol, in one request for the whole market (weight 80)."""

    kind: str = "stats"
    name: str = "stats"
    weight: int = 80
    good_seconds: float = MOMENT_SECONDS
    wanted: frozenset[str] = frozenset()

    def fetch(self, exchange: Exchange) -> Fetched:
        reply = exchange.get("/api/v3/ticker/24hr")
        return Fetched([Batch(STATS, shaped(stats_rows, reply, self.wanted))])


def depth_weight(levels: int) -> int:
    """Weight of /depth by limit (facts: binance.md)."""
    return 5 if levels <= 100 else 25 if levels <= 500 else 50


@dataclass(slots=True, kw_only=True)
class BookJob(Job):
    """The order book of one symbol."""

    kind: str = "order_book"
    good_seconds: float = MOMENT_SECONDS
    symbol: str
    levels: int

    def fetch(self, exchange: Exchange) -> Fetched:
        reply = exchange.get("/api/v3/depth", {"symbol": self.symbol, "limit": self.levels})
        return Fetched([Batch(BOOKS, shaped(book_rows, self.symbol, reply, self.levels))])
