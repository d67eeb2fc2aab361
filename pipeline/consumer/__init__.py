"""From a Kafka record to a confirmed row in Cassandra.

Read in this order: ../stream, ../transformations, poll, truncations, row_encoder, statements
(cql_values), batches, writer (round, driver_internals, request_frames), dead_letters,
polls_in_flight, loop, connected_loop. Beside the path: metrics (progress_report, bulk_histogram),
gc_tuning, dead_letter_source, dead_letter_list."""
