"""Live and simulated rows are never mixed in one database."""

import pytest

from pipeline.producer.data_source_check import OtherDataSource, check

RANDOM = "simulator: random market, seed 7"
REPLAY = "simulator: replay of recorded data (a.csv)"
BINANCE = "live: data-api.binance.vision"


@pytest.mark.parametrize(
    ("stored", "coming"),
    [
        (None, "live"),
        (None, RANDOM),
        (BINANCE, "live"),
        (BINANCE, "live: api.binance.us"),
        (RANDOM, "simulator"),
        (RANDOM, REPLAY),
    ],
)
def test_same_kind_and_new_database_are_accepted(stored: str | None, coming: str) -> None:
    check(stored, coming)


def test_live_rows_are_refused_in_a_simulated_database() -> None:
    with pytest.raises(OtherDataSource) as refused:
        check(RANDOM, "live")
    message = str(refused.value)
    assert message.count("\n") == 0
    assert f'"{RANDOM}"' in message
    assert "continue with the stored data: `docker compose --profile demo up`" in message
    assert "`docker compose --profile demo down --volumes`, then `docker compose up`" in message


def test_simulated_rows_are_refused_in_a_live_database() -> None:
    with pytest.raises(OtherDataSource) as refused:
        check(BINANCE, RANDOM)
    message = str(refused.value)
    assert "continue with the stored data: `docker compose up`" in message
    assert "then `docker compose --profile demo up`" in message
