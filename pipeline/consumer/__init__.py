"""From a Kafka record to a confirmed row in Cassandra.

Read in this order: record_source (kafka_source, dead_letter_source), envelope, ../transformations,
poll, row_encoder (tie_breaker), statements (cql_values), batches, writer (driver_internals),
dead_letters, loop, connected_loop. Beside the path: metrics (bulk_histogram), gc_tuning,
dead_letter_list."""
