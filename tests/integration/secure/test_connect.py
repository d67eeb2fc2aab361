"""Kafka Connect's own clients with the kinds of login that the chain does not use."""

from dataclasses import replace
from pathlib import Path

from local.runner import Runner
from local.service import RunStep, Service
from local.services.connect import connect
from local.site import Ports
from local.stack import make_site
from pipeline import kafka_connection
from tests.integration.secure.conftest import Secured
from tests.support.waiting import wait_until

PLAIN = {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_CA_FILE": ""}
CERTIFICATE = {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_USERNAME": "", "KAFKA_PASSWORD": ""}


def worker(secured: Secured, name: str, directory: Path, **environ: str) -> Service:
    """A worker in a group of its own, so that the chain's connector stays where it is."""
    site = make_site(directory / name, Ports.free(), {**secured.environ, **environ})
    service = connect(site)

    def prepare(run: RunStep) -> None:
        service.prepare(run)
        properties = site.state_dir / "connect" / "connect.properties"
        text = properties.read_text(encoding="utf-8").replace("crypto-connect", f"crypto-connect-{name}")
        properties.write_text(text.replace("crypto.connect.", f"crypto.connect.{name}."), encoding="utf-8")

    return replace(service, name=name, after=(), prepare=prepare)


def test_worker_logs_in_with_a_plain_password_or_a_client_certificate(secured: Secured, tmp_path: Path) -> None:
    certificate = {**CERTIFICATE, "KAFKA_CERT_FILE": str(secured.certificates.client)}
    workers = (
        worker(secured, "plain", tmp_path, **PLAIN, KAFKA_BOOTSTRAP_SERVERS=secured.plain),
        worker(secured, "certificate", tmp_path, **certificate, KAFKA_BOOTSTRAP_SERVERS=secured.cert),
    )
    admin = kafka_connection.admin(secured.settings())

    def joined() -> object:
        """A worker joins its group once it has made and read its topics."""
        groups = {each["group_id"] for each in admin.list_groups()}
        return {"crypto-connect-plain", "crypto-connect-certificate"} <= groups or groups

    with Runner(workers, tmp_path, secured.environ):
        wait_until(joined, 60, "the workers' groups")
    admin.close()
    for name in ("plain", "certificate"):
        assert "a secret of the test" not in (tmp_path / name / "connect" / "connect.properties").read_text()
        assert "a secret of the test" not in (tmp_path / "log" / f"{name}.log").read_text()
