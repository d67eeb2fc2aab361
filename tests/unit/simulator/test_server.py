"""The real server: connections stay open, faults break them, it stops at once, and a port in use is
reported in one line."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from simulator.web.app import create_app
from simulator.web.server import PortTaken, open_server

from .conftest import REPOSITORY, SAMPLES


@pytest.fixture
def server(market):
    server = open_server(create_app(market), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def connection(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield connection
    connection.close()


def call(connection, path, method="GET", body=None):
    connection.request(method, path, body)
    reply = connection.getresponse()
    return reply, reply.read()


def test_one_connection_serves_many_requests(connection):
    call(connection, "/api/v3/ping")
    opened = connection.sock
    for path in ("/api/v3/ticker/price", "/api/v3/klines?symbol=BTCUSDT", "/nothing", "/sim/report") * 5:
        reply, _ = call(connection, path)
        assert reply.version == 11
        assert reply.getheader("Connection") is None
    call(connection, "/sim/faults", "POST", '{"kind": "slow", "seconds": 0}')
    call(connection, "/api/v3/ping", "POST", "a body that no route reads")
    assert call(connection, "/api/v3/ping")[1] == b"{}\n"
    assert connection.sock is opened


def test_disconnect_ends_the_connection_without_a_reply(connection):
    call(connection, "/sim/faults", "POST", '{"kind": "disconnect", "count": 1}')
    with pytest.raises(http.client.RemoteDisconnected):
        call(connection, "/api/v3/ping")
    connection.close()
    assert call(connection, "/api/v3/ping")[0].status == 200


def test_short_body_ends_before_its_declared_length(connection):
    call(connection, "/sim/faults", "POST", '{"kind": "truncated", "content_length": "full", "count": 1}')
    with pytest.raises(http.client.IncompleteRead) as broken:
        call(connection, "/api/v3/ticker/price")
    assert broken.value.partial.startswith(b'[{"symbol"')


def test_a_port_in_use_is_refused(market, server):
    with pytest.raises(PortTaken, match=f"127.0.0.1:{server.port}"):
        open_server(create_app(market), "127.0.0.1", server.port)


def started(*options):
    words = [sys.executable, "-m", "simulator", "--port", "0", *options]
    return subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_program_logs_what_it_shows_and_stops_cleanly_on_a_signal(number):
    program = started("--replay", str(SAMPLES))
    line = program.stderr.readline()
    assert "NOT the real exchange" in line
    assert "ALGOUSDT-1m-2024-09-03.csv by " in line
    os.kill(program.pid, number)
    assert program.wait(timeout=5) == 0
    program.stderr.close()


def test_a_port_in_use_and_a_bad_file_are_one_line_and_status_1(tmp_path):
    (tmp_path / "BTCUSDT-1m-2026.csv").write_text("1,2,3\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for options in (["--port", str(taken.getsockname()[1])], ["--replay", str(tmp_path)]):
            program = started(*options)
            _, errors = program.communicate(timeout=20)
            assert (program.returncode, len(errors.splitlines())) == (1, 1)
            assert errors.startswith("simulator: ")
