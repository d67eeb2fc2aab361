"""What one Kafka partition brought, as Redis is to apply it. Knows no server, and exports no
metrics, so that other programs can use the store."""

from dataclasses import dataclass, field

from kafka import TopicPartition

from pipeline.stream.record_source import Mark


@dataclass(slots=True)
class Batch:
    """What one Kafka partition brought. `rows`: version in µs and JSON (empty: deleted) of each
    changed row. `tracked`: until when each symbol counts as tracked, in ms. `commits`: commit
    times in µs. `truncated_us`: the last version that a TRUNCATE removed, 0 if there was none."""

    partition: TopicPartition
    table: str
    position: int
    mark: Mark
    records: int
    rows: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    tracked: dict[str, int] = field(default_factory=dict)
    commits: list[int] = field(default_factory=list)
    truncated_us: int = 0
