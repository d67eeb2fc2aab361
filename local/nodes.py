"""`make demo NODES=3`: which services then have several nodes, and where these are. Node n is the
address 127.0.0.n, with the ports of the first. Starts nothing."""

from collections.abc import Mapping
from dataclasses import replace

from local.ports import exists
from local.service import Service
from pipeline.settings import Settings

SEVERAL = 3
EVERY_ADDRESS = ("0.0.0.0", "::")
# How many of each. One of everything else.
COUNTS: Mapping[str, int] = {"kafka": SEVERAL, "cassandra": SEVERAL, "connect": 2, "consumer": SEVERAL, "api": 2}
# Two of three have every row before it counts: one of them may be dead. The same holds for Kafka's
# records, by the brokers' default (local/services/kafka.py).
COPIES = {
    "CASSANDRA_REPLICATION_FACTOR": str(SEVERAL),
    "CASSANDRA_WRITE_CONSISTENCY": "LOCAL_QUORUM",
    "CASSANDRA_READ_CONSISTENCY": "LOCAL_QUORUM",
}


def host(node: int) -> str:
    return f"127.0.0.{node}"


def named(service: str, node: int) -> str:
    return service if node == 1 else f"{service}-{node}"


def of(service: str, nodes: int) -> list[int]:
    """The nodes of a service in a stack of `nodes`."""
    return list(range(1, min(nodes, COUNTS.get(service, 1)) + 1))


def environ(kafka_port: int, nodes: int) -> dict[str, str]:
    """With which settings all services find the nodes, and how many copies Cassandra keeps."""
    if nodes == 1:
        return {}
    return {
        **COPIES,
        "KAFKA_BOOTSTRAP_SERVERS": ",".join(f"{host(node)}:{kafka_port}" for node in of("kafka", nodes)),
        "CASSANDRA_CONTACT_POINTS": ",".join(map(host, of("cassandra", nodes))),
    }


def at_node(service: Service, node: int, nodes: int) -> Service:
    """The description of a service as that of a node: with the node's name, and after all nodes of
    what it comes after. The second node of Cassandra and the third come after the first, as the
    first tells them who else is there."""
    after = [named(name, each) for name in service.after for each in of(name, nodes)]
    if service.name == "cassandra" and node > 1:
        after.append("cassandra")
    return replace(service, name=named(service.name, node), after=tuple(after))


def complaints(settings: Settings, nodes: int) -> list[str]:
    """One line for each address that this machine lacks (Linux has all of 127.0.0.0/8, macOS
    127.0.0.1 alone), or that the first node would take from the others."""
    if nodes == 1:
        return []
    missing = [host(node) for node in range(2, nodes + 1) if not exists(host(node))]
    taking = [name for name in ("API_HOST", "METRICS_HOST") if getattr(settings, name) in EVERY_ADDRESS]
    return [
        *(f"{address} is not an address of this machine: sudo ifconfig lo0 alias {address} up" for address in missing),
        *(
            f"{name}={getattr(settings, name)} is every node's address: leave it out with NODES={nodes}"
            for name in taking
        ),
    ]
