"""One chain with three nodes (local/nodes.py) for all tests of this folder."""

from collections.abc import Iterator

import pytest

from local import nodes
from local.stack import CHAIN, Stack
from tests.support.chain.campaign import ChainCampaign
from tests.support.chain.chain_world import ChainWorld
from tests.support.waiting import wait_until

# Changes per second: less than in the long form, as all nodes share two cores with other suites.
RATE = 100


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    folder = tmp_path_factory.mktemp("nodes")
    with Stack(folder, (*CHAIN, "api"), count=nodes.SEVERAL) as stack:
        world = ChainWorld(stack, folder, RATE)
        try:
            for number in nodes.of("consumer", nodes.SEVERAL)[1:]:
                name = nodes.named("consumer", number)
                wait_until(world.start_program(name).healthy, 60, f"the {name}'s health")
            yield world
        finally:
            world.close()


@pytest.fixture(scope="package")
def campaign(world: ChainWorld) -> ChainCampaign:
    return ChainCampaign(world, seed=2, progress=print)
