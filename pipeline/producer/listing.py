"""Which symbols the exchange lists and how much weight it allows, from exchangeInfo; read again and
again, to notice new, halted and delisted symbols."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.producer.batch import Row
from pipeline.producer.client import Exchange
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.jobs import Fetched, Job, parse_reply
from pipeline.producer.rows import BAD_SHAPE, LeftOut, field, named, parse_each, rows_of, text, whole
from pipeline.symbols import is_symbol
from pipeline.times import exchange_ms, now_ms

WEIGHT = 20


@dataclass(frozen=True, slots=True)
class Listing:
    """`symbols`: name → (quote asset, status). Statuses are the exchange's; new ones may appear.
    `parsed`: the symbols as they were read, and what was left out."""

    symbols: dict[str, tuple[str, str]]
    weight_limit_per_minute: int
    parsed: Sequence[Row | LeftOut] = ()

    def market(self, quote_asset: str) -> frozenset[str]:
        """The symbols that trade now and are quoted in this asset."""
        wanted = (quote_asset, "TRADING")
        return frozenset(name for name, found in self.symbols.items() if found == wanted)

    def known(self, wanted: Iterable[str]) -> list[str]:
        return [symbol for symbol in wanted if symbol in self.symbols]


SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}


def listing(reply: dict[str, Any]) -> Listing:
    """GET /api/v3/exchangeInfo. The limit is the smallest REQUEST_WEIGHT, as weight per minute;
    limits that are odd or have an undocumented interval are ignored."""
    limits = [per_minute for per_minute in map(weight_per_minute, reply["rateLimits"]) if per_minute]
    parsed = parse_each(reply["symbols"], listed_symbol, named, lambda item: None)
    symbols = {row["symbol"]: (row["quote_asset"], row["status"]) for row in rows_of(parsed)}
    if not limits or not symbols:
        raise ValueError("exchangeInfo without a weight limit or without symbols")
    return Listing(symbols, min(limits), parsed)


def listed_symbol(item: Any) -> Row:
    symbol = field(text, item, "symbol")
    if not is_symbol(symbol):
        raise ValueError("a name that a symbol cannot have (docs/api.md)")
    return {"symbol": symbol, "quote_asset": field(text, item, "quoteAsset"), "status": field(str, item, "status")}


def weight_per_minute(limit: Any) -> int:
    """0 if it is no limit of weight."""
    try:
        if limit["rateLimitType"] != "REQUEST_WEIGHT":
            return 0
        return whole(limit["limit"]) * 60 // (SECONDS[limit["interval"]] * whole(limit["intervalNum"]))
    except (*BAD_SHAPE, ZeroDivisionError):
        return 0


@dataclass(slots=True, kw_only=True)
class ListingJob(Job):
    """Returns the newest listing in `Fetched.state`."""

    kind: str = "listing"
    name: str = "listing"
    weight: int = WEIGHT
    clock: ExchangeClock

    def fetch(self, exchange: Exchange) -> Fetched:
        # Permission sets are most of a reply of several megabytes, and nothing here reads them.
        reply = exchange.get("/api/v3/exchangeInfo", {"showPermissionSets": "false"})
        found = parse_reply(listing, reply)
        self.left_out.report(found.parsed)
        self.clock.learn(parse_reply(server_time_ms, reply), now_ms())
        return Fetched(state=found)


def server_time_ms(reply: dict[str, Any]) -> int:
    return exchange_ms(field(whole, reply, "serverTime"))
