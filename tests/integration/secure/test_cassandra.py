"""A Cassandra node that wants TLS, a client certificate and a login."""

import time

import pytest
from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT

from pipeline import cassandra_session
from pipeline.errors import StoreUnavailable
from pipeline.schema import apply_cassandra
from pipeline.settings import Settings
from tests.integration.secure.conftest import Secured
from tests.support.secure.forwarder import forwarded

MAX_WAIT_SECONDS = 20


@pytest.fixture(scope="module")
def settings(secured: Secured) -> Settings:
    found = secured.settings("consumer")
    apply_cassandra(found, 60)
    return found


def refusal(settings: Settings) -> str:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as refused:
        cassandra_session.connect(settings)
    assert time.monotonic() - began < MAX_WAIT_SECONDS
    text = str(refused.value)
    assert "\n" not in text
    assert f"Cassandra at {settings.CASSANDRA_CONTACT_POINTS[0]}:{settings.CASSANDRA_PORT}" in text
    assert "hidden" not in text
    return text


def test_login_over_tls_with_a_client_certificate(settings: Settings) -> None:
    session = cassandra_session.connect(settings)
    try:
        assert session.execute("SELECT cluster_name FROM system.local").one()
    finally:
        session.cluster.shutdown()


def test_reader_and_writer_have_the_consistency_of_the_settings(settings: Settings) -> None:
    quorum = settings.override(CASSANDRA_WRITE_CONSISTENCY="LOCAL_QUORUM", CASSANDRA_READ_CONSISTENCY="ONE")
    for writes, expected in ((True, ConsistencyLevel.LOCAL_QUORUM), (False, ConsistencyLevel.ONE)):
        session = cassandra_session.connect(quorum, writes=writes)
        try:
            assert session.get_execution_profile(EXEC_PROFILE_DEFAULT).consistency_level == expected
        finally:
            session.cluster.shutdown()


def test_wrong_password_is_named(settings: Settings) -> None:
    assert "Provided username crypto_writer and/or password are incorrect" in refusal(
        settings.override(CASSANDRA_PASSWORD="hidden")
    )


def test_authority_that_is_not_the_nodes_is_named(secured: Secured, settings: Settings) -> None:
    text = refusal(settings.override(CASSANDRA_CA_FILE=str(secured.certificates.wrong_ca)))
    assert "certificate verify failed" in text


def test_address_that_the_certificate_does_not_bear_is_refused_unless_only_the_authority_counts(
    settings: Settings,
) -> None:
    elsewhere = settings.override(CASSANDRA_CONTACT_POINTS=("127.0.0.2",))
    with forwarded("127.0.0.2", settings.CASSANDRA_PORT):
        assert "certificate is not valid for '127.0.0.2'" in refusal(elsewhere)
        cassandra_session.connect(elsewhere.override(CASSANDRA_TLS="verify-ca")).cluster.shutdown()


@pytest.mark.parametrize("file", ["", "wrong_client"])
def test_missing_or_foreign_client_certificate_is_refused(secured: Secured, settings: Settings, file: str) -> None:
    refusal(settings.override(CASSANDRA_CERT_FILE=str(getattr(secured.certificates, file)) if file else ""))


def test_client_without_tls_is_refused(settings: Settings) -> None:
    refusal(settings.override(CASSANDRA_TLS="off"))


def test_logins_are_not_copied_to_nodes_that_do_not_exist(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """Else nobody could log in any more."""
    apply_cassandra(settings.override(CASSANDRA_REPLICATION_FACTOR=3), 60)
    [record] = [each for each in caplog.records if each.getMessage() == "logins_not_replicated"]
    assert record.nodes_up == 1
    cassandra_session.connect(settings).cluster.shutdown()


def test_keyspace_has_the_copies_of_the_settings_and_a_difference_is_said(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    other = settings.override(CASSANDRA_KEYSPACE="copies", CASSANDRA_REPLICATION_FACTOR=2)
    apply_cassandra(other, 60)
    assert "keyspace_replication" not in caplog.text
    apply_cassandra(other.override(CASSANDRA_REPLICATION_FACTOR=3), 60)
    [record] = [each for each in caplog.records if each.getMessage() == "keyspace_replication"]
    assert (record.wanted, "'2'" in record.found) == (3, True)
    admin = cassandra_session.login(settings, "cassandra", settings.CASSANDRA_ADMIN_PASSWORD)
    admin.execute("DROP KEYSPACE copies", timeout=60)
    admin.cluster.shutdown()
