"""What one channel still has to send: the newest value of each of its series, or its last trades.
Both are bounded, and both give times that strictly rise: Grafana keeps a single row per millisecond
of a frame, and a chart needs them in order. Knows no clock; sends nothing."""

from collections import deque
from itertools import islice
from typing import Protocol

from pipeline.live.channels import Point
from pipeline.live.line_protocol import line

# Grafana takes messages of 64 KiB; a line has about 100 bytes.
MAX_LINES = 200
# More cannot be read anyway while they pass.
MAX_TRADES = 50
# A trade that comes later than this is history, which the panels beside the stream show.
MAX_TRADE_AGE_MS = 10_000

# Why a point is not sent.
OLDER, SUPERSEDED, TOO_MANY, LATE = "older", "superseded", "too_many", "late"


class Buffer(Protocol):
    @property
    def pending(self) -> int:
        """Lines that wait to be sent."""

    def put(self, point: Point) -> str | None:
        """Keep the point. Returns why one is dropped (this one, or one that it replaces)."""

    def take(self, now_ms: int) -> tuple[list[str], list[Point], int]:
        """The lines to send now, their points, and how many were dropped because they are late."""

    def restore(self) -> None:
        """Send the current values once more: whoever had them may have lost them."""


class Clock:
    """The times of one channel, in ms."""

    def __init__(self) -> None:
        self._last_ms = 0

    def stamp(self, time_us: int, now_ms: int) -> int:
        """The time of the next line: that of the row, but not in the future, where one row with a
        wrong time would hold the channel, and after the line before."""
        self._last_ms = max(min(time_us // 1000, now_ms), self._last_ms + 1)
        return self._last_ms


class NewestValues:
    """The newest point of each series. Points stay after they were sent, for `restore`."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._orders: dict[str, tuple[int, int]] = {}
        self._points: dict[str, Point] = {}
        self._pending: dict[str, None] = {}

    @property
    def pending(self) -> int:
        return len(self._pending)

    def put(self, point: Point) -> str | None:
        series = point.series
        if point.order <= self._orders.get(series, (0, 0)):
            return OLDER
        self._orders[series] = point.order
        if point.fields is None:
            self._points.pop(series, None)
            self._pending.pop(series, None)
            return None
        self._points[series] = point
        if series in self._pending:
            return SUPERSEDED
        self._pending[series] = None
        return None

    def take(self, now_ms: int) -> tuple[list[str], list[Point], int]:
        taken = [self._points[series] for series in islice(self._pending, MAX_LINES)]
        if not taken:
            return [], [], 0
        for point in taken:
            del self._pending[point.series]
        # One time for all series: they become one row in the browser.
        time_ms = self._clock.stamp(max(point.time_us for point in taken), now_ms)
        return [line(point.series, point.fields or "", time_ms) for point in taken], taken, 0

    def restore(self) -> None:
        # Without the time of the commit: how late they are says nothing about the way here.
        self._points = {series: point._replace(commit_us=0) for series, point in self._points.items()}
        self._pending |= dict.fromkeys(self._points)


class LastTrades:
    """The trades that were not sent yet, each once, in the order of their numbers."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._last_order = (0, 0)
        self._trades: deque[Point] = deque(maxlen=MAX_TRADES)

    @property
    def pending(self) -> int:
        return len(self._trades)

    def put(self, point: Point) -> str | None:
        if point.order <= self._last_order:
            return OLDER
        self._last_order = point.order
        full = len(self._trades) == MAX_TRADES
        self._trades.append(point)
        return TOO_MANY if full else None

    def take(self, now_ms: int) -> tuple[list[str], list[Point], int]:
        taken = [trade for trade in self._trades if trade.time_us // 1000 > now_ms - MAX_TRADE_AGE_MS]
        late = len(self._trades) - len(taken)
        self._trades.clear()
        lines = [line(trade.series, trade.fields or "", self._clock.stamp(trade.time_us, now_ms)) for trade in taken]
        return lines, taken, late

    def restore(self) -> None:
        """Nothing: a browser that has shown a trade would show it twice."""


def buffer_for(kind: str) -> Buffer:
    """An empty buffer for a channel of this kind."""
    return LastTrades() if kind == "trades" else NewestValues()
