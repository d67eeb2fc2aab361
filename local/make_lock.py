"""Writes local/jars.lock from local/jars.toml. Needs Maven, which decides the versions of the
dependencies; a start downloads what the lock says and needs none.

Maven and not a resolver in Python: jgo 3.2.0 was tried and chose kafka-clients 3.9.1 for
Kafka 4.3.1."""

import hashlib
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

from local import artifacts
from local.artifacts import Artifact, Lock
from local.layout import JARS_WANTED
from local.tool import fresh_log, run_tool

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>jars</artifactId><version>1</version>
<packaging>pom</packaging><dependencies>{}</dependencies></project>
"""
NOT_TRANSITIVE = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"


def dependency(coordinates: str, transitive: bool) -> str:
    """The POM's element for `group:artifact:version[:classifier][@type]`."""
    place, _, kind = coordinates.partition("@")
    group, artifact, version, classifier = (*place.split(":"), "")[:4]
    fields = {"groupId": group, "artifactId": artifact, "version": version, "classifier": classifier, "type": kind}
    elements = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items() if value)
    return f"<dependency>{elements}{'' if transitive else NOT_TRANSITIVE}</dependency>"


def resolve(wanted: list[str], transitive: bool, directory: Path) -> tuple[Artifact, ...]:
    """All files that `wanted` needs at run time, downloaded to `directory`. Raises ToolFailed."""
    directory.mkdir()
    pom, files = directory / "pom.xml", directory / "files"
    pom.write_text(POM.format("".join(dependency(one, transitive) for one in wanted)), encoding="utf-8")
    options = ["-Dmdep.useRepositoryLayout=true", "-DincludeScope=runtime", f"-DoutputDirectory={files}"]
    run_tool("maven", ["mvn", "--batch-mode", "--file", str(pom), COPY, *options])
    return tuple(_measured(file, files) for file in files.rglob("*") if file.name.endswith((".jar", ".tar.gz")))


def _measured(file: Path, root: Path) -> Artifact:
    content = file.read_bytes()
    return Artifact(file.relative_to(root).as_posix(), len(content), hashlib.sha256(content).hexdigest())


def main(report: Callable[[str, str], None]) -> None:
    """Resolve every table of jars.toml. Raises LookupError without Maven, ToolFailed."""
    if not shutil.which("mvn"):
        raise LookupError("Maven (mvn) is needed to change the locked versions: apt-get install maven")
    fresh_log("maven")
    found: Lock = {}
    with tempfile.TemporaryDirectory() as directory:
        for name, module in tomllib.loads(JARS_WANTED.read_text(encoding="utf-8")).items():
            transitive = module.get("transitive", True)
            found[name] = resolve(module["artifacts"], transitive, Path(directory) / name)
            report(name, f"{len(found[name])} files, {sum(file.bytes for file in found[name]) / 1e6:.1f} MB")
    artifacts.write(found)
