"""A Kafka broker. Knows its configuration, its storage format and its check; knows nothing of
topics."""

import base64
import uuid

from local import java, nodes
from local.checks import kafka as check
from local.layout import CONFIG
from local.service import RunStep, Service
from local.site import Site, render


def _java(site: Site, *options: str) -> tuple[str, ...]:
    log = f"-Dlog4j2.configurationFile={CONFIG / 'log4j2.xml'}"
    return (site.java, *java.flags(), *options, log, "-cp", f"{site.jars_dir / 'kafka'}/*")


def _cluster_id(site: Site) -> str:
    """The same for all brokers of a stack: 22 characters of base64, as `StorageTool random-uuid`
    prints. The first is never a dash, which would be read as an option."""
    return "c" + base64.urlsafe_b64encode(uuid.uuid5(uuid.NAMESPACE_URL, str(site.state_dir)).bytes)[1:22].decode()


def _values(site: Site) -> dict[str, object]:
    brokers = nodes.of("kafka", site.nodes)
    port = site.ports.kafka_controller
    return {
        "node": site.node,
        "host": site.host,
        "port": site.ports.kafka,
        "controller_port": port,
        "voters": ",".join(f"{node}@{nodes.host(node)}:{port}" for node in brokers),
        "copies": len(brokers),
        "in_sync": len(brokers) // 2 + 1,
    }


def kafka(site: Site, more: str = "", format_options: tuple[str, ...] = ()) -> Service:
    """`more`: properties after those of the file; the last one of a name counts."""
    directory = site.directory("kafka")
    properties = directory / "kafka.properties"

    def prepare(run: RunStep) -> None:
        data_dir = directory / "data"
        render("kafka.properties", properties, more, data_dir=data_dir, **_values(site))
        if not (data_dir / "meta.properties").exists():
            format_storage = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", _cluster_id(site))
            arguments = (*format_storage, "-c", str(properties), *format_options)
            run(*_java(site), *arguments, message="formatting its storage")

    return Service(
        name="kafka",
        command=(*_java(site, "-Xmx384m"), "kafka.Kafka", str(properties)),
        prepare=prepare,
        ready=lambda: check.answers(site.ports.kafka, site.host),
        environ=java.ENVIRON,
    )
