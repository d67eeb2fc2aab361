"""One chain for all tests of this folder: they disturb it, so no other test may use it."""

from collections.abc import Iterator

import pytest

from tests.support.chain.campaign import ChainCampaign
from tests.support.chain.chain_world import ChainWorld, running


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainWorld]:
    """Its own stack: no other consumer may run, and rows of other tests must not interfere."""
    with running(tmp_path_factory.mktemp("chain")) as world:
        yield world


@pytest.fixture(scope="package")
def campaign(world: ChainWorld) -> ChainCampaign:
    return ChainCampaign(world, seed=1, progress=print)
