"""What the loops rely on: `retriable` says whether the same call can succeed later."""

import pytest

from pipeline import errors
from pipeline.cassandra_session import UNAVAILABLE_ERRORS


@pytest.mark.parametrize("kind", [errors.StoreUnavailable, errors.PostgresUnavailable, errors.ExchangeError])
def test_call_to_an_unavailable_dependency_is_retried(kind):
    assert kind.retriable


@pytest.mark.parametrize("kind", [errors.BadSetting, errors.UnwritableRecord, errors.UnknownSymbol])
def test_error_that_waiting_cannot_cure_is_not_retried(kind):
    assert not kind.retriable


def test_ban_says_for_how_long_to_send_no_request():
    assert errors.ExchangeBanned("429", 17.0).retry_after_seconds == 17.0
    assert isinstance(errors.ExchangeBanned("429", 17.0), errors.ExchangeError)


def test_invalid_request_is_not_an_outage_of_cassandra():
    """Otherwise one bad row would be sent forever; and an overloaded node must not cause dead
    letters."""
    from cassandra import InvalidRequest, ReadTimeout, Unavailable, WriteTimeout
    from cassandra.cluster import NoHostAvailable
    from cassandra.protocol import SyntaxException

    assert not issubclass(InvalidRequest, UNAVAILABLE_ERRORS)
    assert not issubclass(SyntaxException, UNAVAILABLE_ERRORS)
    for outage in (WriteTimeout, ReadTimeout, Unavailable, NoHostAvailable):
        assert issubclass(outage, UNAVAILABLE_ERRORS)
