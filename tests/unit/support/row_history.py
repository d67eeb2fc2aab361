"""PostgreSQL, Debezium, Kafka, consumers and Cassandra as far as versions matter, without any of
them: a history is made from bytes, so that hypothesis can vary and shorten it. At its end the rows
in Cassandra must be those in PostgreSQL.

Modelled as measured in a running Debezium: changes of a transaction share the commit time;
transactions that run at the same time may be streamed in another order than their commit times;
after a crash, and after a blocking snapshot, changes are sent again; the rows of a snapshot carry a
time that is later than the point from which changes are streamed. Knows the interface of
RowVersions; knows nothing of how it works."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

from kafka import TopicPartition

from pipeline.changes import Change
from pipeline.stream.row_versions import SNAPSHOT_MARGIN_US

KEYS = 5
PARTITIONS = 2
START_US = 1_795_000_000_000_000
SECOND_US = 1_000_000
DELETED = "deleted"


class Event(NamedTuple):
    """A record in Kafka. `row` is None for a delete."""

    op: str
    key: int
    row: dict[str, int | None] | None
    ts_us: int
    lsn: int | None = None
    transaction: int | None = None

    def change(self) -> Change:
        if self.op == "r":
            return Change("t", False, self.row, self.ts_us - SNAPSHOT_MARGIN_US, 0)
        return Change("t", self.op == "d", self.row or {}, self.ts_us, self.ts_us, self.lsn, self.transaction)


class Choices:
    """The bytes of a history, one after the other; 0 when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)
        self.left = len(data)

    def below(self, limit: int) -> int:
        self.left -= 1
        return next(self._bytes, 0) % limit


