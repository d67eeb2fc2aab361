"""What this machine must have because it cannot be downloaded. For each missing program one line
says what to install. Installs nothing."""

import importlib.util
import os
import platform
from collections.abc import Callable, Iterable

from local import java, platforms, postgres_home, postgres_programs
from local.layout import STATE


def java_line(
    find: Callable[[], tuple[str | None, dict[str, int]]] = java.find_installed,
    has_wheel: Callable[[], bool] = platforms.has_java_wheel,
) -> str:
    found, unsuitable = find()
    if found or has_wheel():
        return ""
    seen = "".join(f" ({path} is {version})" for path, version in unsuitable.items())
    return (
        f"Java 17 is missing{seen}, and there is no Python wheel with it for this machine: "
        "apt-get install openjdk-17-jre-headless, or set JAVA_HOME, or use `docker compose up`"
    )


def own_postgres() -> postgres_programs.PostgresPrograms | None:
    """The system's PostgreSQL, if it can open the data that is already there."""
    data_major = postgres_home.data_major(STATE / "postgres")
    return postgres_programs.choose(postgres_programs.installed(), data_major)


def postgres_line(
    find: Callable[[], postgres_programs.PostgresPrograms | None] = own_postgres,
    build: Callable[[], str] = platforms.postgres_build,
) -> str:
    if find() or build():
        return ""
    return (
        f"PostgreSQL ({postgres_programs.MIN_MAJOR} or newer) is missing, and there is no build of it for this "
        "machine to download: apt-get install postgresql, or use `docker compose up`"
    )


def python_line() -> str:
    if importlib.util.find_spec("ensurepip") is None:
        return "Python's venv is missing: apt-get install python3-venv"
    return ""


def user_line() -> str:
    try:
        postgres_home.unprivileged_user()
    except LookupError as error:
        return str(error)
    return ""


def system_line() -> str:
    if platform.system() != "Linux" or not os.path.isdir("/proc/self"):
        return f"this needs Linux, not {platform.system()}: use `docker compose up`"
    return ""


def lacking(checks: Iterable[Callable[[], str]]) -> list[str]:
    """One line for each thing that is missing."""
    return [line for line in (check() for check in checks) if line]
