"""One symbol's recorded rows, shifted in time, and which of them are visible at a given time. Knows
no files and no HTTP."""

from array import array
from bisect import bisect_left, bisect_right
from functools import lru_cache
from itertools import accumulate

from simulator.intervals import LENGTH_MS, open_time
from simulator.replay.aggregate import candle_of_trades, joined, minutes_of_trades, quiet_minute
from simulator.replay.archive import Recorded
from simulator.replay.partial_candle import partial
from simulator.replay.rows import Candle, RecordedTrade

_CACHED_LONG_CANDLES = 2_000


def shift_of(recorded: Recorded, replay_start_ms: int) -> int:
    """The ms to add so that the first row's minute becomes the minute of `replay_start_ms`.

    Longer recorded candles must still open where the exchange opens them, so for those both times
    are rounded down to their interval instead of a minute."""
    firsts = [rows[0].open_ms for rows in recorded.candles.values()]
    firsts += [recorded.trades[0].time_ms] if recorded.trades else []
    if not firsts:
        return 0
    interval = max(recorded.candles, key=lambda name: LENGTH_MS[name], default="1m")
    return open_time(replay_start_ms, interval) - open_time(min(firsts), interval)


class Timeline:
    """All rows of one symbol. All times, in parameters and results, are shifted ones."""

    def __init__(self, recorded: Recorded, replay_start_ms: int) -> None:
        self.files = tuple(recorded.files)
        self.depth = recorded.depth
        self.shift_ms = shift_of(recorded, replay_start_ms)
        self._trades = recorded.trades
        # Rows are ordered by id; a trade is visible once it and all before it have happened.
        visible_ms = accumulate((trade.time_ms + self.shift_ms for trade in recorded.trades), max)
        self._trade_visible_ms = array("q", visible_ms)
        self._has_recorded_candles = bool(recorded.candles)
        candles = recorded.candles or {"1m": minutes_of_trades(recorded.trades)}
        self._candles = {
            interval: {row.open_ms: row for row in (row.shifted(self.shift_ms) for row in rows)}
            for interval, rows in candles.items()
        }
        self.finest = min(candles, key=lambda name: LENGTH_MS[name])
        self.open_times = lru_cache(self._open_times)
        self._closed_joined = lru_cache(_CACHED_LONG_CANDLES)(
            lambda interval, open_ms: self._joined(interval, open_ms, open_ms + LENGTH_MS[interval])
        )

    def trades(self, first: int, end: int) -> list[RecordedTrade]:
        """Trades `first` … `end - 1` of the recording, by place."""
        return [trade.shifted(self.shift_ms) for trade in self._trades[first:end]]

    def trades_until(self, now_ms: int) -> int:
        """How many trades are visible at `now_ms`."""
        return bisect_right(self._trade_visible_ms, now_ms)

    def place_of_id(self, trade_id: int) -> int:
        """How many trades have a smaller id."""
        return bisect_left(self._trades, trade_id, key=lambda trade: trade.id)

    def _open_times(self, interval: str) -> list[int]:
        """Open times of all candles of `interval`, including future ones; empty if the recorded
        candles cannot be joined to it."""
        if interval in self._candles:
            return list(self._candles[interval])
        if LENGTH_MS[interval] % LENGTH_MS[self.finest]:
            return []
        return list(dict.fromkeys(open_time(open_ms, interval) for open_ms in self._candles[self.finest]))

    def candle(self, interval: str, open_ms: int, now_ms: int) -> Candle:
        """The candle at `now_ms`, which is not before its open; a closed one is the recorded row
        itself."""
        closed = open_ms + LENGTH_MS[interval] <= now_ms
        if interval in self._candles:
            row = self._candles[interval][open_ms]
            return row if closed else self._open_candle(row, now_ms)
        if closed:
            return self._closed_joined(interval, open_ms)
        return self._joined(interval, open_ms, now_ms)

    def candles_between(self, first_ms: int, last_ms: int, now_ms: int) -> list[Candle]:
        """Candles of the finest interval that open within first_ms … last_ms and by `now_ms`, in
        their state at `now_ms`."""
        opens_ms = self.open_times(self.finest)
        chosen = opens_ms[bisect_left(opens_ms, first_ms) : bisect_right(opens_ms, min(last_ms, now_ms))]
        return [self.candle(self.finest, open_ms, now_ms) for open_ms in chosen]

    def _joined(self, interval: str, open_ms: int, now_ms: int) -> Candle:
        end_ms = open_ms + LENGTH_MS[interval]
        return joined(self.candles_between(open_ms, end_ms - 1, now_ms), open_ms, interval)

    def _open_candle(self, row: Candle, now_ms: int) -> Candle:
        if self._has_recorded_candles:
            return partial(row, now_ms)
        first, end = self.trades_until(row.open_ms - 1), self.trades_until(now_ms)
        if first < end:
            return candle_of_trades(self.trades(first, end), row.open_ms)
        before = self._trades[first - 1].price if first else row.open
        return quiet_minute(before, row.open_ms)
