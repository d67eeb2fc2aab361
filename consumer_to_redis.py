#!/usr/bin/env python3
"""Kafka → Redis: keeps the current row of every symbol (price, 24 h statistics, best bid and ask).

python3 consumer_to_redis.py              until it is stopped; start others for more
python3 consumer_to_redis.py --rebuild    empties Redis; waits until the consumers have filled it
"""

import argparse
import time

from kafka.errors import KafkaError

from pipeline import logs, monitor, program, redis_client
from pipeline.connecting import until_connected
from pipeline.current.command import rebuild
from pipeline.current.loop import Loop
from pipeline.current.rebuild import Rebuild
from pipeline.current.store import RedisStore
from pipeline.redis_keys import Keys
from pipeline.settings import Settings, load
from pipeline.snapshot_request import SnapshotRequests
from pipeline.stopping import Stop, on_signals
from pipeline.stream import progress_watchdog
from pipeline.stream.kafka_source import KafkaSource

STUCK_AFTER_SECONDS = 60
# A script applies a poll within milliseconds; one that takes seconds means that Redis hangs.
REDIS_TIMEOUT_SECONDS = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rebuild", action="store_true", help="empty Redis, wait until it is filled again, and exit")
    options = parser.parse_args()
    settings = load("redis")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    store = RedisStore(redis_client.connect(settings, REDIS_TIMEOUT_SECONDS), Keys(settings.TOPIC_PREFIX))
    stop = on_signals()
    return rebuild(store, stop) if options.rebuild else consume(settings, store, stop)


def consume(settings: Settings, store: RedisStore, stop: Stop) -> int:
    connect = lambda: KafkaSource(settings, settings.REDIS_CONSUMER_GROUP)  # noqa: E731
    source = until_connected("kafka", connect, stop, retry_on=KafkaError)
    if source is not None:
        loop = Loop(source, store, Rebuild(source, store, SnapshotRequests(settings, "redis")))
        progress_watchdog.start(lambda: loop.progress_at)
        monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: health(loop))
        loop.run(stop)
        source.close()
        store.close()
    return 0


def health(loop: Loop) -> tuple[bool, dict[str, object]]:
    now = time.monotonic()
    idle_seconds = round(now - loop.progress_at, 1)
    facts = {
        "alive": idle_seconds < STUCK_AFTER_SECONDS,
        "seconds_since_progress": idle_seconds,
        "redis_unavailable": loop.redis_unavailable,
        "redis_complete": loop.watermark.complete,
        "seconds_behind": round(now - loop.watermark.reached_at, 1),
        "tables": sorted(loop.followed),
    }
    return idle_seconds < STUCK_AFTER_SECONDS and not loop.redis_unavailable, facts


if __name__ == "__main__":
    raise SystemExit(program.run("redis", main))
