"""Every place where the consumer relies on undocumented parts of cassandra-driver. Read in the
version below; before a newer one is allowed in requirements.txt, read it again there.
tests/unit/pipeline/consumer/test_driver_internals.py compares each place with what the library
itself does. Knows nothing of tables or of the loop."""

from collections.abc import Sequence
from typing import Any

from cassandra.query import BatchStatement, BatchType, BoundStatement, PreparedStatement

READ_IN_VERSION = "3.30"


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
