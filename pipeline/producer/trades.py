"""Gap-free trades of one symbol: every request starts at the id after the last one committed."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.producer import metrics
from pipeline.producer.batch import Batch, Row
from pipeline.producer.client import Exchange
from pipeline.producer.jobs import Fetched, Job
from pipeline.producer.left_out import LeftOutSymbols
from pipeline.producer.rows import LeftOut, Parsed, rows_of, trade_id, trade_rows
from pipeline.producer.trade_gaps import TradeGaps
from pipeline.tables import TRADES
from pipeline.times import datetime_to_ms

log = logging.getLogger(__name__)

PATH = "/api/v3/aggTrades"
MAX_PAGE = 1000  # the exchange's maximum
# A symbol without trades for this long either does not trade or counts its trades from the
# beginning again; a request for its newest trade tells which.
RECHECK_SECONDS = 600.0


def is_odd(item: Row | LeftOut) -> bool:
    return isinstance(item, LeftOut) and item.reason != ""


class Reached(NamedTuple):
    """The last trade of a page, and the time of the last one that was stored."""

    last_id: int
    time_ms: int


@dataclass(slots=True, kw_only=True)
class TradesJob(Job):
    """`last_id` is the last trade that is committed; before the first one it is None, and trades
    from `start_ms` are requested.

    `recheck`: the last request after `recheck_at` (monotonic) returned no trades, so the next one
    asks for the newest trade. `seen_lower`: it did, and its id was below `last_id`.
    `requested_twice_until_id`: odd trades up to here have been requested twice."""

    kind: str = "trades"
    weight: int = 4
    symbol: str
    start_ms: int
    last_id: int | None = None
    recheck: bool = False
    recheck_at: float = float("-inf")
    seen_lower: bool = False
    requested_twice_until_id: int = -1
    clock: Callable[[], float] = time.monotonic
    gaps: TradeGaps = field(init=False)

    def __post_init__(self) -> None:
        self.left_out = LeftOutSymbols(self.kind)
        self.gaps = TradeGaps(self.symbol)

    def fetch(self, exchange: Exchange) -> Fetched:
        if self.recheck and self.last_id is not None:
            return self._compare_with_newest(exchange, self.last_id)
        begin = {"startTime": self.start_ms} if self.last_id is None else {"fromId": self.last_id + 1}
        items = self._items(exchange, {"limit": MAX_PAGE, **begin})
        beyond = self._beyond_last(items)
        new = self._until_odd(beyond)
        if not new:
            self.recheck = not beyond and self.last_id is not None and self.clock() >= self.recheck_at
            return Fetched()
        self.recheck_at = self.clock() + RECHECK_SECONDS
        self._report_gaps([place for place, _ in new])
        rows = rows_of([item for _, item in new])
        reached = Reached(new[-1][0], datetime_to_ms(rows[-1]["trade_time"]) if rows else self.start_ms)
        again = len(items) >= MAX_PAGE
        return Fetched([Batch(TRADES, rows)] if rows else [], {self.symbol: reached.last_id}, again, reached)

    def stored(self, fetched: Fetched) -> None:
        if fetched.state:
            self.last_id = fetched.state.last_id
            self.start_ms = fetched.state.time_ms

    def _items(self, exchange: Exchange, params: dict[str, int]) -> Parsed:
        return self.parse(trade_rows, self.symbol, exchange.get(PATH, {"symbol": self.symbol, **params}))

    def _beyond_last(self, items: Parsed) -> list[tuple[int, Row | LeftOut]]:
        """Those after the last trade that is committed, with their ids. A trade whose id is not
        readable has the id that follows the one before it, because ids are consecutive."""
        before, found = self.last_id, list[tuple[int, Row | LeftOut]]()
        for item in items:
            place = trade_id(item)
            if place is None and before is not None:
                place = before + 1
            if place is not None and (before is None or place > before):
                found.append((place, item))
                before = place
        return found

    def _until_odd(self, new: list[tuple[int, Row | LeftOut]]) -> list[tuple[int, Row | LeftOut]]:
        """Up to the first odd trade that has been requested only once, or that no other follows:
        it is requested once more, and passed over once another follows, so that it neither stops
        nor hides those behind it."""
        odd = [place for place, item in new if is_odd(item)]
        usable = [place for place, item in new if not is_odd(item)]
        last_usable = usable[-1] if usable else -1
        once = (place for place in odd if place > self.requested_twice_until_id)
        end = min(next(once, last_usable + 1), last_usable + 1)
        self.requested_twice_until_id = max([self.requested_twice_until_id, *odd])
        return [(place, item) for place, item in new if place < end]

    def _compare_with_newest(self, exchange: Exchange, last_id: int) -> Fetched:
        """Asked for ids above the newest one, the exchange returns nothing: forever, if its ids
        started again below ours (a symbol that was listed again, a test net that was reset). Then,
        if a second request confirms it, the trades since our last one are requested by time."""
        found = [place for place in map(trade_id, self._items(exchange, {"limit": 1})) if place is not None]
        newest_id = found[-1] if found else last_id
        if newest_id < last_id and not self.seen_lower:
            self.seen_lower = True  # one reply may come from a replica that lags behind
            return Fetched()
        self.seen_lower = self.recheck = False
        self.recheck_at = self.clock() + RECHECK_SECONDS
        if newest_id < last_id:
            metrics.TRADE_IDS_RESTARTED.labels(self.symbol).inc()
            facts = {"symbol": self.symbol, "last_id": last_id, "newest_id": newest_id}
            log.error("trade_ids_restarted", extra=facts)
            self.last_id = None
            self.requested_twice_until_id = -1
            self.gaps.restart()
        return Fetched(again=newest_id != last_id)

    def _report_gaps(self, new: list[int]) -> None:
        """Before the commit, so that no crash hides a gap. Asked for an id that is too old, the
        exchange returns the oldest trades that it still has. A trade that is left out is no gap."""
        self.gaps.report([*([] if self.last_id is None else [self.last_id]), *new])
