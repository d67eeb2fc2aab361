"""A redis-server that has a port for TLS only."""

import time

import pytest

from pipeline import redis_client
from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings
from tests.integration.secure.conftest import Secured


@pytest.fixture
def settings(secured: Secured) -> Settings:
    return secured.settings("redis")


def ping(settings: Settings) -> object:
    client = redis_client.connect(settings, 3)
    try:
        return redis_client.asked(client.ping)
    finally:
        client.close()


def refusal(settings: Settings) -> str:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as refused:
        ping(settings)
    assert time.monotonic() - began < 5
    text = str(refused.value)
    assert "\n" not in text
    assert "hidden" not in text
    return text


def test_server_proves_who_it_is(settings: Settings) -> None:
    assert ping(settings) is True


def test_authority_that_is_not_the_servers_is_named(secured: Secured, settings: Settings) -> None:
    text = refusal(settings.override(REDIS_CA_FILE=str(secured.certificates.wrong_ca)))
    assert "certificate verify failed" in text


def test_name_that_the_certificate_does_not_bear_is_refused(settings: Settings) -> None:
    text = refusal(settings.override(REDIS_URL=settings.REDIS_URL.replace("127.0.0.1", "localhost")))
    assert "certificate is not valid for 'localhost'" in text


def test_authorities_of_the_machine_do_not_know_it_either(settings: Settings) -> None:
    assert "certificate verify failed" in refusal(settings.override(REDIS_CA_FILE=""))


def test_wrong_password_is_named(settings: Settings) -> None:
    assert "invalid username-password pair" in refusal(settings.override(REDIS_PASSWORD="hidden"))


def test_client_without_tls_is_refused(settings: Settings) -> None:
    refusal(settings.override(REDIS_URL=settings.REDIS_URL.replace("rediss:", "redis:"), REDIS_CA_FILE=""))
