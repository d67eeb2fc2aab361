"""The consumer's loop. Its order carries the guarantee "at least once, never lost":

1. poll   2. parse, transform, encode   3. write all, wait for all   4. dead letters, wait for all
5. commit

Whatever fails before step 5, the records are read again. While Cassandra works on some polls (3),
the next ones are taken, encoded and sent (1, 2): the versions of the rows order their writes, not
the time at which they arrive. Steps 4 and 5 follow in the order of the polls: a poll is finished
only after the one before it, and a commit is made for all that are finished."""

import logging
import time

from kafka.errors import KafkaError

from pipeline.backoff import Backoff
from pipeline.consumer import metrics
from pipeline.consumer.batches import batches, newest
from pipeline.consumer.dead_letters import DeadLetters
from pipeline.consumer.gc_tuning import collect_garbage
from pipeline.consumer.poll import Poll
from pipeline.consumer.polls_in_flight import PollsInFlight
from pipeline.consumer.progress_report import ProgressReport
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
# While polls are in flight: how late it is noticed that Cassandra has answered, if no more records
# come. The answer's own time is what the metrics show.
BUSY_POLL_TIMEOUT_SECONDS = 0.05
# A commit costs as much as a poll of a few records, and only says what need not be read again.
COMMIT_EVERY_SECONDS = 0.1
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
        self._polls = PollsInFlight()
        self._report = ProgressReport(source)
        self._cassandra_outage = Outage("cassandra", log)
        self._kafka_outage = Outage("kafka", log)
        self._kafka_backoff = Backoff()
        self.progress_at = self.waiting_at = time.monotonic()
        self._held_at = self._committed_at = self._recovered_at = self.progress_at
        self.cassandra_unavailable = False
        self.followed: frozenset[str] = frozenset()
        self.records_committed = 0
        self.dead_letters_sent = 0

    def run(self, stop: Stop) -> None:
        """Until `stop` or the source's end. The polls that are being written are finished first,
        unless Cassandra is unavailable; then the next start reads them again."""
        while not (stop.requested or self._source.exhausted):
            taken = self._take(stop)
            if taken:
                self._polls.add(taken)
            if not self._finish_answered(stop):
                return  # nothing after a gap may be committed
            collect_garbage(is_quiet=self._polls.is_small)
            if not taken or self._is_commit_due():
                self._commit()
        while (oldest := self._polls.oldest) and self._finish(oldest, stop):
            pass
        self._commit()

    def _take(self, stop: Stop) -> Poll | None:
        """Steps 1 and 2, and the beginning of 3. None when there are no records."""
        self.progress_at = time.monotonic()
        self._look_after_truncations()
        self._report.lag_if_due()
        if owed := self._truncations.owed():
            return self._start(Poll.without_records(owed))
        try:
            records = self._poll(stop, BUSY_POLL_TIMEOUT_SECONDS if self._polls else POLL_TIMEOUT_SECONDS)  # 1
        except KafkaError as error:
            self._pause_for_kafka(error, self._kafka_backoff, stop)
            return None
        self._kafka_outage.over()
        self._kafka_backoff.reset()
        return self._prepare(records) if records else None  # 2

    def _finish_answered(self, stop: Stop) -> bool:
        """Finish the polls that Cassandra has answered; wait for the oldest if there are too many.
        False when a stop came first."""
        while (oldest := self._polls.oldest) and (self._polls.is_full or oldest.is_answered):
            if not self._finish(oldest, stop):
                self._commit()
                return False
        return True

    def _finish(self, oldest: Poll, stop: Stop) -> bool:
        """Steps 3 and 4. False when a stop came before they were done: then it is not committed,
        and none after it."""
        written = self._write_all(oldest, stop)  # 3
        if written is None or not self._send_dead_letters(oldest, stop):  # 4
            log.warning("stopped_before_confirmation", extra={"records": len(oldest.records)})
            return False
        self._report.written(oldest, written)
        self._polls.finish_oldest()
        return True

    def _is_commit_due(self) -> bool:
        return self._polls.is_commit_due or time.monotonic() - self._committed_at >= COMMIT_EVERY_SECONDS

    def _commit(self) -> None:
        """Step 5, for all polls that are finished."""
        finished = self._polls.finished
        if finished:
            self._source.commit(self._polls.marks())  # 5
            self._committed_at = time.monotonic()
            self.records_committed += sum(len(poll.records) for poll in finished)
            self._report.committed(finished)
            self._polls.committed()

    def _poll(self, stop: Stop, timeout_seconds: float) -> Records:
        tables = self._statements.tables()
        self.followed = self._source.follow(tables & self._only if self._only else tables)
        if not self.followed:
            stop.wait(POLL_TIMEOUT_SECONDS)
        return self._source.poll(timeout_seconds)

    def _prepare(self, records: Records) -> Poll:
        poll = Poll.parse(records, self._source.table_of, self._source.versions)
        self._truncations.apply(poll)
        return self._start(poll)

    def _start(self, poll: Poll) -> Poll:
        try:
            self._writer.start(self._encode(poll))
        except StoreUnavailable:
            pass  # a statement could not be prepared; `_write` encodes again, and `_write_all` waits
        return poll

    def _encode(self, poll: Poll) -> Pending:
        poll.clear_rejections()
        poll.pending = Pending(list(batches(newest(self._encoder.rows(poll)))))
        return poll.pending

    def _write_all(self, poll: Poll, stop: Stop) -> Pending | None:
        """Write until everything is confirmed or rejected. None when a stop came first."""
        backoff = Backoff()
        while True:
            sent_at = poll.pending.sent_at if poll.pending else time.monotonic()
            try:
                written = self._write(poll)
                break
            except StoreUnavailable as error:
                if isinstance(error, SchemaChanged):
                    poll.pending = None
                if stop.requested:
                    return None
                if sent_at >= self._recovered_at:  # else it failed in an outage that is over
                    self._wait_for_cassandra(error, backoff.next_seconds())
        for position, reason in written.refused:
            poll.reject(position, reason)
        if self.cassandra_unavailable:
            self.cassandra_unavailable = False
            self._recovered_at = time.monotonic()
            self._cassandra_outage.over()
            self._source.resume()
        return written

    def _write(self, poll: Poll) -> Pending:
        """One attempt: the one that is under way, else a new one."""
        if poll.truncations:
            self._truncations.start((found for _, found in poll.truncations), self._keep_membership)
            poll.truncations.clear()
        pending = poll.pending or self._encode(poll)
        self._writer.finish(pending, self._is_waiting)
        return pending

    def _is_waiting(self) -> None:
        self.waiting_at = time.monotonic()

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
            self._report.lag(fetch_ends=True)
        except KafkaError as kafka_error:
            self._kafka_outage.failed(kafka_error, seconds)
        self.progress_at = time.monotonic()

    def _pause_for_kafka(self, error: KafkaError, backoff: Backoff, stop: Stop) -> None:
        delay = backoff.next_seconds()
        self._kafka_outage.failed(error, delay)
        stop.wait(delay)
        self.progress_at = time.monotonic()
