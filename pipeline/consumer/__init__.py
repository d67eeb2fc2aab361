"""From a Kafka record to a confirmed row in Cassandra. Read in this order: envelope,
../transformations, statements, batches, writer, loop."""
