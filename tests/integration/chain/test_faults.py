"""The short form of the chain's fault suite, under load. `python3 -m bench.chain_faults` runs the
long form."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.support.chain.campaign import ChainCampaign
from tests.support.chain.chain_world import SERVICES, ChainWorld
from tests.support.chain.scenarios import KILLED, OTHERS, Scenario, cassandra_stopped


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainCampaign]:
    """Uses its own stack: no other consumer may run, and rows of other tests must not interfere."""
    folder = tmp_path_factory.mktemp("chain")
    with Stack(folder, SERVICES) as stack:
        world = ChainWorld(stack, folder)
        try:
            yield ChainCampaign(world, seed=1)
        finally:
            world.close()


@pytest.mark.parametrize(
    "scenario", [*KILLED, cassandra_stopped(seconds=5), *OTHERS], ids=lambda scenario: scenario.name
)
def test_cassandra_equals_postgres_after(campaign: ChainCampaign, scenario: Scenario) -> None:
    result = campaign.run(scenario)
    assert result.errors == []
    assert result.changes > 200
    assert result.rows_compared > 100


def test_no_row_returned_to_an_older_state(campaign: ChainCampaign) -> None:
    assert campaign.compare_everything().errors == []


def test_reconcile_finds_everything_equal(campaign: ChainCampaign) -> None:
    result = campaign.judge_independently()
    assert result.errors == []
    assert result.rows_compared > 1000
