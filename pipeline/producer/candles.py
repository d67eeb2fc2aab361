"""Candles of one symbol and interval: every request starts at the newest candle that is known to be
closed. So no close is missed, the candle is read once more (it may be corrected right after its
end), and the next request fills the gap of an outage."""

from dataclasses import dataclass
from itertools import takewhile
from operator import itemgetter

from pipeline.intervals import max_interval_ms
from pipeline.producer.batch import Batch
from pipeline.producer.client import Exchange
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.jobs import Fetched, Job, parse_reply
from pipeline.producer.rows import kline_rows
from pipeline.tables import KLINES
from pipeline.times import datetime_to_ms

MAX_PAGE = 1000  # the exchange's maximum


def first_start_ms(interval: str, backfill_seconds: float, now_ms: int) -> int:
    """Where the first request starts: `backfill_seconds` ago, and never later than the previous
    candle, because the exchange returns only candles that open at or after the start."""
    return now_ms - max(int(backfill_seconds * 1000), 2 * max_interval_ms(interval))


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
        rows = parse_reply(kline_rows, self.symbol, self.interval, reply, requested_at_ms)
        if not rows:
            return Fetched()
        closed = list(takewhile(itemgetter("is_closed"), rows))
        next_from = datetime_to_ms((closed or rows[:1])[-1]["open_time"])
        again = len(rows) >= MAX_PAGE and next_from > self.from_ms
        return Fetched([Batch(KLINES, rows)], again=again, state=next_from)

    def stored(self, fetched: Fetched) -> None:
        if fetched.state is not None:
            self.from_ms = fetched.state
