"""From what a change costs to how many of each part a rate of changes needs. Measures nothing."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.results import table

# The share of each kind of change in the worksheet: about that of the demo.
MIX = (0.55, 0.35, 0.10)
RATES = (250, 10_000, 100_000, 1_000_000)
DAY_SECONDS = 86_400
COPIES = 3
# A part is planned to be busy for this share of its time; the rest is for bursts and catching up.
BUSY_ONE_CORE = 0.6  # of what runs on one core: a consumer, a connector's task, a slot
BUSY_SERVER = 0.5
KAFKA_CORES, CASSANDRA_CORES = 4, 8  # of one broker, of one node
KEPT_DAYS = 7  # in Kafka's topics, and of trades in Cassandra
COMPACTION = 2  # Cassandra needs room for the tables that it merges
PARTITION_STEP = 4


class Cost(NamedTuple):
    """Of one kind of change: CPU seconds per million by part, bytes by place, one copy each."""

    cpu: Mapping[str, float]
    log_bytes: float
    kafka_bytes: float
    cassandra_bytes: float


def mixed(costs: Sequence[Cost]) -> Cost:
    def weighted(values: Sequence[float]) -> float:
        return sum(share * value for share, value in zip(MIX, values, strict=True))

    return Cost(
        {part: weighted([cost.cpu[part] for cost in costs]) for part in costs[0].cpu},
        *(weighted([cost[at] for cost in costs]) for at in (1, 2, 3)),
    )


def one_core_limit(cost: Cost, part: str) -> int:
    """Changes per second of what cannot use a second core."""
    return round(BUSY_ONE_CORE * 1_000_000 / cost.cpu[part], -2)


def needed(cost: Cost, rate: int, decoding: str) -> list[str]:
    """The column of the worksheet for `rate` changes per second."""

    def cores(part: str) -> float:
        return rate * cost.cpu[part] / 1_000_000

    consumers = math.ceil(cores("consumer") / BUSY_ONE_CORE)
    connectors = math.ceil(max(cores("Connect"), cores(decoding)) / BUSY_ONE_CORE)
    copies = COPIES if rate > RATES[0] else 1
    brokers = max(copies, math.ceil(copies * cores("Kafka") / (KAFKA_CORES * BUSY_SERVER)))
    nodes = max(copies, math.ceil(copies * cores("Cassandra") / (CASSANDRA_CORES * BUSY_SERVER)))
    partitions = max(1, math.ceil(2 * consumers / PARTITION_STEP)) * PARTITION_STEP
    kept = rate * DAY_SECONDS * KEPT_DAYS * copies
    return [
        f"{cores('PostgreSQL'):.1f}",
        f"{connectors:,}",
        f"{copies}",
        f"{brokers:,}",
        f"{partitions:,}",
        f"{consumers:,}",
        f"{nodes:,}",
        amount(rate * cost.log_bytes * 3600),
        amount(kept * cost.kafka_bytes),
        amount(kept * cost.cassandra_bytes * COMPACTION),
    ]


def worksheet(cost: Cost, decoding: str) -> str:
    titles = (
        "PostgreSQL, cores",
        "slots and connectors, a core each",
        "copies in Kafka and Cassandra",
        f"brokers of {KAFKA_CORES} cores",
        "partitions of a topic that has all of it",
        "consumers, a core each",
        f"Cassandra nodes of {CASSANDRA_CORES} cores",
        "PostgreSQL's log per hour (what an outage of the connector keeps)",
        f"Kafka's disks, {KEPT_DAYS} days",
        f"Cassandra's disks, {KEPT_DAYS} days, with room to compact",
    )
    columns = [needed(cost, rate, decoding) for rate in RATES]
    lines = [(title, *(column[at] for column in columns)) for at, title in enumerate(titles)]
    return table(("changes per second", *(f"{rate:,}" for rate in RATES)), lines)


def amount(size: float) -> str:
    """Bytes as text."""
    for unit, of in (("TB", 1e12), ("GB", 1e9)):
        if size >= of:
            return f"{size / of:,.1f} {unit}"
    return f"{size / 1e6:.0f} MB"
