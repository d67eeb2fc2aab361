"""Whether exchange, PostgreSQL, Cassandra and Redis hold the same rows, what differs, and how to
repair it.

Read in this order: targets (what is compared with what: source_rows, streamed_values, expectation,
stored_rows, raw_protocol, chunks), compare (digests, then candidates), settle (cut), repair; what
the stores are: side, cassandra_side (catalogue), redis_side (redis_rows, filled_redis); exchange_*
beside it; reconcile, report; auditor."""
