"""The servers of the local stack with TLS and logins: each refuses who comes without. Knows their
configuration; knows nothing of the programs."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace

from local.checks.sockets import exchange
from local.service import RunStep, Service
from local.services import cassandra, kafka, postgres, redis
from local.site import Site
from local.stack import CATALOG
from tests.support.secure.certificates import Certificates
from tests.support.secure.kafka_rights import grant

# Kafka's user of the programs and of Connect, and one with every right.
USERNAME, PASSWORD = "crypto", "a secret of the test"
ADMIN, ADMIN_PASSWORD = "admin", "another secret of the test"

LOGIN = "org.apache.kafka.common.security"
KAFKA = """
listeners=SCRAM://127.0.0.1:{port},PLAIN://127.0.0.1:{plain},CERT://127.0.0.1:{cert},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SCRAM://127.0.0.1:{port},PLAIN://127.0.0.1:{plain},CERT://127.0.0.1:{cert}
listener.security.protocol.map=SCRAM:SASL_SSL,PLAIN:SASL_PLAINTEXT,CERT:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256
listener.name.scram.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.scram.scram-sha-256.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.plain.sasl.enabled.mechanisms=PLAIN
listener.name.plain.plain.sasl.jaas.config={login}.plain.PlainLoginModule required \\
    username="{admin}" password="{admin_password}" \\
    user_{admin}="{admin_password}" user_{username}="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={certificates.server}
ssl.truststore.type=PEM
ssl.truststore.location={certificates.ca}
listener.name.cert.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^.*$/{username}/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin};User:ANONYMOUS
"""
CASSANDRA = """
client_encryption_options:
  enabled: true
  optional: false
  require_client_auth: true
  ssl_context_factory:
    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory
  keystore: {certificates.server}
  truststore: {certificates.ca}
"""
HBA = """
local   all all                     reject
hostssl all all         127.0.0.1/32 scram-sha-256
hostssl replication all 127.0.0.1/32 scram-sha-256
"""
REDIS = """
port 0
tls-port {port}
tls-cert-file {certificates.server}
tls-key-file {certificates.server}
tls-ca-cert-file {certificates.ca}
tls-auth-clients no
user default off
user {username} on ">{password}" ~crypto:* +@read +@write +@scripting +@transaction +@connection +time
"""


def servers(certificates: Certificates, plain_port: int, cert_port: int) -> Mapping[str, Callable[[Site], Service]]:
    """The catalogue of the local stack with these servers in it. Kafka's own port takes SCRAM over
    TLS, `plain_port` PLAIN without, `cert_port` a client certificate. Once Kafka is ready, USERNAME
    has the rights that the guide lists."""

    def secure_kafka(site: Site) -> Service:
        more = KAFKA.format(
            port=site.ports.kafka,
            controller=site.ports.kafka_controller,
            plain=plain_port,
            cert=cert_port,
            login=LOGIN,
            username=USERNAME,
            password=PASSWORD,
            admin=ADMIN,
            admin_password=ADMIN_PASSWORD,
            certificates=certificates,
        )
        opened = opens(site.ports.kafka)

        def ready() -> None:
            opened()
            grant(site.settings.override(KAFKA_USERNAME=ADMIN, KAFKA_PASSWORD=ADMIN_PASSWORD), USERNAME)

        return replace(kafka.kafka(site, more, scram_users()), ready=ready)

    def secure_cassandra(site: Site) -> Service:
        more = CASSANDRA.format(certificates=certificates)
        return replace(cassandra.cassandra(site, more), ready=opens(site.ports.cassandra))

    def secure_redis(site: Site) -> Service:
        more = REDIS.format(
            port=site.ports.redis,
            certificates=certificates,
            username=USERNAME,
            password=site.settings.REDIS_PASSWORD,
        )
        return replace(redis.redis(site, more), ready=opens(site.ports.redis))

    return {
        **CATALOG,
        "kafka": secure_kafka,
        "cassandra": secure_cassandra,
        "redis": secure_redis,
        "postgres": lambda site: secure_postgres(site, certificates),
    }


def opens(port: int) -> Callable[[], None]:
    """All three open their port when they are ready for requests."""

    def check() -> None:
        with exchange(port):
            pass

    return check


def scram_users() -> tuple[str, ...]:
    """Options for the tool that formats Kafka's storage."""
    users = {USERNAME: PASSWORD, ADMIN: ADMIN_PASSWORD}
    mechanisms = ("SCRAM-SHA-512", "SCRAM-SHA-256")
    pairs = ((mechanism, name) for mechanism in mechanisms for name in users)
    return tuple(
        part
        for mechanism, name in pairs
        for part in ("--add-scram", f"{mechanism}=[name={name},password={users[name]}]")
    )


def secure_postgres(site: Site, certificates: Certificates) -> Service:
    plain = postgres.postgres(site)
    certificate = plain.directory / "server.pem"

    def prepare(run: RunStep) -> None:
        plain.prepare(run)
        (plain.directory / "data" / "pg_hba.conf").write_text(HBA)
        shutil.copy(certificates.server, certificate)
        owner = plain.directory.stat()
        shutil.chown(certificate, owner.st_uid, owner.st_gid)
        certificate.chmod(0o600)  # PostgreSQL refuses a key that others may read

    settings = {"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": certificate}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return replace(plain, prepare=prepare, command=(*plain.command, *options))
