"""The readiness checks against servers that answer, refuse, or are not there."""

import socket
import struct
import threading
from contextlib import contextmanager

import pytest

from local.checks import cassandra, http, kafka, redis
from local.ports import free_ports
from local.waiting import NotReady


@contextmanager
def server(*replies: bytes):
    """Accepts one connection and answers each message with the next of `replies`."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                for reply in replies:
                    connection.recv(4096)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def cql(opcode: int, body: bytes = b"") -> bytes:
    return struct.pack(">BBhBi", 0x84, 0, 0, opcode, len(body)) + body


@pytest.mark.parametrize(
    "check",
    [
        kafka.answers,
        lambda port: redis.answers(port, "p"),
        lambda port: cassandra.login(port, "u", "p"),
        lambda port: http.answers(f"http://127.0.0.1:{port}/"),
    ],
)
def test_a_closed_port_is_not_ready(check):
    with pytest.raises(NotReady, match="refused"):
        check(free_ports(1)[0])


def test_a_broker_that_answers_is_ready():
    with server(struct.pack(">iih", 6, kafka.CORRELATION_ID, 0)) as port:
        kafka.answers(port)


def test_a_broker_that_hangs_up_is_not_ready():
    with server(b"") as port, pytest.raises(NotReady, match="closed"):
        kafka.answers(port)


def test_a_redis_that_accepts_the_password_and_answers_is_ready():
    with server(b"+OK\r\n", b"+PONG\r\n") as port:
        redis.answers(port, "p")


def test_a_redis_that_refuses_the_password_is_not_ready():
    refusal = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
    with server(refusal) as port, pytest.raises(NotReady, match="AUTH: -WRONGPASS"):
        redis.answers(port, "p")


def test_an_accepted_login_is_ready():
    with server(cql(cassandra.AUTHENTICATE), cql(cassandra.AUTH_SUCCESS, b"\xff\xff\xff\xff")) as port:
        cassandra.login(port, "cassandra", "cassandra")


def test_a_refused_login_repeats_the_message_of_the_server():
    words = b"Provided username cassandra and/or password are incorrect"
    refusal = cql(cassandra.ERROR, struct.pack(">ih", 0x0100, len(words)) + words)
    with server(cql(cassandra.AUTHENTICATE), refusal) as port, pytest.raises(NotReady, match="are incorrect"):
        cassandra.login(port, "cassandra", "wrong")


def test_any_status_but_200_is_not_ready():
    reply = b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    with server(reply) as port, pytest.raises(NotReady, match="503"):
        http.answers(f"http://127.0.0.1:{port}/health")
