"""What the loops rely on: `retriable` says whether the same thing can work later."""

import pytest

from pipeline import errors
from pipeline.cassandra_session import AWAY


@pytest.mark.parametrize("kind", [errors.StoreUnavailable, errors.PostgresUnavailable, errors.ExchangeError])
def test_something_that_is_away_is_tried_again(kind):
    assert kind.retriable


@pytest.mark.parametrize("kind", [errors.BadSetting, errors.UnwritableRecord, errors.UnknownSymbol])
def test_what_waiting_cannot_cure_is_not_tried_again(kind):
    assert not kind.retriable


def test_ban_carries_how_long_to_be_silent():
    assert errors.ExchangeBanned("429", 17.0).retry_after_seconds == 17.0
    assert isinstance(errors.ExchangeBanned("429", 17.0), errors.ExchangeError)


def test_invalid_request_is_no_outage_of_cassandra():
    """Else one bad row would be sent for ever; and an overloaded node must not make dead
    letters."""
    from cassandra import InvalidRequest, ReadTimeout, Unavailable, WriteTimeout
    from cassandra.cluster import NoHostAvailable
    from cassandra.protocol import SyntaxException

    assert not issubclass(InvalidRequest, AWAY)
    assert not issubclass(SyntaxException, AWAY)
    for outage in (WriteTimeout, ReadTimeout, Unavailable, NoHostAvailable):
        assert issubclass(outage, AWAY)
