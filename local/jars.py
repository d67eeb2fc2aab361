"""The programs that Maven carries: Kafka and Connect, Cassandra, Debezium's connector, PostgreSQL
where the system has none. Fetches and unpacks them once per version; starts nothing."""

import platform
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from local import postgres_programs, stamp
from local.layout import JARS, POMS
from local.postgres_programs import PostgresPrograms
from local.tool import fresh_log, run_tool

ALWAYS = ("kafka", "cassandra", "debezium")
POSTGRES = "postgres"


def postgres_platform() -> str:
    """The name of this machine's kind in the artefacts that carry PostgreSQL."""
    machine = {"x86_64": "amd64", "aarch64": "arm64v8"}.get(platform.machine(), platform.machine())
    return f"linux-{machine}"


def postgres_from_jars() -> list[PostgresPrograms]:
    """PostgreSQL as unpacked by `fetch`; nothing when it was not needed."""
    found = postgres_programs.in_directory(JARS / POSTGRES / "bin")
    return [found] if found else []


def _value(module: str) -> str:
    return stamp.digest((POMS / "pom.xml", POMS / module / "pom.xml"), postgres_platform())


def missing(modules: Iterable[str]) -> list[str]:
    return [module for module in modules if not stamp.matches(JARS / module / "stamp", _value(module))]


def fetch(modules: Iterable[str], report: Callable[[str], None], progress: Callable[[str], None]) -> bool:
    """Fetch what is missing of `modules`, each into its own directory of JARS. Returns whether
    there was something to do. Raises ToolFailed."""
    wanted = missing(modules)
    if not wanted:
        return False
    report(f"fetching {', '.join(wanted)}")
    fresh_log("maven")
    unfinished = JARS / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = ["mvn", "--batch-mode", "--threads", "4", "--file", str(POMS / "pom.xml"), "--projects", ",".join(wanted)]
    options = [
        f"-DoutputDirectory={unfinished}/${{project.artifactId}}",
        f"-Dpostgres.platform={postgres_platform()}",
        "-DincludeScope=runtime",
    ]
    downloaded = 0

    def on_line(line: str) -> None:
        nonlocal downloaded
        if found := re.search(r"Downloaded from \S+ \S*/(\S+\.(?:jar|gz)) \((.*?)\)", line):
            downloaded += 1
            progress(f"downloaded {found.group(1)} ({found.group(2).split(' at ')[0]}), {downloaded} files so far")

    # Maven lives for seconds: its JVM need not optimise for longer.
    environ = {"MAVEN_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    run_tool("maven", [*command, "dependency:copy-dependencies", *options], on_line, environ)
    for module in wanted:
        _unpack(unfinished / module)
        shutil.rmtree(JARS / module, ignore_errors=True)
        (unfinished / module).rename(JARS / module)
        stamp.write(JARS / module / "stamp", _value(module))
    shutil.rmtree(unfinished)
    return True


def _unpack(directory: Path) -> None:
    """Unpack the archives that are no class path: the connector's plugin and PostgreSQL."""
    for archive in directory.glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(directory, filter="data")
        archive.unlink()
    for jar in directory.glob("embedded-postgres-binaries-*.jar"):
        with zipfile.ZipFile(jar) as outer:
            inner = next(name for name in outer.namelist() if name.endswith(".txz"))
            with outer.open(inner) as file, tarfile.open(fileobj=file, mode="r:xz") as tar:
                tar.extractall(directory, filter="data")
        jar.unlink()
