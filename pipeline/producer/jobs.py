"""What is requested from the exchange again and again: one class per kind of request. A job fetches
and makes rows; when to fetch and how to write is decided elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pipeline.producer.batch import Batch
from pipeline.producer.client import BadReply, Exchange
from pipeline.producer.rows import BAD_SHAPE, book_rows, price_rows, stats_rows
from pipeline.tables import BOOKS, PRICES, STATS

Parsed = TypeVar("Parsed")

# Rows that hold current values get the time of their commit; a reply that waited longer than this
# for PostgreSQL is discarded.
CURRENT_SECONDS = 10.0


@dataclass(slots=True)
class Fetched:
    """The result of one request. `positions`: last trade id per symbol, committed with the rows.
    `again`: there is more, request it at once. `state`: for the job's own `stored`."""

    batches: list[Batch] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    again: bool = False
    state: Any = None


@dataclass(slots=True, kw_only=True)
class Job:
    """`symbol`: the one symbol it asks for; None if it asks for the whole market.
    `max_age_seconds`: an older result is not written."""

    kind: str
    name: str
    weight: int
    symbol: str | None = None
    max_age_seconds: float = float("inf")

    def fetch(self, exchange: Exchange) -> Fetched:
        """One request, in a thread of the pool. Raises ExchangeError."""
        raise NotImplementedError

    def stored(self, fetched: Fetched) -> None:
        """Called when the result is committed."""


def parse_reply(parse: Callable[..., Parsed], *arguments: Any) -> Parsed:
    """What `parse` makes of a reply. Raises BadReply if the reply differs from the API
    document."""
    try:
        return parse(*arguments)
    except BAD_SHAPE as error:
        raise BadReply(f"{parse.__name__}: wrong shape, {type(error).__name__} {error}") from error


@dataclass(slots=True, kw_only=True)
class PricesJob(Job):
    """The price of every wanted symbol, in one request for the whole market (weight 4)."""

    kind: str = "price"
    name: str = "price"
    weight: int = 4
    max_age_seconds: float = CURRENT_SECONDS
    wanted: frozenset[str] = frozenset()

    def fetch(self, exchange: Exchange) -> Fetched:
        reply = exchange.get("/api/v3/ticker/price")
        return Fetched([Batch(PRICES, parse_reply(price_rows, reply, self.wanted))])


@dataclass(slots=True, kw_only=True)
class StatsJob(Job):
    """24 h statistics of every wanted symbol, in one request for the whole market (weight 80)."""

    kind: str = "stats"
    name: str = "stats"
    weight: int = 80
    max_age_seconds: float = CURRENT_SECONDS
    wanted: frozenset[str] = frozenset()

    def fetch(self, exchange: Exchange) -> Fetched:
        reply = exchange.get("/api/v3/ticker/24hr")
        return Fetched([Batch(STATS, parse_reply(stats_rows, reply, self.wanted))])


def depth_weight(levels: int) -> int:
    """Weight of /depth by its limit, from the API document."""
    return 5 if levels <= 100 else 25 if levels <= 500 else 50


@dataclass(slots=True, kw_only=True)
class BookJob(Job):
    """The order book of one symbol."""

    kind: str = "order_book"
    max_age_seconds: float = CURRENT_SECONDS
    symbol: str
    levels: int

    def fetch(self, exchange: Exchange) -> Fetched:
        reply = exchange.get("/api/v3/depth", {"symbol": self.symbol, "limit": self.levels})
        return Fetched([Batch(BOOKS, parse_reply(book_rows, self.symbol, reply, self.levels))])
