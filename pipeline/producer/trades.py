"""Gap-free trades of one symbol: every request starts at the id after the last one committed."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.producer import metrics
from pipeline.producer.batch import Batch, Row
from pipeline.producer.client import Exchange
from pipeline.producer.jobs import Fetched, Job, parse_reply
from pipeline.producer.rows import trade_rows
from pipeline.producer.trade_gaps import TradeGaps
from pipeline.tables import TRADES
from pipeline.times import datetime_to_ms

log = logging.getLogger(__name__)

PATH = "/api/v3/aggTrades"
MAX_PAGE = 1000  # the exchange's maximum
# A symbol without trades for this long either does not trade or counts its trades from the
# beginning again; a request for its newest trade tells which.
RECHECK_SECONDS = 600.0


@dataclass(slots=True, kw_only=True)
class TradesJob(Job):
    """`last_id` is the last trade that is committed; before the first one it is None, and trades
    from `start_ms` are requested.

    `recheck`: the last request after `recheck_at` (monotonic) returned no trades, so the next one
    asks for the newest trade."""

    kind: str = "trades"
    weight: int = 4
    symbol: str
    start_ms: int
    last_id: int | None = None
    recheck: bool = False
    recheck_at: float = float("-inf")
    clock: Callable[[], float] = time.monotonic
    gaps: TradeGaps = field(init=False)

    def __post_init__(self) -> None:
        self.gaps = TradeGaps(self.symbol)

    def fetch(self, exchange: Exchange) -> Fetched:
        if self.recheck and self.last_id is not None:
            return self._compare_with_newest(exchange, self.last_id)
        begin = {"startTime": self.start_ms} if self.last_id is None else {"fromId": self.last_id + 1}
        rows = self._rows(exchange, {"limit": MAX_PAGE, **begin})
        new = [row for row in rows if self.last_id is None or row["trade_id"] > self.last_id]
        if not new:
            self.recheck = self.last_id is not None and self.clock() >= self.recheck_at
            return Fetched()
        self.recheck_at = self.clock() + RECHECK_SECONDS
        self._report_gaps(new)
        last = new[-1]
        return Fetched([Batch(TRADES, new)], {self.symbol: last["trade_id"]}, again=len(rows) >= MAX_PAGE, state=last)

    def stored(self, fetched: Fetched) -> None:
        if fetched.state:
            self.last_id = fetched.state["trade_id"]
            self.start_ms = datetime_to_ms(fetched.state["trade_time"])

    def _rows(self, exchange: Exchange, params: dict[str, int]) -> list[Row]:
        return parse_reply(trade_rows, self.symbol, exchange.get(PATH, {"symbol": self.symbol, **params}))

    def _compare_with_newest(self, exchange: Exchange, last_id: int) -> Fetched:
        """Asked for ids above the newest one, the exchange returns nothing: forever, if its ids
        started again below ours (a symbol that was listed again, a test net that was reset). Then
        the trades since our last one are requested by time."""
        rows = self._rows(exchange, {"limit": 1})
        self.recheck = False
        self.recheck_at = self.clock() + RECHECK_SECONDS
        newest_id: int = rows[-1]["trade_id"] if rows else last_id
        if newest_id < last_id:
            metrics.TRADE_IDS_RESTARTED.labels(self.symbol).inc()
            facts = {"symbol": self.symbol, "last_id": last_id, "newest_id": newest_id}
            log.error("trade_ids_restarted", extra=facts)
            self.last_id = None
            self.gaps.restart()
        return Fetched(again=newest_id != last_id)

    def _report_gaps(self, new: list[Row]) -> None:
        """Before the commit, so that no crash hides a gap. Asked for an id that is too old, the
        exchange returns the oldest trades that it still has."""
        stored = [] if self.last_id is None else [self.last_id]
        self.gaps.report(stored + [row["trade_id"] for row in new])
