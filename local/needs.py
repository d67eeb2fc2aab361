"""What this machine must have. For each missing program one line names the Debian package to
install. Installs nothing."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable, Iterable

from local import java, postgres_home


def java_line(find: Callable = java.find) -> str:
    found, refused = find()
    if found:
        return ""
    seen = "".join(f" ({path} is {version})" for path, version in refused.items())
    return f"Java 17 is missing{seen}: apt-get install openjdk-17-jre-headless, or set JAVA_HOME"


def maven_line(which: Callable = shutil.which) -> str:
    return "" if which("mvn") else "Maven (mvn) is missing: apt-get install maven"


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
