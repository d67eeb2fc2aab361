"""What every consumer of the captured changes shares: from Kafka to a change with its version.

Read in this order: record_source (kafka_source: group_member, followed_topics, rebalances,
kafka_offsets, lost_records, fetch_wait, kafka_internals, fetched_records), envelope
(unchanged_values), row_versions. Beside the path: progress_watchdog."""
