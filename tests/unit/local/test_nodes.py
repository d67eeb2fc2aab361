"""Where the nodes of `make demo NODES=3` are, and in which order they start."""

from pathlib import Path

import pytest

from local import nodes
from local.stack import CATALOG, INFRASTRUCTURE, Stack
from pipeline.settings import load


@pytest.fixture
def three(tmp_path: Path) -> Stack:
    return Stack(tmp_path, CATALOG, count=nodes.SEVERAL)


def test_one_node_has_no_numbers(tmp_path: Path) -> None:
    stack = Stack(tmp_path, INFRASTRUCTURE)
    assert set(stack.services) == set(INFRASTRUCTURE)
    assert stack.environ["KAFKA_BOOTSTRAP_SERVERS"] == f"127.0.0.1:{stack.ports.kafka}"
    assert "CASSANDRA_REPLICATION_FACTOR" not in stack.environ


def test_three_nodes_and_where_programs_find_them(three: Stack) -> None:
    several = {name for name in three.services if name.rpartition("-")[2].isdigit()}
    assert several == {
        "kafka-2", "kafka-3", "cassandra-2", "cassandra-3", "connect-2", "consumer-2", "consumer-3", "api-2",
    }  # fmt: skip
    kafka, cassandra = three.ports.kafka, three.environ["CASSANDRA_CONTACT_POINTS"]
    assert three.environ["KAFKA_BOOTSTRAP_SERVERS"] == f"127.0.0.1:{kafka},127.0.0.2:{kafka},127.0.0.3:{kafka}"
    assert cassandra == "127.0.0.1,127.0.0.2,127.0.0.3"
    assert three.services["consumer-2"].environ["METRICS_HOST"] == "127.0.0.2"
    assert three.services["api-2"].environ["API_HOST"] == "127.0.0.2"
    assert "METRICS_HOST" not in three.services["consumer"].environ


def test_what_comes_after_a_service_comes_after_all_its_nodes(three: Stack) -> None:
    assert set(three.services["connect-2"].after) == {"kafka", "kafka-2", "kafka-3"}
    assert set(three.services["cassandra-schema"].after) == {"cassandra", "cassandra-2", "cassandra-3"}


def test_the_other_nodes_of_cassandra_come_after_the_first_and_brokers_start_together(three: Stack) -> None:
    assert three.services["cassandra"].after == ()
    assert three.services["cassandra-3"].after == ("cassandra",)
    assert [three.services[name].after for name in ("kafka", "kafka-2", "kafka-3")] == [(), (), ()]


def test_each_node_is_configured_for_its_own_address(three: Stack) -> None:
    for number in (1, 2, 3):
        name = nodes.named("kafka", number)
        (three.state_dir / name / "data").mkdir(parents=True)
        (three.state_dir / name / "data" / "meta.properties").touch()
        three.services[name].prepare(lambda *_, **__: None)
        text = (three.state_dir / name / "kafka.properties").read_text()
        assert f"\nnode.id={number}\n" in text
        assert f"advertised.listeners=PLAINTEXT://127.0.0.{number}:{three.ports.kafka}\n" in text
        assert "\ndefault.replication.factor=3\nmin.insync.replicas=2\n" in text
        assert text.count("@127.0.0.") == 3


def test_address_of_every_node_is_refused_as_the_first_would_take_the_others() -> None:
    found = load("local", {"API_HOST": "0.0.0.0"}, "/dev/null")
    assert nodes.complaints(found, 1) == []
    assert nodes.complaints(found, 3) == ["API_HOST=0.0.0.0 is every node's address: leave it out with NODES=3"]


def test_address_that_this_machine_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "exists", lambda host: host != "127.0.0.3")
    [line] = nodes.complaints(load("local", {}, "/dev/null"), 3)
    assert line == "127.0.0.3 is not an address of this machine: sudo ifconfig lo0 alias 127.0.0.3 up"
