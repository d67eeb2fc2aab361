"""The Kafka broker. Knows its configuration, its storage format and its check; knows nothing of
topics."""

import base64
import uuid

from local import java
from local.checks import kafka as check
from local.layout import CONFIG
from local.service import RunStep, Service
from local.site import Site, render


def _java(site: Site, *options: str) -> tuple[str, ...]:
    log = f"-Dlog4j2.configurationFile={CONFIG / 'log4j2.xml'}"
    return (site.java, *java.flags(), *options, log, "-cp", f"{site.jars_dir / 'kafka'}/*")


def _cluster_id() -> str:
    """22 characters of base64, as `StorageTool random-uuid` prints. The first is never a dash,
    which would be read as an option."""
    return "c" + base64.urlsafe_b64encode(uuid.uuid4().bytes)[1:22].decode()


def kafka(site: Site, more: str = "", format_options: tuple[str, ...] = ()) -> Service:
    """`more`: properties after those of the file; the last one of a name counts."""
    directory = site.state_dir / "kafka"
    properties = directory / "kafka.properties"

    def prepare(run: RunStep) -> None:
        ports = site.ports
        data_dir = directory / "data"
        places = {"port": ports.kafka, "controller_port": ports.kafka_controller, "data_dir": data_dir}
        render("kafka.properties", properties, more, **places)
        if not (data_dir / "meta.properties").exists():
            format_storage = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", _cluster_id())
            arguments = (*format_storage, "-c", str(properties), *format_options)
            run(*_java(site), *arguments, message="formatting its storage")

    return Service(
        name="kafka",
        command=(*_java(site, "-Xmx384m"), "kafka.Kafka", str(properties)),
        prepare=prepare,
        ready=lambda: check.answers(site.ports.kafka),
        environ=java.ENVIRON,
    )
