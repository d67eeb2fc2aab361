"""What is requested from the exchange again and again: one class per kind of request. A job fetches
and makes rows; when to fetch and how to write is decided elsewhere."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from pipeline.errors import UnknownSymbol
from pipeline.producer import metrics
from pipeline.producer.batch import Batch
from pipeline.producer.client import BadReply, Exchange
from pipeline.producer.left_out import LeftOutSymbols
from pipeline.producer.rows import BAD_SHAPE, LeftOut, Parsed, book_rows, price_rows, rows_of, stats_rows
from pipeline.tables import BOOKS, PRICES, STATS

PRICES_PATH = "/api/v3/ticker/price"

Result = TypeVar("Result")
log = logging.getLogger(__name__)

# Rows that hold current values get the time of their commit; a reply that waited longer than this
# for PostgreSQL is discarded.
CURRENT_SECONDS = 10.0
# So many replies in a row with ids below the stored book's mean that the ids began again. Fewer may
# come from a replica of the exchange that lags behind.
RESTART_REPLIES = 3


@dataclass(slots=True)
class Fetched:
    """The result of one request. `positions`: last trade id per symbol, committed with the rows.
    `again`: there is more, request it at once. `state`: for the job's own `stored`. `discarded`: it
    was too old when it could be written, so it was not."""

    batches: list[Batch] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    again: bool = False
    state: Any = None
    discarded: bool = False


@dataclass(slots=True, kw_only=True)
class Job:
    """`symbol`: the one symbol it asks for; None if it asks for the whole market.
    `max_age_seconds`: an older result is not written.
    `left_out`: which symbols are left out of this job's replies."""

    kind: str
    name: str
    weight: int
    symbol: str | None = None
    max_age_seconds: float = float("inf")
    left_out: LeftOutSymbols = field(init=False)

    def __post_init__(self) -> None:
        self.left_out = LeftOutSymbols(self.kind)

    def fetch(self, exchange: Exchange) -> Fetched:
        """One request, in a thread of the pool. Raises ExchangeError."""
        raise NotImplementedError

    def stored(self, fetched: Fetched) -> None:
        """Called when the result is committed."""

    def parse(self, parse: Callable[..., Parsed], *arguments: Any) -> Parsed:
        """The rows of a reply that is a list, and what is left out of it. Raises BadReply if it is
        no list, or if every item of it is odd: then the exchange has changed. A single trade with a
        readable id is no such sign: it waits for the next one."""
        parsed = parse_reply(parse, *arguments)
        self.left_out.report(parsed)
        odd = [each for each in parsed if isinstance(each, LeftOut) and each.reason]
        is_lone_trade = len(parsed) == 1 and odd and odd[0].trade_id is not None
        if odd and len(odd) == len(parsed) and not is_lone_trade:
            raise BadReply(f"{parse.__name__}: all {len(odd)} items are odd, {odd[0].symbol} {odd[0].reason}")
        return parsed


def parse_reply(parse: Callable[..., Result], *arguments: Any) -> Result:
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
        return self.fetched(exchange.get(PRICES_PATH))

    def fetched(self, reply: Any) -> Fetched:
        return Fetched([Batch(PRICES, rows_of(self.parse(price_rows, reply, self.wanted)))])


@dataclass(slots=True, kw_only=True)
class TrackedPricesJob(PricesJob):
    """The prices of the tracked symbols alone, which people look at, more often than those of the
    market: the request has the same weight, but makes a dozen changes and not some hundred. No
    other job writes these rows: an older reply could be written after a newer one."""

    kind: str = "tracked_price"
    name: str = "tracked_price"

    def fetch(self, exchange: Exchange) -> Fetched:
        try:
            reply = exchange.get(PRICES_PATH, {"symbols": orjson.dumps(sorted(self.wanted)).decode()})
        except UnknownSymbol:  # one was delisted: the others still have prices
            reply = exchange.get(PRICES_PATH)
        return self.fetched(reply)


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
        return Fetched([Batch(STATS, rows_of(self.parse(stats_rows, reply, self.wanted)))])


def depth_weight(levels: int) -> int:
    """Weight of /depth by its limit, from the API document."""
    return 5 if levels <= 100 else 25 if levels <= 500 else 50


@dataclass(frozen=True, slots=True)
class BookIds:
    """`newest`: id of the stored book; None before the first. `lower`: ids of the replies since
    then that were below it, not descending. `restarted_from`: the newest id before a restart."""

    newest: int | None = None
    lower: tuple[int, ...] = ()
    restarted_from: int | None = None

    def next(self, update_id: int) -> "BookIds":
        """After a reply with this id."""
        if self.newest is None or update_id >= self.newest:
            return BookIds(update_id)
        lower = (*(self.lower if not self.lower or update_id >= self.lower[-1] else ()), update_id)
        if len(lower) < RESTART_REPLIES:
            return BookIds(self.newest, lower)
        return BookIds(update_id, restarted_from=self.newest)


@dataclass(slots=True, kw_only=True)
class BookJob(Job):
    """The order book of one symbol. A book with a lower id than the stored one is older, unless
    RESTART_REPLIES of them follow each other: then the exchange counts from the beginning again
    (a symbol that was listed again, a test net that was reset), and the book is taken."""

    kind: str = "order_book"
    max_age_seconds: float = CURRENT_SECONDS
    symbol: str
    levels: int
    ids: BookIds = field(default_factory=BookIds)

    def fetch(self, exchange: Exchange) -> Fetched:
        reply = exchange.get("/api/v3/depth", {"symbol": self.symbol, "limit": self.levels})
        parsed = parse_reply(book_rows, self.symbol, reply, self.levels)
        self.left_out.report(parsed)
        rows = rows_of(parsed)
        if not rows:
            return Fetched()
        ids = self.ids.next(rows[0]["last_update_id"])
        if ids.lower:
            return Fetched(state=ids)
        return Fetched([Batch(BOOKS, rows, unconditional=ids.restarted_from is not None)], state=ids)

    def stored(self, fetched: Fetched) -> None:
        if fetched.state is None:
            return
        self.ids = fetched.state
        if self.ids.restarted_from is not None:
            metrics.BOOK_IDS_RESTARTED.labels(self.symbol).inc()
            facts = {"symbol": self.symbol, "last_id": self.ids.restarted_from, "new_id": self.ids.newest}
            log.error("book_ids_restarted", extra=facts)
