"""Every place where the consumer relies on undocumented parts of its client libraries. Read in the
versions below; before a newer one is allowed in requirements.txt, read it again there.
tests/unit/pipeline/consumer/test_driver_internals.py compares each place with what the library
itself does. Knows nothing of tables or of the loop."""

from collections.abc import Sequence
from typing import Any

from cassandra.query import BatchStatement, BatchType, BoundStatement, PreparedStatement
from kafka import KafkaConsumer

READ_IN_VERSIONS = {"cassandra-driver": "3.30", "kafka-python": "3.0"}


class SerialisedRow(BoundStatement):
    """A prepared statement with values that are in wire format already. Skips the driver's own
    constructor and binding, which cost more than everything else on the write path."""

    def __init__(self, prepared: PreparedStatement, values: Sequence[Any]) -> None:
        # Sets what differs from the defaults of the class: no statement of this program has a
        # consistency level, a retry policy or any other option of its own.
        self.prepared_statement = prepared
        self.keyspace = prepared.column_metadata[0].keyspace_name
        self.values = values
        self._routing_key = None


class SerialisedBatch(BatchStatement):
    """Rows of one Cassandra partition, in wire format, as one request. Fills the list that
    `BatchStatement.add` appends to, in one go: its checks per row cost as much as the rest of
    sending. Unlogged is right because all rows belong to one partition: Cassandra applies them as
    one mutation."""

    def __init__(self, prepared: PreparedStatement, rows: Sequence[Sequence[Any]]) -> None:
        super().__init__(BatchType.UNLOGGED)
        first = SerialisedRow(prepared, rows[0])
        self.rows = rows
        self.keyspace = first.keyspace
        self.routing_key = first.routing_key
        self._statements_and_parameters = [(True, prepared.query_id, values) for values in rows]


def keep_joining(consumer: KafkaConsumer) -> bool:
    """Whether the consumer is joining its group; if so, makes sure that the next poll goes on with
    it.

    kafka-python forgets a join that outlasts a poll: the next poll asks again whether a join is
    needed, and the reason (topics that changed) is gone once the leader has assigned them. Then the
    consumer sends no heartbeats, cannot commit and never joins the group again. Java's client asks
    whether a join is "needed or pending"."""
    coordinator = consumer._coordinator
    if coordinator.rejoining:
        coordinator.request_rejoin()
    return bool(coordinator.rejoining)


def topic_id(consumer: KafkaConsumer, topic: str) -> object:
    """Kafka's id of the topic, as of the last list of topics; another topic of the same name has
    another one. None if it is not known."""
    return consumer._cluster.topic_id(topic)
