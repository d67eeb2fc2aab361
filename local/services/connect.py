"""The Kafka Connect worker with Debezium's connector on its plugin path. Knows nothing of the
connector's settings."""

import subprocess

from local import java
from local.checks import http
from local.layout import CONFIG, ROOT
from local.service import RunStep, Service
from local.site import Site, render
from pipeline.settings import Settings

SECURITY = ("KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM", "KAFKA_CA_FILE", "KAFKA_CERT_FILE")


def security_properties(settings: Settings) -> str:
    """What debezium/kafka_security.sh makes of the settings, as lines of the worker's
    properties."""
    command = ("bash", str(ROOT / "debezium" / "kafka_security.sh"), "env", "-0")
    environ = {name: getattr(settings, name) for name in SECURITY}
    made = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=10).stdout
    variables = (each.removeprefix("CONNECT_").split("=", 1) for each in made.split("\0") if each[:8] == "CONNECT_")
    return "\n".join(f"{name.lower().replace('_', '.')}={value}" for name, value in variables)


def connect(site: Site) -> Service:
    properties = site.directory("connect") / "connect.properties"
    settings = site.settings

    def prepare(run: RunStep) -> None:
        render(
            "connect.properties",
            properties,
            host=site.host,
            port=site.ports.connect,
            kafka_servers=",".join(settings.KAFKA_BOOTSTRAP_SERVERS),
            replication_factor=settings.KAFKA_REPLICATION_FACTOR,
            security=security_properties(settings),
            plugin_dir=site.jars_dir / "debezium",
        )

    return Service(
        name="connect",
        after=("kafka",),
        command=(
            site.java,
            *java.flags(),
            "-Xmx384m",
            f"-Dlog4j2.configurationFile={CONFIG / 'log4j2.xml'}",
            "-cp",
            f"{site.jars_dir / 'kafka'}/*",
            "org.apache.kafka.connect.cli.ConnectDistributed",
            str(properties),
        ),
        prepare=prepare,
        ready=lambda: http.answers(f"http://{site.host}:{site.ports.connect}/connectors"),
        ready_seconds=240,
        environ={
            **java.ENVIRON,
            "DEBEZIUM_PASSWORD": settings.DEBEZIUM_PASSWORD,
            "KAFKA_USERNAME": settings.KAFKA_USERNAME,
            "KAFKA_PASSWORD": settings.KAFKA_PASSWORD,
        },
    )
