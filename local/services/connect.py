"""The Kafka Connect worker with Debezium's connector on its plugin path. Knows nothing of the
connector's settings."""

from local import java
from local.checks import http
from local.layout import CONFIG
from local.service import RunStep, Service
from local.site import Site, render


def connect(site: Site) -> Service:
    properties = site.state_dir / "connect" / "connect.properties"

    def prepare(run: RunStep) -> None:
        render(
            "connect.properties",
            properties,
            port=site.ports.connect,
            kafka_port=site.ports.kafka,
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
        ready=lambda: http.answers(f"http://127.0.0.1:{site.ports.connect}/connectors"),
        ready_seconds=90,
        environ={**java.ENVIRON, "DEBEZIUM_PASSWORD": site.settings.DEBEZIUM_PASSWORD},
    )
