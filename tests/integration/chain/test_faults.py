"""The short form of the chain's fault suite, under load. `python3 -m bench.chain_faults` runs the
long form."""

import pytest

from tests.support.chain.campaign import ChainCampaign
from tests.support.chain.scenarios import KILLED, OTHERS, Scenario, cassandra_stopped


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
