"""The chain's fault suite in its short form, under load; `python3 -m bench.chain_faults` is the
long one."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.support.chain.campaign import Campaign
from tests.support.chain.scenarios import KILLED, OTHERS, Scenario, store_stopped
from tests.support.chain.world import SERVICES, World


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """A stack of its own: nothing else may consume, and other tests' rows are none of its
    business."""
    folder = tmp_path_factory.mktemp("chain")
    with Stack(folder, SERVICES) as stack:
        world = World(stack, folder)
        try:
            yield Campaign(world, seed=1)
        finally:
            world.close()


@pytest.mark.parametrize("scenario", [*KILLED, store_stopped(seconds=5), *OTHERS], ids=lambda one: one.name)
def test_cassandra_equals_postgres_after(campaign: Campaign, scenario: Scenario) -> None:
    outcome = campaign.run(scenario)
    assert outcome.wrong == []
    assert outcome.changes > 200
    assert outcome.compared > 100


def test_nothing_came_back_to_an_older_state(campaign: Campaign) -> None:
    assert campaign.everything().wrong == []
