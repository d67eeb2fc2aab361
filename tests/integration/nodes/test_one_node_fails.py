"""The short form of the fault suite on three nodes: one node of each kind is killed while rows
change, and one of Cassandra hangs. tests/compose_cluster has the long form."""

import re
import signal
import time
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

# Of docs/cluster.md: 5 and 15 s. Here other suites run at the same time.
MAX_GAP_SECONDS = 15.0
MAX_FRESH_SECONDS = 60.0
PRICE = (
    "INSERT INTO latest_prices VALUES ('NODEUSDT', %s, clock_timestamp()) ON CONFLICT (symbol) DO UPDATE SET"
    " price = excluded.price, updated_at = excluded.updated_at"
)


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


def readable_after(world: ChainWorld, price: int) -> float:
    """Seconds from a change of a row until the API answers it."""
    began = time.monotonic()
    world.sql(PRICE, price)

    def arrived() -> object:
        found = ask(world, "/latest_prices?symbol=NODEUSDT&limit=1")
        return (found.status_code == 200 and [row["price"] for row in found.json()] == [price]) or found.text

    wait_until(arrived, MAX_FRESH_SECONDS, "the row in the API")
    return time.monotonic() - began


def one_fails(name: str, price: int, hangs: bool = False) -> Scenario:
    """It is killed and started again, or stopped without ending and continued."""

    def act(world: ChainWorld, load: Load, random: Random) -> None:
        load.more(random.randint(50, 200))
        with Client(lambda path: ask(world, path)) as client:
            began = time.time()
            world.stack.kill(name, signal.SIGSTOP) if hangs else world.kill(name)
            fresh = readable_after(world, price)
            load.more(200)
            world.stack.kill(name, signal.SIGCONT) if hangs else world.start(name)
            load.more(50)
            ended = time.time()
        gap, (refused, asked) = client.longest_gap(began, ended), client.refused(began, ended)
        figures = f"longest gap {gap:.1f} s, {refused} of {asked} refused, fresh after {fresh:.1f} s"
        print(f"    {name}: {figures}", flush=True)
        assert gap < MAX_GAP_SECONDS

    return Scenario(f"{name} hangs" if hangs else f"kill -9 of {name}", act)


def test_everything_has_three_copies(world: ChainWorld) -> None:
    rows = world.cassandra_admin.execute("SELECT keyspace_name, replication FROM system_schema.keyspaces")
    copies = {row["keyspace_name"]: row["replication"].get("datacenter1") for row in rows}
    assert (copies["crypto"], copies["system_auth"]) == ("3", "3")
    assert len(world.members()) == nodes.SEVERAL


def with_task(world: ChainWorld) -> str:
    """The service of the worker that runs the connector."""
    url = f"http://{nodes.host(1)}:{world.stack.ports.connect}/connectors/crypto-postgres/status"
    worker = requests.get(url, timeout=5).json()["tasks"][0]["worker_id"]
    return nodes.named("connect", int(re.findall(r"127\.0\.0\.(\d)", worker)[0]))


@pytest.mark.parametrize("number", range(5), ids=["broker", "cassandra", "worker", "consumer", "api"])
def test_nothing_is_lost_when_one_dies(world: ChainWorld, campaign: ChainCampaign, number: int) -> None:
    victims = ("kafka-2", "cassandra-2", with_task(world), "consumer-2", "api")
    result = campaign.run(one_fails(victims[number], price=number + 1))
    assert result.errors == []
    assert result.rows_compared > 100


def test_cassandra_node_that_hangs_stops_nobody(world: ChainWorld, campaign: ChainCampaign) -> None:
    """It keeps its connections open and answers nothing: the driver gives it up after 10 s."""
    assert campaign.run(one_fails("cassandra-3", price=10, hangs=True)).errors == []
