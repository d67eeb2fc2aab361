"""What the metrics show of polls that were written and committed. Decides nothing."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from kafka.errors import KafkaError

from pipeline.consumer import metrics
from pipeline.consumer.poll import Poll
from pipeline.consumer.writer import Pending
from pipeline.stream.record_source import RecordSource

log = logging.getLogger(__name__)

# The lag costs more than all other metrics of a small poll, and Prometheus asks every few seconds.
LAG_EVERY_SECONDS = 1.0


class ProgressReport:
    """Counts polls."""

    def __init__(self, source: RecordSource, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._lag_at = float("-inf")

    def written(self, poll: Poll, written: Pending) -> None:
        """All rows are confirmed or refused."""
        rows: dict[str, int] = defaultdict(int)
        requests = Counter(table for table, _ in written.confirmed)
        for table, count in written.confirmed:
            rows[table] += count
        for table, count in requests.items():
            metrics.ROWS.labels(table).inc(rows[table])
            metrics.BATCHES.labels(table).inc(count)
        delays: dict[str, list[float]] = {}
        for _, change in poll.changes:
            if change.commit_us:
                delay = max(0, written.finished_us - change.commit_us) / 1e6
                delays.setdefault(change.table, []).append(delay)
        for table, values in delays.items():
            metrics.END_TO_END_SECONDS.observe(table, values)

    def committed(self, polls: Iterable[Poll]) -> None:
        """Their offsets are committed."""
        now = self._clock()
        for poll in polls:
            metrics.POLL_SECONDS.observe(now - poll.began)
            for records in poll.by_partition.values():
                metrics.RECORDS.labels(self._source.table_of(records[0])).inc(len(records))
            for letter in poll.dead_letters:
                metrics.DEAD_LETTERS.labels(self._source.table_of(letter.record)).inc()
            sizes = {"records": len(poll.records), "dead_letters": len(poll.dead_letters)}
            log.debug("poll_committed", extra={**sizes, "took_ms": round((now - poll.began) * 1000)})

    def lag_if_due(self) -> None:
        now = self._clock()
        if now - self._lag_at >= LAG_EVERY_SECONDS:
            self._lag_at = now
            self.lag()

    def lag(self, fetch_ends: bool = False) -> None:
        """Kafka may be unavailable; the loop notices that itself."""
        try:
            for partition, lag in self._source.lag_records(fetch_ends).items():
                metrics.LAG_RECORDS.labels(partition.topic, partition.partition).set(lag)
        except KafkaError as error:
            log.debug("lag_unknown", extra={"error": f"{type(error).__name__}: {error}"})
