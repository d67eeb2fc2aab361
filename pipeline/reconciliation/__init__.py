"""Whether exchange, PostgreSQL and Cassandra hold the same rows, what differs, and how to repair
it.

Read in this order: targets (what is compared with what: source_rows, streamed_values, expectation,
stored_rows, raw_protocol, chunks), compare (digests, then candidates), settle (cut), repair;
exchange_rows beside it; reconcile, report; auditor."""
