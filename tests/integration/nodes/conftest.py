"""One chain with three nodes (local/nodes.py) for all tests of this folder."""

from collections.abc import Iterator

import pytest

from local import nodes
from local.stack import CHAIN
from tests.support.chain.campaign import ChainCampaign
from tests.support.chain.chain_world import ChainWorld, running

# Changes per second: less than in the long form, as all nodes share two cores with other suites.
RATE = 100


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    with running(tmp_path_factory.mktemp("nodes"), (*CHAIN, "api"), RATE, nodes.SEVERAL) as world:
        yield world


@pytest.fixture(scope="package")
def campaign(world: ChainWorld) -> ChainCampaign:
    return ChainCampaign(world, seed=2, progress=print)
