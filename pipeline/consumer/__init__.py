"""From a Kafka record to a confirmed row in Cassandra.

Read in this order: ../stream, ../transformations, poll, truncations, row_encoder, statements
(cql_values), batches, writer (driver_internals), dead_letters, loop, connected_loop. Beside the
path: metrics (bulk_histogram), gc_tuning, dead_letter_source, dead_letter_list."""
