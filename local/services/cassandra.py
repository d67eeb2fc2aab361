"""A Cassandra node. Knows its configuration, its JVM and its check; knows nothing of
keyspaces."""

from local import java, nodes
from local.checks import cassandra as check
from local.layout import CONFIG
from local.service import RunStep, Service
from local.site import Site, render

FIRST_PASSWORD = "cassandra"
RING = 2**64  # tokens of Murmur3Partitioner, from -2**63 on


def _token(site: Site) -> int:
    """One for each node, evenly spaced over the ring; the first is 0."""
    token = (site.node - 1) * RING // len(nodes.of("cassandra", site.nodes))
    return token if token < RING // 2 else token - RING


def cassandra(site: Site, more: str = "") -> Service:
    """`more`: what follows in its cassandra.yaml."""
    directory = site.directory("cassandra")
    yaml = directory / "cassandra.yaml"
    jars = site.jars_dir / "cassandra"

    def prepare(run: RunStep) -> None:
        ports = {"port": site.ports.cassandra, "storage_port": site.ports.cassandra_storage}
        # The nodes of a stack begin empty together: none has anything to fetch from the others.
        together = "" if site.nodes == 1 else "auto_bootstrap: false\n"
        render("cassandra.yaml", yaml, together + more, host=site.host, data_dir=directory / "data", **ports)

    command = (
        site.java,
        *java.flags(),
        "-Xms256m",
        "-Xmx768m",
        f"@{CONFIG / 'cassandra.options'}",
        f"-Dcassandra.initial_token={_token(site)}",
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
        ready=lambda: check.login_any(site.ports.cassandra, "cassandra", passwords, site.host),
        ready_seconds=240,
        environ=java.ENVIRON,
        directory=site.state_dir,
    )
