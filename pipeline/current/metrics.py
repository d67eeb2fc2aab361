"""What the consumer to Redis measures. The metrics answer: does it keep up, is Redis complete, is
anything refused?"""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("redis_consumer_records_total", "Records taken from Kafka", ["table"])
ROWS = Counter("redis_consumer_rows_written_total", "Rows that Redis took", ["table"])
NOT_NEWER = Counter("redis_consumer_rows_not_newer_total", "Rows that Redis had in a later state", ["table"])
REJECTED = Counter("redis_consumer_rejected_total", "Records that hold no row that Redis can keep", ["table"])
RETRIES = Counter("redis_consumer_store_retries_total", "Attempts that Redis did not confirm")
OUT_OF_MEMORY = Counter("redis_consumer_out_of_memory_total", "Attempts that Redis refused because it was full")
REBUILDS = Counter("redis_consumer_rebuilds_total", "How often Redis was found empty and filled again")
COMPLETE = Gauge("redis_consumer_complete", "1 when Redis holds every current row, else 0")
BEHIND_SECONDS = Gauge("redis_consumer_behind_seconds", "Age of the watermark of this consumer's partitions")
LAG_RECORDS = Gauge("redis_consumer_lag_records", "Records in Kafka not yet taken", ["topic", "partition"])
END_TO_END_SECONDS = Histogram(
    "redis_consumer_end_to_end_seconds",
    "From commit in PostgreSQL to the row in Redis, streamed changes only",
    buckets=(0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 15, 60, 300, 3600),
)
