"""The consumer's metrics. They answer: does it keep up, is anything lost or refused?"""

from prometheus_client import Counter, Gauge, Histogram

from pipeline.consumer.bulk_histogram import BulkHistogram

RECORDS = Counter("consumer_records_total", "Records taken from Kafka", ["table"])
ROWS = Counter("consumer_rows_written_total", "Rows that Cassandra confirmed", ["table"])
BATCHES = Counter("consumer_batches_written_total", "Requests that wrote them", ["table"])
DEAD_LETTERS = Counter("consumer_dead_letters_total", "Records that can never be written", ["table"])
UNKNOWN_COLUMNS = Counter(
    "consumer_unknown_columns_total", "Values of columns that the Cassandra table lacks", ["table", "column"]
)
MISSING_COLUMNS = Counter(
    "consumer_missing_columns_total", "Rows whose change lacked a column of the Cassandra table", ["table", "column"]
)
RETRIES = Counter("consumer_store_retries_total", "Writes repeated because Cassandra did not confirm")
POLL_SECONDS = Histogram(
    "consumer_poll_seconds",
    "From taking a poll's records to committing their offsets",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
WRITE_SECONDS = Histogram(
    "consumer_write_seconds",
    "From sending a poll's first request to Cassandra to the confirmation of its last",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
END_TO_END_SECONDS = BulkHistogram(
    "consumer_end_to_end_seconds",
    "From commit in PostgreSQL to confirmed write in Cassandra, streamed changes only",
    "table",
    buckets=(0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 15, 60, 300, 3600),
)
LAG_RECORDS = Gauge("consumer_lag_records", "Records in Kafka not yet taken", ["topic", "partition"])
