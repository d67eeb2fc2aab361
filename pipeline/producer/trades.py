"""Gap-free trades of one symbol: always from the id after the last one that is committed."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from pipeline.producer import metrics
from pipeline.producer.batch import Batch, Row
from pipeline.producer.client import Exchange
from pipeline.producer.jobs import Fetched, Job, shaped
from pipeline.producer.rows import trade_rows
from pipeline.tables import TRADES
from pipeline.times import datetime_to_ms

log = logging.getLogger(__name__)

PATH = "/api/v3/aggTrades"
PAGE = 1000  # the most it gives
# A symbol that is silent for so long is either quiet or counts its trades anew; one request tells.
QUIET_SECONDS = 600.0


@dataclass(slots=True, kw_only=True)
class TradesJob(Job):
    """`last_id` is the last trade that is committed; None before the first one, then trades from
    `start_ms` are asked for. Ids of /aggTrades are consecutive per symbol, so a missing id is a gap
    of the exchange's own.

    `silent`: nothing came when it was last time to wonder (`wonder_at`, monotonic)."""

    kind: str = "trades"
    weight: int = 4
    symbol: str
    start_ms: int
    last_id: int | None = None
    told_until: int = -1
    silent: bool = False
    wonder_at: float = float("-inf")
    clock: Callable[[], float] = time.monotonic

    def fetch(self, exchange: Exchange) -> Fetched:
        if self.silent:
            return self._look_at_newest(exchange)
        begin = {"startTime": self.start_ms} if self.last_id is None else {"fromId": self.last_id + 1}
        rows = self._rows(exchange, {"limit": PAGE, **begin})
        new = [row for row in rows if self.last_id is None or row["trade_id"] > self.last_id]
        if not new:
            self.silent = self.last_id is not None and self.clock() >= self.wonder_at
            return Fetched()
        self.wonder_at = self.clock() + QUIET_SECONDS
        self._tell_gaps(new)
        last = new[-1]
        return Fetched([Batch(TRADES, new)], {self.symbol: last["trade_id"]}, again=len(rows) >= PAGE, state=last)

    def stored(self, fetched: Fetched) -> None:
        if fetched.state:
            self.last_id = fetched.state["trade_id"]
            self.start_ms = datetime_to_ms(fetched.state["trade_time"])

    def _rows(self, exchange: Exchange, params: dict[str, int]) -> list[Row]:
        return shaped(trade_rows, self.symbol, exchange.get(PATH, {"symbol": self.symbol, **params}))

    def _look_at_newest(self, exchange: Exchange) -> Fetched:
        """Behind the newest trade the exchange answers with nothing, for ever if its ids began anew
        below ours (a symbol listed again, a test net that was reset). Then the trades since our
        last one are asked for by time."""
        rows = self._rows(exchange, {"limit": 1})
        self.silent = False
        self.wonder_at = self.clock() + QUIET_SECONDS
        newest_id = rows[-1]["trade_id"] if rows else self.last_id
        if newest_id < self.last_id:
            metrics.TRADE_IDS_RESTARTED.labels(self.symbol).inc()
            facts = {"symbol": self.symbol, "last_id": self.last_id, "newest_id": newest_id}
            log.error("trade_ids_restarted", extra=facts)
            self.last_id = None
            self.told_until = -1
        return Fetched(again=newest_id != self.last_id)

    def _tell_gaps(self, new: list[Row]) -> None:
        """Told before the commit, so that no crash hides a gap, and once, however often the page is
        fetched. The exchange answers a too old id with the oldest trade that it still has (facts:
        binance.md)."""
        ids = [self.last_id] * (self.last_id is not None) + [row["trade_id"] for row in new]
        for before, after in pairwise(ids):
            if after > before + 1 and after > self.told_until:
                metrics.TRADE_GAPS.labels(self.symbol).inc()
                metrics.TRADES_MISSING.labels(self.symbol).inc(after - before - 1)
                facts = {"symbol": self.symbol, "first_missing_id": before + 1, "last_missing_id": after - 1}
                log.error("trade_gap", extra=facts)
        self.told_until = max(self.told_until, ids[-1])
