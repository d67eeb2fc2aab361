#!/usr/bin/env python3
"""Kafka → Cassandra: writes every change that Debezium captured into the Cassandra table of the
same name.

python3 consumer_to_cassandra.py                                  everything that is captured
python3 consumer_to_cassandra.py --tables klines,recent_trades    only these; start others for the
rest python3 consumer_to_cassandra.py --list-dead-letters              what could not be written,
and why python3 consumer_to_cassandra.py --replay-dead-letters            write it again, after the
cause was mended"""

import argparse
import time

from pipeline import cassandra_session, logs, monitor, program
from pipeline.connecting import until_connected
from pipeline.consumer import dead_letter_list
from pipeline.consumer.dead_letter_source import DeadLetterSource
from pipeline.consumer.dead_letters import DeadLetters
from pipeline.consumer.gc_tuning import tune_garbage_collector
from pipeline.consumer.kafka_source import KafkaSource
from pipeline.consumer.loop import Loop
from pipeline.consumer.statements import Statements
from pipeline.consumer.writer import Writer
from pipeline.settings import Settings, load
from pipeline.stopping import Stop, on_signals

STUCK_AFTER_SECONDS = 60


def main() -> int:
    options = arguments()
    settings = load("consumer")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    stop = on_signals()
    if options.list_dead_letters:
        return list_dead_letters(settings, stop)

    replay = options.replay_dead_letters
    session = until_connected("cassandra", lambda: cassandra_session.connect(settings), stop)
    source = until_connected(
        "kafka", lambda: DeadLetterSource(settings, stop) if replay else KafkaSource(settings), stop
    )
    if session is None or source is None:
        return 0

    statements, dead_letters = Statements(session, settings.CASSANDRA_KEYSPACE), DeadLetters(settings)
    loop = Loop(source, statements, Writer(session, statements), dead_letters, options.tables)
    try:
        if not replay:
            monitor.serve(settings.METRICS_HOST, settings.METRICS_PORT, lambda: health(loop))
        tune_garbage_collector()
        loop.run(stop)
    finally:
        source.close()
        dead_letters.close()
        session.cluster.shutdown()
    if replay:
        print(
            f"{source.replayed - loop.dead_letters_sent} dead letters written, {loop.dead_letters_sent} still refused"
        )
    return 1 if replay and loop.dead_letters_sent else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--tables",
        type=lambda text: frozenset(filter(None, map(str.strip, text.split(",")))),
        metavar="NAME,…",
        help="tables to consume (default: all that are captured)",
    )
    what.add_argument("--list-dead-letters", action="store_true", help="print the dead letters and exit")
    what.add_argument("--replay-dead-letters", action="store_true", help="write the dead letters again and exit")
    return parser.parse_args()


def list_dead_letters(settings: Settings, stop: Stop) -> int:
    source = until_connected("kafka", lambda: DeadLetterSource(settings, stop), stop)
    if source is not None:
        for line in dead_letter_list.lines(source.letters()):
            print(line)
        source.close()
    return 0


def health(loop: Loop) -> tuple[bool, dict[str, object]]:
    idle_seconds = round(time.monotonic() - loop.progress_at, 1)
    alive, ready = idle_seconds < STUCK_AFTER_SECONDS, bool(loop.followed) and not loop.cassandra_unavailable
    facts = {
        "alive": alive,
        "ready": ready,
        "seconds_since_progress": idle_seconds,
        "cassandra_unavailable": loop.cassandra_unavailable,
    }
    return alive and not loop.cassandra_unavailable, facts | {"tables": sorted(loop.followed)}


if __name__ == "__main__":
    raise SystemExit(program.run("consumer", main))
