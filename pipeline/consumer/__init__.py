"""From a Kafka record to a confirmed row in Cassandra.

Read in this order: record_source (kafka_source: followed_topics,
rebalances, lost_records; dead_letter_source), envelope,
row_versions, ../transformations, poll, truncations, row_encoder, statements (cql_values), batches,
writer (driver_internals), dead_letters, loop, connected_loop. Beside the path: metrics
(bulk_histogram), gc_tuning, progress_watchdog, dead_letter_list."""
