"""Topics and a PostgreSQL in memory, for random tests of what lies between: changes become
envelopes in Kafka partitions, a snapshot becomes rows of op r. FakeSource has the methods of
KafkaSource that the consumer to Redis uses."""

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

import orjson
from kafka import TopicPartition

from pipeline.current.poll import TABLES
from pipeline.stream.before_the_end import state_after
from pipeline.stream.kafka_offsets import Bounds
from pipeline.stream.record_source import Mark, Records
from pipeline.stream.row_versions import RowVersions

Record = namedtuple("Record", "topic partition offset key value timestamp")
PRICES = "crypto.public.latest_prices"
PARTITIONS = 2
T = 1_795_000_000_000_000


class Topics:
    """`rows`: PostgreSQL's latest_prices now. Every change goes to the partition of its symbol."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.now_us = T
        self.logs: dict[TopicPartition, list[Record]] = {
            TopicPartition(f"crypto.public.{table}", number): []
            for table in TABLES
            for number in range(PARTITIONS if table == "latest_prices" else 1)
        }
        self.firsts = dict.fromkeys(self.logs, 0)
        self.snapshots_requested = 0

    def change(self, symbol: str, price: int | None) -> None:
        """None deletes."""
        if price is None and symbol not in self.rows:
            return
        op = "d" if price is None else "u" if symbol in self.rows else "c"
        row = {"symbol": symbol, "price": str(self.rows.get(symbol, 0) if price is None else price)}
        self._append(op, symbol, {**row, "updated_at": "2026-11-23T19:25:30.5Z"})
        if price is None:
            del self.rows[symbol]
        else:
            self.rows[symbol] = price

    def _append(self, op: str, symbol: str, row: Mapping[str, str]) -> None:
        self.now_us += 1000
        source = {"ts_us": self.now_us, "lsn": self.now_us, "txId": 1, "table": "latest_prices"}
        envelope = {"op": op, "before": row if op == "d" else None, "after": None if op == "d" else row}
        partition = TopicPartition(PRICES, crc32(symbol.encode()) % PARTITIONS)
        key, value = orjson.dumps({"symbol": symbol}), orjson.dumps({**envelope, "source": source})
        self._store(partition, key, value)

    def _store(self, partition: TopicPartition, key: bytes, value: bytes) -> None:
        log = self.logs[partition]
        log.append(Record(*partition, len(log), key, value, self.now_us // 1000))

    def send_again(self, count: int) -> None:
        """As Debezium does after a crash and after a snapshot: the last streamed changes once more,
        in their order. A row of a snapshot is read anew instead."""
        for partition, log in self.logs.items():
            for record in [record for record in log if b'"op":"r"' not in record.value][-count:]:
                self._store(partition, record.key, record.value)

    def trim(self, partition: TopicPartition) -> None:
        """Kafka removes everything that is older than the newest record."""
        self.firsts[partition] = max(self.firsts[partition], len(self.logs[partition]) - 1)

    # --- Snapshots

    def request(self, tables: Sequence[str]) -> str:
        self.snapshots_requested += 1
        if "latest_prices" in tables:
            for symbol, price in sorted(self.rows.items()):
                self._append("r", symbol, {"symbol": symbol, "price": str(price), "updated_at": "2026-11-23T19:25:30Z"})
        return "0/1"

    def is_sent(self, _position: str) -> bool:
        return True


class FakeSource:
    """One member of a group; `owned` are its partitions. Like Kafka, it delivers what follows the
    last delivered record."""

    def __init__(self, topics: Topics, owned: Iterable[TopicPartition], per_poll: int = 3) -> None:
        self.topics = topics
        self.owned = set(owned)
        self.per_poll = per_poll
        self.offsets: dict[TopicPartition, int] = {}
        self.versions = RowVersions(lambda _partition: "")
        self.committed: dict[TopicPartition, Mark] = {}

    def assign(self, owned: Iterable[TopicPartition]) -> None:
        self.owned = set(owned)
        self.versions.keep(self.owned)
        self.offsets = {partition: offset for partition, offset in self.offsets.items() if partition in self.owned}

    def follow(self, tables: Iterable[str]) -> frozenset[str]:
        return frozenset(tables)

    def table_of(self, place: Record | TopicPartition) -> str:
        return place.topic.rsplit(".", 1)[1]

    def assigned(self) -> set[TopicPartition]:
        return set(self.owned)

    def partitions_of(self, _tables: Iterable[str]) -> set[TopicPartition]:
        return set(self.topics.logs)

    def bounds(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Bounds]:
        return {p: Bounds(self.topics.firsts[p], len(self.topics.logs[p])) for p in partitions}

    def ends_of(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {p: len(self.topics.logs[p]) for p in partitions}

    def restart(self, partition: TopicPartition, offset: int, state: str = "") -> int:
        self.offsets[partition] = offset
        return self.versions.restart(partition, state)

    def states_at(self, ends: Mapping[TopicPartition, Bounds]) -> dict[TopicPartition, str]:
        return {p: state_after(self.table_of(p), self.topics.logs[p][at.first : at.end]) for p, at in ends.items()}

    def next_offset(self, partition: TopicPartition) -> int | None:
        return self.offsets.get(partition)

    def poll(self, _timeout_seconds: float) -> Records:
        found = {}
        for partition in sorted(self.owned):
            first = max(self.offsets.get(partition, 0), self.topics.firsts[partition])
            taken = self.topics.logs[partition][first : first + self.per_poll]
            self.offsets[partition] = first + len(taken)
            if taken:
                self.versions.of(partition)
                found[partition] = taken
        return found

    def commit(self, marks: Mapping[TopicPartition, Mark]) -> bool:
        self.committed |= marks
        return True

    def emptied(self, _table: str, _commit_us: int) -> None:
        pass

    def lag_records(self) -> dict[TopicPartition, int]:
        return {p: len(self.topics.logs[p]) - self.offsets.get(p, 0) for p in self.owned}

    def hold(self, _seconds: float) -> None:
        pass

    def resume(self) -> None:
        pass
