"""Sender against the driver's own connection and pool: only the socket is missing."""

import gc
import struct
from types import SimpleNamespace

import pytest
from cassandra import ConsistencyLevel, ProtocolVersion, cqltypes
from cassandra.cluster import ExecutionProfile
from cassandra.connection import Connection, ConnectionShutdown, DefaultEndPoint
from cassandra.policies import HostDistance, SimpleConvictionPolicy
from cassandra.pool import Host, HostConnection
from cassandra.protocol import BatchMessage, ColumnMetadata, ExecuteMessage, ProtocolHandler
from cassandra.query import UNSET_VALUE, BatchType, PreparedStatement

from pipeline.consumer.driver_internals import Request, Sender
from pipeline.consumer.request_frames import VERSION, message
from pipeline.consumer.round import Round
from tests.unit.support.fake_cassandra import FakeFuture

ROWS = [(b"ETHUSDT", b"1m", None), (b"BTCUSDT", b"", UNSET_VALUE), (b"x" * 300, b"5m", b"\0" * 8)]
RESULT, ERROR, VOID = 0x08, 0x00, struct.pack(">i", 1)
OVERLOADED = struct.pack(">iH", 0x1001, 4) + b"busy"


@pytest.fixture
def prepared():
    names = {"symbol": cqltypes.UTF8Type, "interval": cqltypes.UTF8Type, "close_price": cqltypes.DoubleType}
    metadata = [ColumnMetadata("crypto", "klines", name, kind) for name, kind in names.items()]
    return PreparedStatement(metadata, b"id", [0], "INSERT …", "crypto", ProtocolVersion.V5, [], b"result id")


class Wire(Connection):
    """The driver's connection; what it would send is kept in `pushed`."""

    def __init__(self, address="127.0.0.1"):
        super().__init__(DefaultEndPoint(address), protocol_version=VERSION)
        self._enable_checksumming()
        self.pushed = []

    def push(self, data):
        self.pushed.append(data)

    def close(self):
        self.is_closed = True

    def frames(self):
        """(stream, opcode, body) of everything that was sent, and the number of segments."""
        reader, payload, segments = Wire.__new__(Wire), b"", 0
        Connection.__init__(reader, self.endpoint, protocol_version=VERSION)
        reader._enable_checksumming()
        for data in self.pushed:
            reader._iobuf.write(data)
        while reader._io_buffer.readable_io_bytes():
            reader._process_segment_buffer()
            reader._io_buffer.reset_io_buffer()
            segments += 1
        payload = reader._io_buffer.cql_frame_buffer.getvalue()
        found = []
        while payload:
            _, _, stream, opcode, length = struct.unpack(">BBhBi", payload[:9])
            found.append((stream, opcode, payload[9 : 9 + length]))
            payload = payload[9 + length :]
        return found, segments

    def receive(self, stream, opcode, body):
        frame = struct.pack(">BBhBi", VERSION | 0x80, 0, stream, opcode, len(body)) + body
        self._segment_codec.encode(self._iobuf, frame)
        self.process_io_buffer()


class SessionWithOneNode:
    """`by_driver`: the statements that the driver was asked to send; it answers `driver_error`."""

    def __init__(self, connection):
        self.cluster = SimpleNamespace(connection_factory=lambda *_, **__: connection)
        self.keyspace = None
        host = Host(connection.endpoint, SimpleConvictionPolicy)
        self.pool = HostConnection(host, HostDistance.LOCAL, self)
        self._pools = {host: self.pool}
        self.by_driver = []
        self.driver_error = None

    def get_execution_profile(self, _name):
        return ExecutionProfile(consistency_level=ConsistencyLevel.LOCAL_ONE)

    def execute_async(self, statement, timeout):
        self.by_driver.append(statement)
        return FakeFuture(self.driver_error)

    def submit(self, function, *arguments):
        function(*arguments)


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def session(wire):
    return SessionWithOneNode(wire)


@pytest.fixture
def send(session):
    """Sends requests; returns the list that their answers are added to, as (number, error)."""

    def start(*requests):
        answers = []
        sendings = [(one, lambda error, n=n: answers.append((n, error))) for n, one in enumerate(requests)]
        Sender(session).send(sendings)
        return answers

    return start


@pytest.mark.parametrize("row", ROWS)
def test_single_row_is_the_message_that_the_driver_would_send(prepared, row):
    theirs = ExecuteMessage(b"id", row, ConsistencyLevel.LOCAL_ONE, result_metadata_id=b"result id")
    frame = ProtocolHandler.encode_message(theirs, 77, VERSION, None, False)
    assert message(prepared, [row], ConsistencyLevel.LOCAL_ONE).frame(77) == frame


