"""All channels together: the thread that reads Kafka puts points in, the thread that talks to
Grafana takes messages out, each channel a few times per second at most. Between the two nothing
queues up: each buffer is bounded, and a newer value replaces the one before it. Knows neither Kafka
nor Grafana."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pipeline.live import metrics
from pipeline.live.buffers import LATE, Buffer, buffer_for
from pipeline.live.channels import Point
from pipeline.times import now_ms

# A channel's frames per second, at most 5: more than a reader can follow, few for browsers.
MIN_INTERVAL_SECONDS = 0.2
# Between two messages, so that the channels share them: each costs as much CPU as a dozen lines.
MIN_MESSAGE_INTERVAL_SECONDS = 0.05
# Grafana's limit for a message is 64 KiB (live.message_size_limit).
MAX_MESSAGE_BYTES = 32 * 1024


class Frame(NamedTuple):
    """The lines of one channel that are sent together."""

    kind: str
    lines: list[str]
    commit_us: int


class Message(NamedTuple):
    """What is sent at once: several frames."""

    text: str
    frames: list[Frame]


class Frames:
    """Thread-safe. The number of channels is bounded by the points that come, which are those of
    the tracked symbols."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall_ms: Callable[[], int] = now_ms) -> None:
        self._clock = clock
        self._wall_ms = wall_ms
        self._changed = threading.Condition()
        self._buffers: dict[str, tuple[str, Buffer]] = {}
        # When each channel may send its next frame; those with something to send.
        self._next_at: dict[str, float] = {}
        self._waiting: dict[str, None] = {}
        self._taken_at = float("-inf")

    def put(self, points: Iterable[Point]) -> None:
        """Keep what is newer than before."""
        with self._changed:
            first_due = self._first_due()
            for point in points:
                _, buffer = self._buffers.setdefault(point.channel, (point.kind, buffer_for(point.kind)))
                dropped = buffer.put(point)
                if dropped:
                    metrics.DROPPED.labels(dropped).inc()
                if buffer.pending:
                    self._waiting[point.channel] = None
            if self._first_due() < first_due:  # else whoever waits wakes up soon enough
                self._changed.notify()

    def wait(self, seconds: float) -> None:
        """Until a channel has something to send and may, or `seconds` have passed."""
        with self._changed:
            delay = self._first_due() - self._clock()
            if delay > 0:
                self._changed.wait(min(delay, seconds))

    def _first_due(self) -> float:
        """When the next message may be sent."""
        due = min((self._next_at.get(channel, 0.0) for channel in self._waiting), default=float("inf"))
        return max(due, self._taken_at + MIN_MESSAGE_INTERVAL_SECONDS)

    def take(self) -> list[Message]:
        """Everything that may be sent now."""
        with self._changed:
            now, wall_ms = self._clock(), self._wall_ms()
            due = [channel for channel in self._waiting if self._next_at.get(channel, 0.0) <= now]
            if due:
                self._taken_at = now
            return messages(filter(None, (self._frame(channel, now, wall_ms) for channel in due)))

    def _frame(self, channel: str, now: float, wall_ms: int) -> Frame | None:
        kind, buffer = self._buffers[channel]
        lines, points, late = buffer.take(wall_ms)
        if late:
            metrics.DROPPED.labels(LATE).inc(late)
        if not buffer.pending:
            del self._waiting[channel]
        if not lines:
            return None
        self._next_at[channel] = now + MIN_INTERVAL_SECONDS
        return Frame(kind, lines, max(point.commit_us for point in points))

    def restore(self) -> None:
        """Send the current values once more, on a new connection."""
        with self._changed:
            for channel, (_, buffer) in self._buffers.items():
                buffer.restore()
                if buffer.pending:
                    self._waiting[channel] = None


def messages(frames: Iterable[Frame]) -> list[Message]:
    """The frames in as few messages as Grafana's limit allows; a frame is never divided."""
    found: list[Message] = []
    texts: list[str] = []
    together: list[Frame] = []
    size = 0
    for frame in frames:
        text = "\n".join(frame.lines)
        length = len(text.encode()) + 1
        if together and size + length > MAX_MESSAGE_BYTES:
            found.append(Message("\n".join(texts), together))
            texts, together, size = [], [], 0
        texts.append(text)
        together.append(frame)
        size += length
    if together:
        found.append(Message("\n".join(texts), together))
    return found
