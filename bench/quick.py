"""Has the consumer become slower? Ratios that depend little on the machine, compared with those
kept in bench/results/quick.json; under three minutes. The exit code is 1 when one of them is worse
by more than noise allows.

  .local/venv/bin/python -m bench.quick [--keep]
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson

from bench import envelopes, machine
from bench.consumer import (
    SERVICES,
    environment,
    fill_trades,
    filled,
    limit_rate,
    naive_rate,
    poll_rate,
    polls,
    table_of,
)
from bench.consuming import consume, full_speed_servers
from bench.results import FOLDER, table
from bench.trickle import watch
from local.stack import Stack
from pipeline import cassandra_session
from pipeline.consumer.batches import batches, newest
from pipeline.consumer.poll import Poll
from pipeline.consumer.row_encoder import RowEncoder
from pipeline.consumer.statements import Statements
from pipeline.consumer.writer import request
from pipeline.settings import Settings
from pipeline.stream.row_versions import RowVersions
from pipeline.times import now_ms

KEPT = FOLDER / "quick.json"
TRADES = 100_000
NAIVE = 2_000
TRICKLE_RATE, TRICKLE_SECONDS = 500, 12
TRIES = 7


class Measure(NamedTuple):
    """`better`: +1 when larger is better, -1 when smaller is. `noise`: how much worse, as a share,
    two runs of one program may be; an estimate, so repeat a run that says SLOWER. Rates need a
    machine that does nothing else; CPU does not."""

    title: str
    better: int
    noise: float


MEASURES = {
    "ours_to_naive": Measure("rows/s of the consumer ÷ naive", +1, 0.30),
    "ours_to_limit": Measure("rows/s of the consumer ÷ requests made beforehand", +1, 0.30),
    "ours_to_poll": Measure("rows/s of the consumer ÷ kafka-python alone", +1, 0.30),
    "bulk_cpu": Measure("CPU of a row in bulk ÷ parsing one envelope", -1, 0.25),
    "trickle_cpu": Measure("CPU of a change at 500/s ÷ parsing one envelope", -1, 0.25),
    "parse_and_encode": Measure("CPU of parsing and encoding a row ÷ parsing one envelope", -1, 0.25),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.quick", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", action="store_true", help="the ratios of this run become the kept ones")
    options = parser.parse_args()
    full_speed_servers()
    with tempfile.TemporaryDirectory(prefix="bench") as folder, Stack(Path(folder), SERVICES) as stack:
        found = ratios(stack)
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    slower = [name for name, value in found.items() if is_worse(MEASURES[name], value, kept.get(name, value))]
    rows = [
        (
            MEASURES[name].title,
            f"{value:.2f}",
            f"{kept[name]:.2f}" if name in kept else "not kept",
            "SLOWER" if name in slower else "",
        )
        for name, value in found.items()
    ]
    print(machine.head("python3 -m bench.quick " + " ".join(sys.argv[1:])))
    print(table(("ratio", "now", "kept", ""), rows))
    if options.keep:
        KEPT.write_text(json.dumps({name: round(value, 3) for name, value in found.items()}, indent=2) + "\n")
        return 0
    return 1 if slower else 0


def is_worse(measure: Measure, now: float, kept: float) -> bool:
    """Whether the difference is more than noise."""
    worse_by = kept / now - 1 if measure.better > 0 else now / kept - 1
    return worse_by > measure.noise


def ratios(stack: Stack) -> dict[str, float]:
    """Of MEASURES, by their names."""
    environ, settings = environment(stack, "bench_warm")
    consume(stack, environ, filled(settings, fill_trades(TRADES)).show().count)
    environ, settings = environment(stack, "bench_quick")
    topic = filled(settings, fill_trades(TRADES)).show()
    topics = ["bench_quick.public.recent_trades"]
    unit_us = parsing_us()
    ours = consume(stack, environ, topic.count)
    unit_us = (unit_us + parsing_us()) / 2
    [trickle] = watch(stack, [TRICKLE_RATE], TRICKLE_SECONDS)
    return {
        "ours_to_naive": ours.rate / naive_rate(settings, topics, NAIVE),
        "ours_to_limit": ours.rate / limit_rate(settings, topics, TRADES),
        "ours_to_poll": ours.rate / poll_rate(settings, topics, TRADES),
        "bulk_cpu": ours.cpu_us["consumer"] / unit_us,
        "trickle_cpu": trickle.cpu_us / parsing_us(),
        "parse_and_encode": encoding_us(settings, topics) / parsing_us(),
    }


def parsing_us() -> float:
    """The unit of CPU: parsing one envelope, which no change to this project makes slower."""
    values = [value for _, value in envelopes.trades(20_000, now_ms())]
    return cpu_us(lambda: [orjson.loads(value) for value in values], len(values))


def encoding_us(settings: Settings, topics: list[str]) -> float:
    """Everything between Kafka and Cassandra but the two, for one trade of a large poll."""
    session = cassandra_session.connect(settings)
    encoder = RowEncoder(Statements(session, settings.CASSANDRA_KEYSPACE))
    taken = next(filter(None, polls(settings, topics, "encoding")))
    versions = RowVersions(lambda _partition: "")

    def work() -> None:
        poll = Poll.parse(taken, table_of, versions)
        [request(batch) for batch in batches(newest(encoder.rows(poll)))]

    work()
    try:
        return cpu_us(work, sum(map(len, taken.values())))
    finally:
        session.cluster.shutdown()


def cpu_us(work: Callable[[], object], count: int) -> float:
    """CPU of this process for one of `count`: the least of several tries, which others disturb."""
    tries = []
    for _ in range(TRIES):
        began = time.process_time()
        work()
        tries.append(time.process_time() - began)
    return min(tries) / count * 1e6


if __name__ == "__main__":
    sys.exit(main())
