"""Which symbols the exchange lists and how much weight it allows, from exchangeInfo; read again and
again, to notice new, halted and delisted symbols."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.producer.batch import Row
from pipeline.producer.client import Exchange
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.instruments import instrument
from pipeline.producer.jobs import Fetched, Job, parse_reply
from pipeline.times import exchange_ms, now_ms

WEIGHT = 20


@dataclass(frozen=True, slots=True)
class Listing:
    """`symbols`: name → (quote asset, status). Statuses are the exchange's; new ones may appear.
    `instruments`: name → row of the table `instruments`."""

    symbols: dict[str, tuple[str, str]]
    weight_limit_per_minute: int
    instruments: Mapping[str, Row] = field(default_factory=dict)

    def market(self, quote_asset: str) -> frozenset[str]:
        """The symbols that trade now and are quoted in this asset."""
        wanted = (quote_asset, "TRADING")
        return frozenset(name for name, found in self.symbols.items() if found == wanted)

    def known(self, wanted: Iterable[str]) -> list[str]:
        return [symbol for symbol in wanted if symbol in self.symbols]

    def instruments_of(self, quote_asset: str, tracked: Iterable[str]) -> list[Row]:
        """The rows of the tracked symbols and of all that are quoted in this asset, whether they
        trade now or not."""
        others = frozenset(tracked)
        return [row for name, row in self.instruments.items() if row["quote_asset"] == quote_asset or name in others]


def listing(reply: dict[str, Any]) -> Listing:
    """GET /api/v3/exchangeInfo. The limit is the smallest REQUEST_WEIGHT, as weight per minute;
    limits with an undocumented interval are ignored."""
    seconds = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}
    limits = [
        int(limit["limit"]) * 60 // (seconds[limit["interval"]] * int(limit["intervalNum"]))
        for limit in reply["rateLimits"]
        if limit["rateLimitType"] == "REQUEST_WEIGHT" and limit["interval"] in seconds
    ]
    symbols = {item["symbol"]: (item["quoteAsset"], item["status"]) for item in reply["symbols"]}
    if not limits or not symbols:
        raise ValueError("exchangeInfo without a weight limit or without symbols")
    return Listing(symbols, min(limits), {item["symbol"]: instrument(item) for item in reply["symbols"]})


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
        self.clock.learn(parse_reply(server_time_ms, reply), now_ms())
        return Fetched(state=found)


def server_time_ms(reply: dict[str, Any]) -> int:
    return exchange_ms(int(reply["serverTime"]))
