"""The whole chain under load and faults: PostgreSQL, Debezium, Kafka, consumer and Cassandra as
real processes, a steady stream of changes, something that goes wrong, and the question whether
Cassandra equals PostgreSQL afterwards."""
