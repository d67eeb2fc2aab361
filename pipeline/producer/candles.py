"""Candles of one symbol and interval: every request starts at the newest candle that is known to be
closed. So no close is missed, the candle is read once more (it may be corrected right after its
end), and the next request fills the gap of an outage."""

from dataclasses import dataclass
from itertools import takewhile

from pipeline.intervals import max_interval_ms
from pipeline.producer.batch import Batch, Row
from pipeline.producer.client import Exchange
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.jobs import Fetched, Job
from pipeline.producer.rows import LeftOut, Parsed, kline_rows, rows_of
from pipeline.tables import KLINES
from pipeline.times import datetime_to_ms

MAX_PAGE = 1000  # the exchange's maximum


def first_start_ms(interval: str, backfill_seconds: float, now_ms: int) -> int:
    """Where the first request starts: `backfill_seconds` ago, and never later than the previous
    candle, because the exchange returns only candles that open at or after the start."""
    return now_ms - max(int(backfill_seconds * 1000), 2 * max_interval_ms(interval))


def is_closed(parsed: Row | LeftOut) -> bool:
    return not isinstance(parsed, LeftOut) and parsed["is_closed"]


@dataclass(slots=True, kw_only=True)
class KlinesJob(Job):
    """`from_ms`: open time of the newest candle before which all are committed as closed."""

    kind: str = "klines"
    weight: int = 2
    symbol: str
    interval: str
    from_ms: int
    clock: ExchangeClock

    def fetch(self, exchange: Exchange) -> Fetched:
        requested_at_ms = self.clock.surely_past_ms()
        reply = exchange.get(
            "/api/v3/klines",
            {"symbol": self.symbol, "interval": self.interval, "startTime": self.from_ms, "limit": MAX_PAGE},
        )
        parsed = self.parse(kline_rows, self.symbol, self.interval, reply, requested_at_ms)
        rows = rows_of(parsed)
        if not rows:
            return Fetched()
        # A candle that was left out is requested again as long as the newest one fits into the same
        # page; a full page passes it over, so that it cannot stop those behind it.
        is_full = len(parsed) >= MAX_PAGE
        closed = rows_of(list(takewhile(is_closed, rows if is_full else parsed)))
        next_from = datetime_to_ms(closed[-1]["open_time"]) if closed else self._first_ms(parsed)
        again = is_full and next_from > self.from_ms
        return Fetched([Batch(KLINES, rows)], again=again, state=next_from)

    def _first_ms(self, parsed: Parsed) -> int:
        """Where to start if no closed candle precedes the first open or left-out one."""
        first = parsed[0]
        return self.from_ms if isinstance(first, LeftOut) else datetime_to_ms(first["open_time"])

    def stored(self, fetched: Fetched) -> None:
        if fetched.state is not None:
            self.from_ms = fetched.state
