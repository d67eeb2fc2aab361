#!/usr/bin/env python3
"""Kafka → Cassandra: writes every change that Debezium captured into the Cassandra table of the
same name.

python3 consumer_to_cassandra.py                                  all captured tables
python3 consumer_to_cassandra.py --tables klines,recent_trades    only these; start others for more
python3 consumer_to_cassandra.py --list-dead-letters              what could not be written, and why
python3 consumer_to_cassandra.py --replay-dead-letters            write it, once the cause is fixed
"""

import argparse
import time

from kafka.errors import KafkaError

from pipeline import logs, monitor, program
from pipeline.connecting import until_connected
from pipeline.consumer import dead_letter_list
from pipeline.consumer.connected_loop import connected_loop
from pipeline.consumer.dead_letter_source import DeadLetterSource
from pipeline.consumer.loop import Loop
from pipeline.settings import Settings, load
from pipeline.stopping import Stop, on_signals
from pipeline.stream import progress_watchdog
from pipeline.stream.kafka_source import KafkaSource

STUCK_AFTER_SECONDS = 60


def main() -> int:
    options = arguments()
    settings = load("consumer")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    stop = on_signals()
    if options.list_dead_letters:
        return list_dead_letters(settings, stop)
    if options.replay_dead_letters:
        return replay_dead_letters(settings, stop)
    return consume(settings, options.tables, stop)


def consume(settings: Settings, tables: frozenset[str] | None, stop: Stop) -> int:
    with connected_loop(settings, lambda: KafkaSource(settings, settings.CONSUMER_GROUP), stop, tables) as loop:
        if loop is not None:
            progress_watchdog.start(lambda: max(loop.progress_at, loop.waiting_at))
            monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: health(loop))
            loop.run(stop)
    return 0


def replay_dead_letters(settings: Settings, stop: Stop) -> int:
    with connected_loop(settings, lambda: DeadLetterSource(settings), stop) as loop:
        if loop is None:
            return 0
        loop.run(stop)
    refused = loop.dead_letters_sent
    print(f"{loop.records_committed - refused} dead letters written, {refused} still refused")
    return 1 if refused else 0


def list_dead_letters(settings: Settings, stop: Stop) -> int:
    source = until_connected("kafka", lambda: DeadLetterSource(settings), stop, retry_on=KafkaError)
    if source is not None:
        for line in dead_letter_list.lines(source.letters()):
            print(line)
        source.close()
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--tables",
        type=lambda text: frozenset(filter(None, map(str.strip, text.split(",")))),
        metavar="NAME,…",
        help="tables to consume (default: all that are captured)",
    )
    mode.add_argument("--list-dead-letters", action="store_true", help="print the dead letters and exit")
    mode.add_argument("--replay-dead-letters", action="store_true", help="write the dead letters again and exit")
    return parser.parse_args()


def health(loop: Loop) -> tuple[bool, dict[str, object]]:
    idle_seconds = round(time.monotonic() - loop.progress_at, 1)
    alive = idle_seconds < STUCK_AFTER_SECONDS
    facts = {
        "alive": alive,
        "ready": bool(loop.followed) and not loop.cassandra_unavailable,
        "seconds_since_progress": idle_seconds,
        "cassandra_unavailable": loop.cassandra_unavailable,
        "tables": sorted(loop.followed),
    }
    return alive and not loop.cassandra_unavailable, facts


if __name__ == "__main__":
    raise SystemExit(program.run("consumer", main))
