"""Every place where the consumer relies on undocumented parts of cassandra-driver. Read in the
version below; before a newer one is allowed in requirements.txt, read it again there.
tests/unit/pipeline/consumer/test_driver_internals.py compares each place with what the library
itself does. Knows nothing of tables or of the loop."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Session
from cassandra.connection import Connection
from cassandra.pool import HostConnection
from cassandra.protocol import ProtocolHandler
from cassandra.query import BatchStatement, BatchType, BoundStatement, PreparedStatement, Statement
from cassandra.segment import Segment

from pipeline.consumer.request_frames import RESULT, VERSION, message

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


class Request(NamedTuple):
    """A write: rows of one Cassandra partition in wire format."""

    prepared: PreparedStatement
    rows: Sequence[Sequence[Any]]

    def statement(self) -> Statement:
        """As the driver sends it: a single row by itself, several as one unlogged batch."""
        if len(self.rows) == 1:
            return SerialisedRow(self.prepared, self.rows[0])
        return SerialisedBatch(self.prepared, self.rows)


# Called with the error that was answered, None when Cassandra confirmed.
Answer = Callable[[Exception | None], None]
Sending = tuple[Request, Answer]


class Sender:
    """Sends writes through the connections of a session, many at once. The driver itself makes a
    dozen objects, two locks and a timer per request, and wakes its thread for each; measured, that
    was half of the consumer's time when rows are spread over many partitions. Its timer and its
    request also refer to each other for ten seconds: such cycles, thousands per second, are what
    Python's garbage collector stopped the process for.

    Only success is handled here. After any other answer the driver sends the request again in its
    own way: it prepares statements again, tries other nodes, and knows what an error is."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def send(self, sendings: Iterable[Sending]) -> None:
        """The answers come later, in the driver's thread; some of them, e.g. when there is no
        connection, before this returns."""
        by_pool: dict[HostConnection | None, list[Sending]] = defaultdict(list)
        for sending in sendings:
            by_pool[self._pool(sending[0])].append(sending)
        for pool, group in by_pool.items():
            connection = pool and usable_connection(pool)
            if connection:
                self._send_at_once(pool, connection, group)
            else:
                for request, answer in group:
                    self._send_by_driver(request, answer)

    def _pool(self, request: Request) -> HostConnection | None:
        """The connection to the node that stores the rows; the driver's policy knows it."""
        pools = self._session._pools
        if len(pools) < 2:
            return next(iter(pools.values()), None)
        profile = self._session.get_execution_profile(EXEC_PROFILE_DEFAULT)
        plan = profile.load_balancing_policy.make_query_plan(None, request.statement())
        return next((pools[host] for host in plan if host in pools), None)

    def _send_at_once(self, pool: HostConnection, connection: Connection, group: list[Sending]) -> None:
        consistency = self._session.get_execution_profile(EXEC_PROFILE_DEFAULT).consistency_level
        messages = [message(request.prepared, request.rows, consistency) for request, _ in group]
        with connection.lock:
            connection.in_flight += len(group)
            streams = [connection.get_request_id() for _ in group]
        for stream, (request, answer) in zip(streams, group):
            answered = partial(self._answered, pool, connection, request, answer)
            connection._requests[stream] = (answered, decode, None)
        connection.push(in_segments(connection, [part.frame(stream) for part, stream in zip(messages, streams)]))

    def _answered(
        self, pool: HostConnection, connection: Connection, request: Request, answer: Answer, response: Any
    ) -> None:
        pool.return_connection(connection)
        if response is None:
            answer(None)
        else:  # not in the driver's thread, which must not wait for another connection
            self._session.submit(self._send_by_driver, request, answer)

    def _send_by_driver(self, request: Request, answer: Answer) -> None:
        try:
            future = self._session.execute_async(request.statement(), timeout=None)
            future.add_callbacks(lambda _rows: answer(None), answer)
        except Exception as error:  # in a thread of the driver it would be lost
            answer(error)


def usable_connection(pool: HostConnection) -> Connection | None:
    connection = pool._connection
    if connection is None or pool.is_shutdown or connection.is_closed or connection.is_defunct:
        return None
    if connection.protocol_version != VERSION or connection.orphaned_threshold_reached:
        return None
    return connection if connection.in_flight < connection.max_request_id // 2 else None


def in_segments(connection: Connection, frames: Iterable[bytes]) -> bytes:
    """Frames as they go over the connection: as many together in a checksummed segment as fit."""
    buffer, size = io.BytesIO(), 0
    together: list[bytes] = []
    encode = connection._segment_codec.encode
    for frame in frames:
        if together and size + len(frame) > Segment.MAX_PAYLOAD_LENGTH:
            encode(buffer, b"".join(together))
            together, size = [], 0
        together.append(frame)
        size += len(frame)
    encode(buffer, b"".join(together))
    return buffer.getvalue()


def decode(*arguments: Any) -> Any:
    """For the driver in place of its own `decode_message`, with the same arguments: None for a
    result, which for a write holds nothing."""
    return None if arguments[4] == RESULT else ProtocolHandler.decode_message(*arguments)