def test_batch_is_the_message_that_the_driver_would_send(prepared):
    queries = [(True, b"id", row) for row in ROWS]
    theirs = BatchMessage(BatchType.UNLOGGED, queries, ConsistencyLevel.LOCAL_QUORUM)
    frame = ProtocolHandler.encode_message(theirs, 5, VERSION, None, False)
    assert message(prepared, ROWS, ConsistencyLevel.LOCAL_QUORUM).frame(5) == frame


def test_requests_go_out_together_and_each_answer_finds_its_own(prepared, wire, session, send):
    answers = send(*(Request(prepared, [row]) for row in ROWS), Request(prepared, ROWS))
    frames, segments = wire.frames()
    assert (len(wire.pushed), segments, len(frames)) == (1, 1, 4)
    for stream, _, _ in reversed(frames):
        wire.receive(stream, RESULT, VOID)
    assert answers == [(3, None), (2, None), (1, None), (0, None)]
    assert session.by_driver == []


def test_more_than_a_segment_is_sent_in_several(prepared, wire, send):
    large = b"x" * 50_000
    send(*[Request(prepared, [(b"A", large, None)])] * 5, Request(prepared, [(b"A", large * 6, None)]))
    frames, segments = wire.frames()
    assert [len(body) > 6 * len(large) for _, _, body in frames] == [False] * 5 + [True]
    assert segments == 3 + 3


def test_streams_and_places_are_free_again_after_the_answers(prepared, wire, send):
    for _ in range(3):
        send(*[Request(prepared, ROWS)] * 10)
        for stream, _, _ in wire.frames()[0]:
            wire.receive(stream, RESULT, VOID)
        wire.pushed.clear()
    assert wire.in_flight == 0
    assert wire._requests == {}
    assert len(set(wire.request_ids)) == len(wire.request_ids)


def test_answer_that_is_no_success_is_left_to_the_driver(prepared, wire, session, send):
    session.driver_error = RuntimeError("what the driver says")
    answers = send(Request(prepared, ROWS))
    wire.receive(wire.frames()[0][0][0], ERROR, OVERLOADED)
    assert answers == [(0, session.driver_error)]
    assert [sent.rows for sent in session.by_driver] == [ROWS]
    assert wire.in_flight == 0


def test_connection_that_is_lost_leaves_its_requests_to_the_driver(prepared, wire, session, send):
    session.cluster.signal_connection_failure = lambda *_, **__: True
    answers = send(*[Request(prepared, ROWS)] * 3)
    wire.is_closed = True
    wire.error_all_requests(ConnectionShutdown("lost"))
    assert sorted(answers) == [(0, None), (1, None), (2, None)]
    assert len(session.by_driver) == 3


@pytest.mark.parametrize("reason", ["is_closed", "is_defunct", "orphaned_threshold_reached"])
def test_connection_that_cannot_be_used_is_left_to_the_driver(prepared, wire, session, send, reason):
    setattr(wire, reason, True)
    assert send(Request(prepared, ROWS)) == [(0, None)]
    assert wire.pushed == []
    assert len(session.by_driver) == 1


def test_of_several_nodes_the_one_that_stores_the_rows_gets_them(prepared, wire, session, send, monkeypatch):
    """As the driver's policy has it: here the second node stores what begins with B."""
    other = SessionWithOneNode(Wire("127.0.0.2"))
    session._pools |= other._pools
    first, second = session._pools

    class Plan:
        def make_query_plan(self, _keyspace, statement):
            return iter([second, first] if statement.routing_key.startswith(b"B") else [first, second])

    profile = ExecutionProfile(load_balancing_policy=Plan())
    monkeypatch.setattr(session, "get_execution_profile", lambda _name: profile)
    send(*(Request(prepared, [row]) for row in ROWS), Request(prepared, ROWS[1:]))
    assert len(wire.frames()[0]) == 2
    assert len(other.pool._connection.frames()[0]) == 2


def test_error_while_a_request_is_made_takes_no_place_on_the_connection(prepared, wire, send):
    with pytest.raises(TypeError):
        send(Request(prepared, [(7,)]))
    assert wire.in_flight == 0
    assert wire._requests == {}


def test_request_that_succeeds_leaves_no_cycle_behind(prepared, wire, session):
    """Cycles are freed only by the garbage collector, which stops the process meanwhile."""
    sender = Sender(session)

    def write(count):
        for _ in range(count):
            written = Round(sender, [Request(prepared, ROWS)] * 100)
            for stream, _, _ in wire.frames()[0]:
                wire.receive(stream, RESULT, VOID)
            wire.pushed.clear()
            assert written.wait(0)

    write(1)
    gc.collect()
    gc.disable()
    try:
        write(3)
        assert gc.collect() < 10, "the fake of the wire leaves a few"
    finally:
        gc.enable()
