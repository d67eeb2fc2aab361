"""To Grafana: keeps one connection open, and sends the frames that are due. Whatever happens to
Grafana, reading from Kafka goes on: this is a thread of its own, and while it cannot send, newer
values replace older ones. Knows neither Kafka nor rows."""

import logging
import threading
import time
from collections.abc import Callable
from math import inf
from typing import Protocol

from pipeline.backoff import Backoff
from pipeline.live import metrics
from pipeline.live.account import Account
from pipeline.live.connection import GrafanaUnavailable, PushRefused
from pipeline.live.frames import Frames, Message
from pipeline.outage import Outage
from pipeline.stopping import Stop
from pipeline.times import now_us, us_to_seconds

log = logging.getLogger(__name__)

# How often pings are looked at, and whether to stop.
IDLE_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 10.0
# Grafana may still read what a connection that was given up had been sent, beside what its
# successor sends, and would show the older value until the next change: the values are sent once
# more.
RESTORE_AGAIN_SECONDS = 5.0


class Pushing(Protocol):
    """What the sender needs of a Connection."""

    answered: bool

    def send(self, text: str) -> None: ...

    def look_after(self, seconds: float = 0) -> None: ...

    def close(self) -> None: ...


class Sender:
    """`connected`: whether Grafana takes frames. `last_frame_at`: when the last one was sent, in
    monotonic seconds; None before the first. `progress_at`: when the thread last did anything."""

    def __init__(self, frames: Frames, account: Account, connect: Callable[[str], Pushing]) -> None:
        self._frames = frames
        self._account = account
        self._connect = connect
        self._backoff = Backoff(0.2, MAX_BACKOFF_SECONDS)
        self._outage = Outage("grafana", log)
        self._restore_again_at = inf
        self.connected = False
        self.last_frame_at: float | None = None
        self.progress_at = time.monotonic()

    def start(self, stop: Stop) -> threading.Thread:
        """Run in a thread until `stop`."""
        thread = threading.Thread(target=self.run, args=(stop,), name="to-grafana", daemon=True)
        thread.start()
        return thread

    def run(self, stop: Stop) -> None:
        while not stop.requested:
            self.progress_at = time.monotonic()
            try:
                self._push_until_due(stop)
            except GrafanaUnavailable as error:
                self._failed(error, stop)
        self._account.close()

    def _failed(self, error: GrafanaUnavailable, stop: Stop) -> None:
        metrics.FAILURES.inc()
        if isinstance(error, PushRefused):
            self._account.refused()
        delay = self._backoff.next_seconds()
        self._outage.failed(error, delay)
        stop.wait(delay)

    def _push_until_due(self, stop: Stop) -> None:
        """Open a connection and use it until the token is due for renewal. Raises
        GrafanaUnavailable."""
        connection = self._connect(self._account.token())
        metrics.CONNECTIONS.inc()
        looked_after_at = 0.0
        try:
            while not (stop.requested or self._account.is_due()):
                self.progress_at = time.monotonic()
                if not self.connected:
                    # Before Grafana has answered, what is sent could be lost without a sign.
                    connection.look_after(IDLE_SECONDS)
                    if connection.answered:
                        self._set_connected(True)
                    continue
                if self.progress_at - looked_after_at >= IDLE_SECONDS:
                    looked_after_at = self.progress_at
                    connection.look_after()
                if self.progress_at >= self._restore_again_at:
                    self._restore_again_at = inf
                    self._frames.restore()
                self._send_due(connection)
                self._frames.wait(IDLE_SECONDS)
        finally:
            self._set_connected(False)
            connection.close()

    def _set_connected(self, connected: bool) -> None:
        self.connected = connected
        metrics.CONNECTED.set(connected)
        if connected:
            self._outage.over()
            self._backoff.reset()
            self._frames.restore()
            self._restore_again_at = time.monotonic() + RESTORE_AGAIN_SECONDS
            log.info("grafana_connected")

    def _send_due(self, connection: Pushing) -> None:
        for message in self._frames.take():
            try:
                connection.send(message.text)
            except GrafanaUnavailable:
                metrics.DROPPED.labels("unsent").inc(sum(len(frame.lines) for frame in message.frames))
                raise
            self._count(message)

    def _count(self, message: Message) -> None:
        self.last_frame_at = time.monotonic()
        sent_us = now_us()
        metrics.LAST_FRAME.set(us_to_seconds(sent_us))
        for frame in message.frames:
            metrics.FRAMES.labels(frame.kind).inc()
            if frame.commit_us:
                metrics.DELAY_SECONDS.observe(max(0.0, us_to_seconds(sent_us - frame.commit_us)))
