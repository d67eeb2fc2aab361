"""One stack with TLS and logins everywhere, started once; each test takes what it needs of it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from local.ports import free_ports
from local.site import Ports
from local.stack import CHAIN, Stack
from pipeline.settings import Settings, load
from tests.support.secure.certificates import Certificates
from tests.support.secure.servers import PASSWORD, USERNAME, servers

SERVICES = (*CHAIN, "redis", "simulator")


class Secured(NamedTuple):
    """`environ`: what a user must set. `plain` and `cert`: Kafka's other ports."""

    stack: Stack
    certificates: Certificates
    environ: Mapping[str, str]
    plain: str
    cert: str

    def settings(self, program: str = "consumer", **changed: object) -> Settings:
        environ = {**self.environ, **{name: str(value) for name, value in changed.items()}}
        return load(program, environ=environ, dotenv="/dev/null")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def secured(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    plain, cert = free_ports(2)
    ports = Ports.free()
    environ = {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_USERNAME": USERNAME,
        "KAFKA_PASSWORD": PASSWORD,
        "KAFKA_CA_FILE": str(certificates.ca),
        "CASSANDRA_TLS": "verify-full",
        "CASSANDRA_CA_FILE": str(certificates.ca),
        "CASSANDRA_CERT_FILE": str(certificates.client),
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(certificates.ca),
        "REDIS_CA_FILE": str(certificates.ca),
        "REDIS_URL": f"rediss://{USERNAME}@127.0.0.1:{ports.redis}",
    }
    directory = tmp_path_factory.mktemp("secured")
    with Stack(directory, SERVICES, environ, ports, catalog=servers(certificates, plain, cert)) as stack:
        yield Secured(stack, certificates, stack.environ, f"127.0.0.1:{plain}", f"127.0.0.1:{cert}")
