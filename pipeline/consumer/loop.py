"""The consumer's loop. Its order carries the guarantee "at least once, never lost":

1. poll   2. parse, transform, encode   3. write all, wait for all   4. dead letters, wait for all
5. commit

Whatever fails before step 5, the records are read again. While Cassandra works on one poll (3), the
next one is taken and encoded (1, 2) if Kafka has it already; it is written only after the one
before it was committed."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor, wait

from kafka.errors import KafkaError

from pipeline.backoff import Backoff
from pipeline.consumer import metrics
from pipeline.consumer.batches import batches, newest
from pipeline.consumer.dead_letters import DeadLetters
from pipeline.consumer.poll import Poll
from pipeline.consumer.row_encoder import RowEncoder
from pipeline.consumer.statements import Statements
from pipeline.consumer.truncations import Truncations
from pipeline.consumer.writer import Pending, SchemaChanged, Writer
from pipeline.errors import StoreUnavailable
from pipeline.outage import Outage
from pipeline.stopping import Stop
from pipeline.stream.record_source import Records, RecordSource

log = logging.getLogger(__name__)

POLL_TIMEOUT_SECONDS = 0.5
# How often a member that is busy shows its group that it is there; far below max_poll_interval_ms.
HOLD_EVERY_SECONDS = 30.0


class Loop:
    """Moves records until it is stopped or the source is exhausted; only those of the tables in
    `only`, if given. `progress_at` (monotonic seconds) is when it last polled, or waited for a
    dependency between two attempts; `waiting_at` when it last waited for an answer of Cassandra,
    which comes within the driver's time-outs. `followed` are the tables whose records it reads;
    `records_committed` and `dead_letters_sent` count since the start."""

    def __init__(
        self,
        source: RecordSource,
        statements: Statements,
        writer: Writer,
        dead_letters: DeadLetters,
        truncations: Truncations,
        only: frozenset[str] | None = None,
    ) -> None:
        self._source = source
        self._statements = statements
        self._writer = writer
        self._dead_letters = dead_letters
        self._truncations = truncations
        self._only = only
        self._encoder = RowEncoder(statements)
        # One thread, because one poll is written at a time; it waits for Cassandra while the main
        # thread parses the next poll.
        self._background = ThreadPoolExecutor(1, "write")
        self._cassandra_outage = Outage("cassandra", log)
        self._kafka_outage = Outage("kafka", log)
        self._kafka_backoff = Backoff()
        self.progress_at = self.waiting_at = time.monotonic()
        self._held_at = self.progress_at
        self.cassandra_unavailable = False
        self.followed: frozenset[str] = frozenset()
        self.records_committed = 0
        self.dead_letters_sent = 0

    def run(self, stop: Stop) -> None:
        """Until `stop` or the source's end. The poll that is being written is finished first,
        unless Cassandra is unavailable; then the next start reads it again."""
        with self._background:
            writing: Poll | None = None
            while not (stop.requested or self._source.exhausted):
                taken = self._take(stop, patient=writing is None)
                if writing and not self._finish(writing, stop):
                    return  # `taken` is read again as well: nothing after a gap may be committed
                writing = self._start_writing(taken)
            if writing:
                self._finish(writing, stop)

    def _take(self, stop: Stop, patient: bool) -> Poll | None:
        """Steps 1 and 2. None when there are no records; `patient` gives them time to come."""
        self.progress_at = time.monotonic()
        self._look_after_truncations()
        try:
            records = self._poll(stop, POLL_TIMEOUT_SECONDS if patient else 0)  # 1
        except KafkaError as error:
            self._pause_for_kafka(error, self._kafka_backoff, stop)
            return None
        self._kafka_outage.over()
        self._kafka_backoff.reset()
        return self._prepare(records) if records else None  # 2

    def _finish(self, poll: Poll, stop: Stop) -> bool:
        """Steps 3 to 5. False when a stop came before they were done: then nothing is committed."""
        written = self._write_all(poll, stop)  # 3
        if written is None or not self._send_dead_letters(poll, stop):  # 4
            log.warning("stopped_before_confirmation", extra={"records": len(poll.records)})
            return False
        self._source.commit(poll.marks)  # 5
        self.records_committed += len(poll.records)
        self._count(poll, written)
        return True

    def _poll(self, stop: Stop, timeout_seconds: float) -> Records:
        tables = self._statements.tables()
        self.followed = self._source.follow(tables & self._only if self._only else tables)
        if not self.followed:
            stop.wait(POLL_TIMEOUT_SECONDS)
        return self._source.poll(timeout_seconds)

    def _prepare(self, records: Records) -> Poll:
        poll = Poll.parse(records, self._source.table_of, self._source.versions)
        self._truncations.apply(poll)
        try:
            self._encode(poll)
        except StoreUnavailable:
            pass  # a statement could not be prepared; `_write` encodes again, and `_write_all` waits
        return poll

    def _encode(self, poll: Poll) -> Pending:
        poll.clear_rejections()
        poll.pending = Pending(list(batches(newest(self._encoder.rows(poll)))))
        return poll.pending

    def _start_writing(self, poll: Poll | None) -> Poll | None:
        """Begin step 3 in the background, so that the next poll can be taken meanwhile."""
        if poll and poll.pending:
            poll.first_write = self._background.submit(self._writer.write, poll.pending)
        return poll

    def _write_all(self, poll: Poll, stop: Stop) -> Pending | None:
        """Write until everything is confirmed or rejected. None when a stop came first."""
        backoff = Backoff()
        while True:
            try:
                written = self._write(poll)
                break
            except StoreUnavailable as error:
                if isinstance(error, SchemaChanged):
                    poll.pending = None
                if stop.requested:
                    return None
                self._wait_for_cassandra(error, backoff.next_seconds())
        for position, reason in written.refused:
            poll.reject(position, reason)
        if self.cassandra_unavailable:
            self.cassandra_unavailable = False
            self._cassandra_outage.over()
            self._source.resume()
        return written

    def _write(self, poll: Poll) -> Pending:
        """One attempt: the one that is under way in the background, else a new one."""
        if poll.truncations:
            self._truncations.start((found for _, found in poll.truncations), self._keep_membership)
            poll.truncations.clear()
        pending = poll.pending or self._encode(poll)
        write = poll.first_write or self._background.submit(self._writer.write, pending)
        poll.first_write = None
        while not wait([write], timeout=1).done:
            self.waiting_at = time.monotonic()
        write.result()
        return pending

    def _keep_membership(self) -> None:
        """While a large table is emptied: a member that does not poll is removed from its group."""
        self.progress_at = time.monotonic()
        if self.progress_at - self._held_at > HOLD_EVERY_SECONDS:
            self._held_at = self.progress_at
            try:
                self._source.hold(0)
                self._source.resume()
            except KafkaError as error:
                self._kafka_outage.failed(error, HOLD_EVERY_SECONDS)

    def _look_after_truncations(self) -> None:
        try:
            self._truncations.look_after(self._keep_membership)
        except (StoreUnavailable, KafkaError) as error:  # an outage that the next step logs
            log.debug("truncations_unknown", extra={"error": f"{type(error).__name__}: {error}"})
        for table, commit_us in self._truncations.commit_times():
            self._source.emptied(table, commit_us)

    def _send_dead_letters(self, poll: Poll, stop: Stop) -> bool:
        """Send until Kafka has confirmed them all. False when a stop came first."""
        backoff = Backoff()
        while True:
            try:
                self.dead_letters_sent += self._dead_letters.send(poll.dead_letters)
                return True
            except KafkaError as error:
                if stop.requested:
                    return False
                self._pause_for_kafka(error, backoff, stop)

    def _wait_for_cassandra(self, error: StoreUnavailable, seconds: float) -> None:
        """Let time pass as a member of the group, for as long as the outage takes."""
        metrics.RETRIES.inc()
        self.cassandra_unavailable = True
        self._cassandra_outage.failed(error, seconds)
        try:
            self._source.hold(seconds)
            self._show_lag(fetch_ends=True)
        except KafkaError as kafka_error:
            self._kafka_outage.failed(kafka_error, seconds)
        self.progress_at = time.monotonic()

    def _pause_for_kafka(self, error: KafkaError, backoff: Backoff, stop: Stop) -> None:
        delay = backoff.next_seconds()
        self._kafka_outage.failed(error, delay)
        stop.wait(delay)
        self.progress_at = time.monotonic()

    def _count(self, poll: Poll, written: Pending) -> None:
        now_us, took_seconds = time.time_ns() // 1000, time.monotonic() - poll.began
        metrics.POLL_SECONDS.observe(took_seconds)
        for records in poll.by_partition.values():
            metrics.RECORDS.labels(self._source.table_of(records[0])).inc(len(records))
        for table, rows in written.confirmed:
            metrics.ROWS.labels(table).inc(rows)
            metrics.BATCHES.labels(table).inc()
        delays: dict[str, list[float]] = {}
        for _, change in poll.changes:
            if change.commit_us:
                delays.setdefault(change.table, []).append(max(0, now_us - change.commit_us) / 1e6)
        for table, values in delays.items():
            metrics.END_TO_END_SECONDS.observe(table, values)
        for letter in poll.dead_letters:
            metrics.DEAD_LETTERS.labels(self._source.table_of(letter.record)).inc()
        try:
            self._show_lag()
        except KafkaError as error:
            log.debug("lag_unknown", extra={"error": f"{type(error).__name__}: {error}"})
        sizes = {"records": len(poll.records), "dead_letters": len(poll.dead_letters)}
        log.debug("poll_written", extra={**sizes, "took_ms": round(took_seconds * 1000)})

    def _show_lag(self, fetch_ends: bool = False) -> None:
        for partition, lag in self._source.lag_records(fetch_ends).items():
            metrics.LAG_RECORDS.labels(partition.topic, partition.partition).set(lag)
