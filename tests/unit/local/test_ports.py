import os
import socket
import subprocess

import pytest

from local import ports
from local.layout import ROOT
from local.ports import WantedPort, complaints, free_ports, is_free, preferred


@pytest.fixture
def taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_free_ports_are_different_and_free():
    found = free_ports(20)
    assert len(set(found)) == 20
    assert all(is_free(port) for port in found)


def test_a_port_is_never_handed_out_twice():
    assert not set(free_ports(20)) & set(free_ports(20))


def test_two_processes_at_the_same_time_get_different_ports(python):
    program = (
        "import sys, time; from local import ports\n"
        "ports.FREE_FROM, ports.FREE_TO = map(int, sys.argv[1:])\n"
        "print(ports.free_ports(1)[0], flush=True); time.sleep(600)"
    )
    (first,) = free_ports(1)
    command = [python, "-c", program, str(first), str(first + 20)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        second = int(other.stdout.readline())
        assert first < second < first + 20
        assert not ports._reserve(second)
        other.kill()
    assert ports._reserve(second)


def test_a_taken_port_is_named_with_service_holder_and_setting(taken):
    (line,) = complaints([WantedPort("cassandra", taken, "CASSANDRA_PORT")])
    assert line.startswith(f"port {taken}, needed for cassandra, is taken by pid {os.getpid()} (")
    assert "CASSANDRA_PORT" in line


def test_a_taken_port_is_named_without_a_visible_holder(taken, monkeypatch):
    monkeypatch.setattr(ports.procfs, "listener", lambda port: None)
    (line,) = complaints([WantedPort("kafka", taken, "KAFKA_BOOTSTRAP_SERVERS")])
    assert line.startswith(f"port {taken}, needed for kafka, is taken: ")


def test_two_services_on_one_port_are_named():
    (port,) = free_ports(1)
    lines = complaints([WantedPort("producer", port, "METRICS_PORT"), WantedPort("api", port, "API_PORT")])
    assert lines == [f"port {port} is set for producer and for api: change API_PORT"]


def test_free_ports_cause_no_complaint():
    assert complaints([WantedPort("api", free_ports(1)[0], "API_PORT")]) == []


def test_a_listener_on_every_address_takes_the_port_too():
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        assert not is_free(server.getsockname()[1])


def test_a_preferred_port_is_replaced_when_taken(taken):
    assert preferred(taken) != taken
    (free,) = free_ports(1)
    assert preferred(free) == free
