"""The consumer's loop. Its order carries the guarantee "at least once, never lost":

1. poll   2. parse, transform, encode   3. write all, wait for all   4. dead letters, wait for all
5. commit

Whatever fails before step 5, the records are read again. While the store works on one poll (3), the
next is taken and encoded (1, 2) when it is there already; it is written only after the one before
it was committed."""

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from kafka.errors import KafkaError

from pipeline.backoff import Backoff
from pipeline.consumer import metrics
from pipeline.consumer.batches import batches, newest
from pipeline.consumer.dead_letters import DeadLetters
from pipeline.consumer.kafka_source import KafkaSource, Records
from pipeline.consumer.row_encoder import Poll, RowEncoder, parse_all
from pipeline.consumer.statements import Statements
from pipeline.consumer.writer import Pending, SchemaChanged, Writer
from pipeline.errors import StoreUnavailable
from pipeline.outage import Outage
from pipeline.stopping import Stop

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5


@dataclass(slots=True)
class InHand:
    """One poll on its way. `pending` is None until it is encoded; `writing` is its first write, in
    the other thread."""

    records: Records
    poll: Poll
    pending: Pending | None = None
    writing: Future | None = None
    began: float = field(default_factory=time.monotonic)


class Loop:
    """Moves records until it is stopped; of the tables in `only`, if given. `progress_at`
    (monotonic seconds) is when it last took or waited for any, `dead` how many became dead
    letters."""

    def __init__(
        self,
        source: KafkaSource,
        statements: Statements,
        writer: Writer,
        dead_letters: DeadLetters,
        only: frozenset[str] | None = None,
    ) -> None:
        self._source = source
        self._statements = statements
        self._writer = writer
        self._dead_letters = dead_letters
        self._only = only
        self._encoder = RowEncoder(statements)
        # One thread, because one poll is written at a time; it waits for Cassandra while this one
        # parses.
        self._background = ThreadPoolExecutor(1, "write")
        self._store_outage = Outage("cassandra", log)
        self._kafka_outage = Outage("kafka", log)
        self.progress_at = time.monotonic()
        self.cassandra_unavailable = False
        self.followed: frozenset[str] = frozenset()
        self.dead = 0

    def run(self, stop: Stop) -> None:
        """Until `stop`: what is in hand is finished, unless the store is away; then it is left for
        the next start."""
        backoff, current = Backoff(), None
        while not stop.requested:
            self.progress_at = time.monotonic()
            try:
                records = self._take(0 if current else POLL_SECONDS, stop)
            except KafkaError as error:
                records = {}
                self._pause_for_kafka(error, backoff, stop)
            else:
                self._kafka_outage.over()
                backoff.reset()
            following = self._prepare(records) if records else None
            if current and not self._finish(current, stop):
                break
            current = following
            if current and current.pending:
                current.writing = self._background.submit(self._writer.write, current.pending)
        else:
            if current:
                self._finish(current, stop)
        self._background.shutdown()

    def _take(self, timeout_seconds: float, stop: Stop) -> Records:
        tables = self._statements.tables()
        self.followed = self._source.follow(tables & self._only if self._only else tables)
        if not self.followed:
            stop.wait(POLL_SECONDS)
        return self._source.poll(timeout_seconds)

    def _prepare(self, records: Records) -> InHand:
        poll = parse_all((record for batch in records.values() for record in batch), self._source.table_of)
        hand = InHand(records, poll)
        try:
            self._encode(hand)
        except StoreUnavailable:
            pass  # a statement could not be prepared; `_write` encodes again, and waits
        return hand

    def _encode(self, hand: InHand) -> None:
        hand.poll.dig_up()
        hand.pending = Pending(list(batches(newest(self._encoder.rows(hand.poll)))))

    def _finish(self, hand: InHand, stop: Stop) -> bool:
        """Steps 3 to 5. False when it was stopped before they were done."""
        if not self._write(hand, stop) or not self._bury(hand, stop):
            log.warning("stopped_before_confirmation", extra={"records": len(hand.poll.records)})
            return False
        self._source.commit({partition: batch[-1].offset + 1 for partition, batch in hand.records.items()})
        self._count(hand)
        return True

    def _write(self, hand: InHand, stop: Stop) -> bool:
        """Write until everything is confirmed or refused."""
        backoff = Backoff()
        while True:
            try:
                if hand.writing:
                    writing, hand.writing = hand.writing, None
                    writing.result()
                else:
                    if hand.pending is None:
                        self._encode(hand)
                    self._writer.write(hand.pending)
                break
            except StoreUnavailable as error:
                if isinstance(error, SchemaChanged):
                    hand.pending = None
                if stop.requested:
                    return False
                self._wait_for_store(error, backoff.next_seconds())
        for position, reason in hand.pending.refused:
            hand.poll.bury(position, reason)
        if self.cassandra_unavailable:
            self.cassandra_unavailable = False
            self._store_outage.over()
            self._source.resume()
        return True

    def _bury(self, hand: InHand, stop: Stop) -> bool:
        """Send the dead letters until Kafka has them all."""
        backoff = Backoff()
        while True:
            try:
                self.dead += self._dead_letters.send(hand.poll.dead)
                return True
            except KafkaError as error:
                if stop.requested:
                    return False
                self._pause_for_kafka(error, backoff, stop)

    def _wait_for_store(self, error: StoreUnavailable, seconds: float) -> None:
        """Let time pass as a member of the group, for as long as the outage takes."""
        metrics.RETRIES.inc()
        self.cassandra_unavailable = True
        self._store_outage.failed(error, seconds)
        try:
            self._source.hold(seconds)
            self._show_lag(ask=True)
        except KafkaError as kafka_error:
            self._kafka_outage.failed(kafka_error, seconds)
        self.progress_at = time.monotonic()

    def _pause_for_kafka(self, error: KafkaError, backoff: Backoff, stop: Stop) -> None:
        delay = backoff.next_seconds()
        self._kafka_outage.failed(error, delay)
        stop.wait(delay)

    def _count(self, hand: InHand) -> None:
        now_us, took_seconds = time.time_ns() // 1000, time.monotonic() - hand.began
        metrics.POLL_SECONDS.observe(took_seconds)
        for batch in hand.records.values():
            metrics.RECORDS.labels(self._source.table_of(batch[0])).inc(len(batch))
        for table, rows in hand.pending.confirmed:
            metrics.ROWS.labels(table).inc(rows)
            metrics.BATCHES.labels(table).inc()
        delays: dict[str, list[float]] = {}
        for _, change in hand.poll.changes:
            if change.commit_us:
                delays.setdefault(change.table, []).append(max(0, now_us - change.commit_us) / 1e6)
        for table, values in delays.items():
            metrics.END_TO_END_SECONDS.observe(table, values)
        for letter in hand.poll.dead:
            metrics.DEAD_LETTERS.labels(self._source.table_of(letter.record)).inc()
        try:
            self._show_lag()
        except KafkaError as error:
            log.debug("lag_unknown", extra={"error": f"{type(error).__name__}: {error}"})
        facts = {"records": len(hand.poll.records), "dead": len(hand.poll.dead), "took_ms": round(took_seconds * 1000)}
        log.debug("poll_written", extra=facts)

    def _show_lag(self, ask: bool = False) -> None:
        for partition, lag in self._source.lag_records(ask).items():
            metrics.LAG_RECORDS.labels(partition.topic, partition.partition).set(lag)