class Cassandra:
    """Each cell keeps the write with the largest version; of equal versions a delete wins, then the
    larger value. A row is there while one of its cells or its marker is newer than its delete."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, str], tuple[int, bool, int]] = {}
        self._deletes: dict[int, int] = {}

    def write(self, event: Event, version_us: int) -> None:
        if event.row is None:
            self._deletes[event.key] = max(version_us, self._deletes.get(event.key, 0))
            return
        self._set(event.key, "", (version_us, False, 0))
        for column, value in event.row.items():
            if value is not None:
                self._set(event.key, column, (version_us, False, value))
            elif event.op != "c":  # a new row writes only what it has
                self._set(event.key, column, (version_us, True, 0))

    def _set(self, key: int, column: str, cell: tuple[int, bool, int]) -> None:
        if cell > self._cells.get((key, column), (0, False, 0)):
            self._cells[key, column] = cell

    def rows(self) -> dict[int, dict[str, int | None]]:
        rows: dict[int, dict[str, int | None]] = {}
        for (key, column), (version_us, is_null, value) in sorted(self._cells.items()):
            if version_us > self._deletes.get(key, 0):
                row = rows.setdefault(key, dict.fromkeys("ab"))
                if column and not is_null:
                    row[column] = value
        return rows


@dataclass
class Debezium:
    """PostgreSQL and what is sent of it: `log` holds every captured change in the order of commits;
    `sent` of them are in Kafka."""

    kafka: list[list[Event]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    rows: dict[int, dict[str, int | None]] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    sent: int = 0
    now_us: int = START_US
    lsn: int = 1000
    transactions: int = 0
    is_stale: bool = False

    def change(self, key: int, kind: int, value: int) -> tuple[str, dict[str, int | None] | None]:
        """Insert, update or delete, whichever is possible. Returns op and row."""
        if key not in self.rows:
            self.rows[key] = {"a": value, "b": None if kind == 0 else value}
            return "c", dict(self.rows[key])
        if kind == 0:
            del self.rows[key]
            return "d", None
        self.rows[key] |= {"a": value} if kind == 1 else {"b": None if kind == 2 else value}
        return "u", dict(self.rows[key])

    def transaction(self, changes: list[tuple[int, int, int]], passed_us: int, before_last_us: int = 0) -> None:
        """Commit (key, kind, value)s together. `before_last_us`: how much earlier than the one
        before it by its commit time, if it touches other rows only."""
        self.now_us += passed_us
        self.transactions += 1
        commit_us = self.now_us
        if before_last_us and self.log and not {c[0] for c in changes} & self._last_keys():
            commit_us = max(self.log[-1].ts_us - before_last_us, START_US)
        for key, kind, value in changes:
            op, row = self.change(key, kind, value)
            if not (op == "c" and self.log and self.log[-1].op == "c" and kind == 3):
                self.lsn += 10  # else one entry of PostgreSQL's log holds several new rows
            self.log.append(Event(op, key, row, commit_us, self.lsn, self.transactions))
        self.lsn += 10

    def _last_keys(self) -> set[int]:
        return {event.key for event in self.log[-30:]}

    def not_captured(self, key: int, value: int) -> None:
        """A change that nobody streams: the next snapshot has it. (A delete would stay unknown.)"""
        if key in self.rows:
            self.now_us += 1000
            self.lsn += 100
            self.change(key, 1, value)
            self.is_stale = True

    def stream(self, count: int | None = None) -> None:
        end = len(self.log) if count is None else min(len(self.log), self.sent + count)
        for event in self.log[self.sent : end]:
            self._send(event)
        self.sent = end

    def crash(self, back: int) -> None:
        """Start again from a transaction that was sent already."""
        self.sent = max(0, self.sent - back)
        while 0 < self.sent < len(self.log) and self._same_transaction(self.sent - 1, self.sent):
            self.sent -= 1

    def _same_transaction(self, one: int, other: int) -> bool:
        return self.log[one].transaction == self.log[other].transaction

    def snapshot(self, late: list[tuple[int, int, int]], later_us: int, back: int) -> None:
        """A blocking snapshot: everything before the signal was streamed; `late` is committed
        between the signal and the snapshot, so it is in the snapshot and streamed afterwards."""
        self.stream()
        if late:
            self.transaction(late, 50)
        stamp_us = self.now_us + later_us
        for key, row in sorted(self.rows.items()):
            self._send(Event("r", key, dict(row), stamp_us))
        self.now_us += 1000
        self.is_stale = False
        self.crash(back)

    def _send(self, event: Event) -> None:
        self.kafka[event.key % PARTITIONS].append(event)


class Consumers:
    """Consumers of one group, one after the other per Kafka partition. `versions()`: a new
    RowVersions-like object for a member that starts, given what was committed."""

    def __init__(self, kafka: list[list[Event]], versions: Callable[[Callable[[TopicPartition], str]], Any]) -> None:
        self.cassandra = Cassandra()
        self._kafka = kafka
        self._make = versions
        self._committed = [(0, "")] * PARTITIONS
        self._taken = [0] * PARTITIONS
        self._late: list[tuple[Event, int]] = []
        self._members = [self._member() for _ in range(PARTITIONS)]

    def _member(self) -> Any:
        return self._make(lambda partition: self._committed[partition.partition][1])

    def poll(self, number: int, count: int, commit: bool = True, write: bool = True) -> None:
        """Take up to `count` records. Not `write`: the consumer is killed before Cassandra has
        them; they arrive at the very end."""
        start = self._taken[number]
        events = self._kafka[number][start : start + count]
        if not events:
            return
        stamps = self._members[number].of(TopicPartition("t", number))
        for event in events:
            record = SimpleNamespace(key=b"%d" % event.key, timestamp=event.ts_us // 1000 + 5)
            version_us = stamps.stamp(record, event.change()).version_us
            if write:
                self.cassandra.write(event, version_us)
            else:
                self._late.append((event, version_us))
        self._taken[number] = start + len(events)
        if commit and write:
            self._committed[number] = (self._taken[number], stamps.saved())

    def take_over(self, number: int) -> None:
        """Another consumer goes on from the committed offset."""
        self._members[number] = self._member()
        self._taken[number] = self._committed[number][0]

    def finish(self) -> None:
        for number, events in enumerate(self._kafka):
            if not self._late or self._taken[number] != self._committed[number][0]:
                self.take_over(number)
            while self._taken[number] < len(events):
                self.poll(number, 1000)
        for event, version_us in self._late:
            self.cassandra.write(event, version_us)


def changes(choices: Choices, values: Iterator[int]) -> list[tuple[int, int, int]]:
    return [(choices.below(KEYS), choices.below(4), next(values)) for _ in range(1 + choices.below(4))]


def replay(data: bytes, versions: Callable[[Callable[[TopicPartition], str]], Any], thousands: bool = False) -> None:
    """Carry out the history; AssertionError when Cassandra ends with other rows than PostgreSQL."""
    choices, values = Choices(data), iter(range(10**9))
    # Falling values: where versions are equal, the older, larger value wins, which must show.
    falling = (10**9 - value for value in values)
    source = Debezium()
    consumers = Consumers(source.kafka, versions)
    while choices.left > 0:
        step(choices, falling, source, consumers, thousands)
    if source.is_stale:
        source.snapshot([], choices.below(5) * SECOND_US, choices.below(30))
    source.stream()
    consumers.finish()
    assert consumers.cassandra.rows() == source.rows


def step(choices: Choices, values: Iterator[int], source: Debezium, consumers: Consumers, thousands: bool) -> None:
    match choices.below(12):
        case 0 | 1:
            source.transaction(changes(choices, values), choices.below(4))
        case 2:
            source.transaction(changes(choices, values), choices.below(200) * 100, 1 + choices.below(100))
        case 3:  # one row many times: more changes than µs until the next transaction
            key, times = choices.below(KEYS), (1 + choices.below(100)) * (50 if thousands else 1)
            source.transaction([(key, 1 + choices.below(3), next(values)) for _ in range(times)], choices.below(50))
        case 4:
            source.now_us -= choices.below(250) * 15 * SECOND_US
        case 5 | 6:
            source.stream(1 + choices.below(60))
        case 7:
            source.crash(choices.below(100))
        case 8:
            late = changes(choices, values) if choices.below(2) else []
            source.snapshot(late, choices.below(6) * SECOND_US, choices.below(100))
        case 9:
            source.not_captured(choices.below(KEYS), next(values))
        case 10:
            consumers.poll(choices.below(PARTITIONS), 1 + choices.below(40), commit=choices.below(3) > 0)
        case 11:
            number = choices.below(PARTITIONS)
            consumers.poll(number, choices.below(20), write=choices.below(2) == 0, commit=False)
            consumers.take_over(number)
