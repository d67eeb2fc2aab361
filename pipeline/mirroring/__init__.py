"""One table of PostgreSQL mirrored into Cassandra: what mirror_table.py does, step by step. Knows
PostgreSQL's catalogue, Cassandra's schema and Kafka's offsets; knows nothing of how the consumer
writes a row."""
