"""The short form of the fault suite on three nodes: one node of each kind is killed while rows
change, one of Cassandra hangs, and one of Kafka. tests/compose_cluster has the long form."""

import re
import time
from collections.abc import Callable
from functools import reduce
from itertools import count
from random import Random

import pytest
import requests

from local import nodes
from tests.support.api_client import Client
from tests.support.chain.campaign import ChainCampaign
from tests.support.chain.chain_world import ChainWorld
from tests.support.chain.load import Load
from tests.support.chain.scenarios import Scenario
from tests.support.waiting import wait_until

# Of docs/cluster.md: 5 and 15 s. Here other suites run at the same time; for the second,
# `wait_until` has patience.
MAX_GAP_SECONDS = 15.0
MAX_FRESH_SECONDS = 20.0
PRICE = (
    "INSERT INTO latest_prices VALUES ('NODEUSDT', %s, clock_timestamp()) ON CONFLICT (symbol) DO UPDATE SET"
    " price = excluded.price, updated_at = excluded.updated_at"
)
PRICES = count(1)  # each change has its own


def api_urls(world: ChainWorld) -> list[str]:
    return [f"http://{nodes.host(node)}:{world.stack.ports.api}" for node in nodes.of("api", nodes.SEVERAL)]


def ask(world: ChainWorld, path: str) -> requests.Response:
    """As the proxy of docker-compose.cluster.yml does: the other process when one does not
    answer."""
    first, second = (url + path for url in api_urls(world))
    try:
        found = requests.get(first, timeout=10)
    except requests.ConnectionError:
        return requests.get(second, timeout=10)
    return found if found.status_code != 503 else requests.get(second, timeout=10)


def readable_after(world: ChainWorld) -> float:
    """Seconds from a change of a row until the API answers it."""
    price, began = next(PRICES), time.monotonic()
    world.sql(PRICE, price)

    def arrived() -> object:
        found = ask(world, "/latest_prices?symbol=NODEUSDT&limit=1")
        return (found.status_code == 200 and [row["price"] for row in found.json()] == [price]) or found.text

    wait_until(arrived, MAX_FRESH_SECONDS, "the row in the API")
    return time.monotonic() - began


def one_fails(what: str, name: str, fail: Callable[[str], None], recover: Callable[[str], None]) -> Scenario:
    def act(world: ChainWorld, load: Load, random: Random) -> None:
        load.more(random.randint(20, 80))
        with Client(lambda path: ask(world, path)) as client:
            began = time.time()
            fail(name)
            try:
                fresh = readable_after(world)
                load.more(100)
            finally:
                recover(name)
            load.more(50)
            ended = time.time()
        gap, (refused, asked) = client.longest_gap(began, ended), client.refused(began, ended)
        figures = f"longest gap {gap:.1f} s, {refused} of {asked} refused, fresh after {fresh:.1f} s"
        print(f"    {name}: {figures}", flush=True)
        assert gap < MAX_GAP_SECONDS

    return Scenario(f"{what} of {name}", act)


def test_everything_has_three_copies(world: ChainWorld) -> None:
    rows = world.cassandra_admin.execute("SELECT keyspace_name, replication FROM system_schema.keyspaces")
    copies = {row["keyspace_name"]: row["replication"].get("datacenter1") for row in rows}
    assert (copies["crypto"], copies["system_auth"]) == ("3", "3")
    with world.kafka_admin() as admin:
        topics = admin.describe_topics()
    of_topics = {one["name"]: {len(partition["replica_nodes"]) for partition in one["partitions"]} for one in topics}
    assert {name: found for name, found in of_topics.items() if found != {nodes.SEVERAL}} == {}
    assert {"crypto.connect.offsets", "__consumer_offsets"} <= set(of_topics)
    # A consumer is healthy a moment before it is a member.
    wait_until(lambda: len(world.members()) == nodes.SEVERAL or world.members(), 30, "three members of the group")


def with_task(world: ChainWorld) -> str:
    """The service of the worker that runs the connector."""
    url = f"http://{nodes.host(1)}:{world.stack.ports.connect}/connectors/crypto-postgres/status"
    worker = requests.get(url, timeout=5).json()["tasks"][0]["worker_id"]
    return nodes.named("connect", int(re.findall(r"127\.0\.0\.(\d)", worker)[0]))


def coordinator(world: ChainWorld, group: str) -> str:
    """The broker that coordinates the group: the leader of its partition of __consumer_offsets,
    which is the absolute value of Java's hash code of the name, modulo their number."""
    with world.kafka_admin() as admin:
        [topic] = admin.describe_topics(["__consumer_offsets"])
    leaders = {partition["partition_index"]: partition["leader_id"] for partition in topic["partitions"]}
    code = reduce(lambda code, letter: (31 * code + ord(letter)) % 2**32, group, 0)
    return nodes.named("kafka", leaders[min(code, 2**32 - code) % len(leaders)])


@pytest.mark.parametrize("name", ["kafka-2", "cassandra-2", "connect", "consumer-2", "api"])
def test_nothing_is_lost_when_one_dies(world: ChainWorld, campaign: ChainCampaign, name: str) -> None:
    """Of the workers the one that runs the connector."""
    victim = with_task(world) if name == "connect" else name
    result = campaign.run(one_fails("kill -9", victim, world.kill, world.start))
    assert result.errors == []
    assert result.rows_compared > 100


def test_cassandra_node_that_hangs_stops_nobody(world: ChainWorld, campaign: ChainCampaign) -> None:
    """The driver gives it up after 10 s."""
    assert campaign.run(one_fails("hanging", "cassandra-3", world.hang, world.go_on)).errors == []


def test_broker_that_hangs_while_it_coordinates_the_workers(world: ChainWorld, campaign: ChainCampaign) -> None:
    """They learn from another broker who is the new one, after 10 s and not after their default of
    40; the connector's task goes on after that."""
    victim = coordinator(world, "crypto-connect")
    assert campaign.run(one_fails("hanging", victim, world.hang, world.go_on)).errors == []
