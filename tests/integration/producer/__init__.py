"""The real producer against a simulated exchange and a real PostgreSQL. No Kafka, no Cassandra."""
