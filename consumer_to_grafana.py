#!/usr/bin/env python3
"""Kafka → Grafana Live: pushes prices, order books, trades and candles of the tracked symbols over
one WebSocket, as they change.

python3 consumer_to_grafana.py    settings come from the environment and .env
"""

import argparse
import time

from kafka.errors import KafkaError

from pipeline import logs, monitor, program
from pipeline.connecting import until_connected
from pipeline.live.account import account_of
from pipeline.live.channels import STREAM
from pipeline.live.connection import Connection
from pipeline.live.frames import Frames
from pipeline.live.intake import Intake
from pipeline.live.sender import Sender
from pipeline.settings import Settings, load
from pipeline.stopping import on_signals
from pipeline.stream import progress_watchdog
from pipeline.stream.kafka_source import KafkaSource

STUCK_AFTER_SECONDS = 60
SENDER_STOP_SECONDS = 15


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    return push(load("live"))


def push(settings: Settings) -> int:
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    stop = on_signals()
    source = until_connected(
        "kafka", lambda: KafkaSource(settings, settings.LIVE_GROUP, from_end=True), stop, retry_on=KafkaError
    )
    if source is None:
        return 0
    frames = Frames()
    intake = Intake(source, frames, settings.SYMBOLS)
    sender = Sender(frames, account_of(settings), lambda token: Connection(settings.GRAFANA_URL, STREAM, token))
    progress_watchdog.start(lambda: min(intake.progress_at, sender.progress_at))
    monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: health(intake, sender))
    thread = sender.start(stop)
    try:
        intake.run(stop)
    finally:
        stop.set()
        source.close()
        thread.join(SENDER_STOP_SECONDS)
    return 0


def health(intake: Intake, sender: Sender) -> tuple[bool, dict[str, object]]:
    now = time.monotonic()
    idle_seconds = round(now - min(intake.progress_at, sender.progress_at), 1)
    facts: dict[str, object] = {
        "alive": idle_seconds < STUCK_AFTER_SECONDS,
        "ready": intake.partitions > 0 and sender.connected,
        "seconds_since_progress": idle_seconds,
        "seconds_since_frame": None if sender.last_frame_at is None else round(now - sender.last_frame_at, 1),
        "kafka_unavailable": intake.kafka_unavailable,
        "grafana_unavailable": not sender.connected,
        "tables": sorted(intake.followed),
        "partitions": intake.partitions,
    }
    # An outage of Grafana is Grafana's, and its dashboards cannot be seen then anyway.
    return idle_seconds < STUCK_AFTER_SECONDS and not intake.kafka_unavailable, facts


if __name__ == "__main__":
    raise SystemExit(program.run("live", main))
