"""The whole chain under load and faults: PostgreSQL, Debezium, Kafka, consumer and Cassandra as
real processes, a steady stream of changes, a fault, and a comparison of Cassandra with PostgreSQL
afterwards."""
