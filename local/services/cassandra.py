"""Cassandra, one node. Knows its configuration, its JVM and its check; knows nothing of
keyspaces."""

from local import java
from local.checks import cassandra as check
from local.layout import CONFIG
from local.service import RunStep, Service
from local.site import Site, render

FIRST_PASSWORD = "cassandra"


def cassandra(site: Site, more: str = "") -> Service:
    """`more`: what follows in its cassandra.yaml."""
    directory = site.state_dir / "cassandra"
    yaml = directory / "cassandra.yaml"
    jars = site.jars_dir / "cassandra"

    def prepare(run: RunStep) -> None:
        ports = site.ports
        data_dir = directory / "data"
        places = {"port": ports.cassandra, "storage_port": ports.cassandra_storage, "data_dir": data_dir}
        render("cassandra.yaml", yaml, more, **places)

    command = (
        site.java,
        *java.flags(),
        "-Xms256m",
        "-Xmx768m",
        f"@{CONFIG / 'cassandra.options'}",
        *(f"-javaagent:{agent}" for agent in jars.glob("jamm-*.jar")),
        f"-Dcassandra.config=file://{yaml}",
        f"-Dcassandra.storagedir={directory / 'data'}",
        f"-Dcassandra.logdir={site.state_dir / 'log'}",
        f"-Dlogback.configurationFile={CONFIG / 'logback.xml'}",
        "-cp",
        f"{jars}/*",
        "org.apache.cassandra.service.CassandraDaemon",
    )
    passwords = (site.settings.CASSANDRA_ADMIN_PASSWORD, FIRST_PASSWORD)
    return Service(
        name="cassandra",
        command=command,
        prepare=prepare,
        ready=lambda: check.login_any(site.ports.cassandra, "cassandra", passwords),
        ready_seconds=120,
        environ=java.ENVIRON,
        directory=site.state_dir,
    )
