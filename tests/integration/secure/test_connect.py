"""Kafka Connect's own clients with the kinds of login that the chain does not use. A worker that
answers has written and read its topics and has joined its group."""

from dataclasses import replace
from pathlib import Path

from local.runner import Runner
from local.service import RunStep, Service
from local.services.connect import connect
from local.site import Ports
from local.stack import make_site
from pipeline import kafka_connection
from tests.integration.secure.conftest import Secured

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
    with Runner(workers, tmp_path, secured.environ):
        admin = kafka_connection.admin(secured.settings())
        topics = set(admin.list_topics())
        admin.close()
    for name in ("plain", "certificate"):
        assert {f"crypto.connect.{name}.{kind}" for kind in ("configs", "offsets", "status")} <= topics
        assert "a secret of the test" not in (tmp_path / name / "connect" / "connect.properties").read_text()
        assert "a secret of the test" not in (tmp_path / "log" / f"{name}.log").read_text()
