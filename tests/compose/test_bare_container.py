"""The stack without Docker on a machine that has only Python, git and make: the README's commands,
typed by an unprivileged user in a container."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.compose.compose import docker
from tests.support.program import ROOT
from tests.support.waiting import wait_until

NAME = f"crypto-test-{os.getpid()}-bare"
# Downloads included: about 300 MB, over whatever connection there is.
COLD_SECONDS = 900
WARM_SECONDS = 60
# The settings by which this machine reaches the package registries, if it has any.
PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "MAVEN_REPOSITORY_URL")


def git(*arguments: str, cwd: Path) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout


def repository(parent: Path) -> Path:
    """The files as they are here, uncommitted changes included, as one file that can be cloned."""
    tree = parent / "tree"
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for name in filter(None, listed):
        with suppress(FileNotFoundError):  # deleted and not yet committed
            content, mode = (ROOT / name).read_bytes(), (ROOT / name).stat().st_mode
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(content)
            (tree / name).chmod(mode)
    git("init", "--quiet", "--initial-branch=main", cwd=tree)
    git("add", "--all", "--force", cwd=tree)
    git("commit", "--quiet", "--message=as it is", cwd=tree)
    bundle = parent / "crypto.bundle"
    git("bundle", "create", str(bundle), "HEAD", "main", cwd=tree)
    parent.chmod(0o755)
    bundle.chmod(0o644)
    return bundle


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running container with the repository to clone at /crypto.bundle."""
    bundle = repository(tmp_path_factory.mktemp("repository"))
    docker("build", "--quiet", "--tag", NAME, str(ROOT / "tests" / "compose" / "bare"))
    environ = [option for name in PASSED_ON if name in os.environ for option in ("--env", name)]
    docker(
        "run",
        "--detach",
        "--init",
        "--name",
        NAME,
        *environ,
        "--volume",
        f"{bundle}:/crypto.bundle:ro",
        NAME,
        "sleep",
        "infinity",
    )
    try:
        yield NAME
    finally:
        docker("rm", "--force", "--volumes", NAME)
        docker("rmi", "--force", NAME)


def typed(container: str, command: str) -> str:
    return docker("exec", container, "bash", "-c", command)


class Demo:
    """`make demo` in the background, as in a terminal of its own."""

    def __init__(self, container: str) -> None:
        self.container = container
        self.began = time.monotonic()
        docker("exec", "--detach", container, "bash", "-c", "cd crypto && exec make demo > ~/demo.log 2>&1")

    def output(self) -> str:
        with suppress(subprocess.CalledProcessError):  # not there yet
            return typed(self.container, "cat ~/demo.log")
        return ""

    def ready_within(self, timeout_seconds: float) -> float:
        """Wait for READY. Returns how many seconds it took."""

        def ready() -> object:
            output = self.output()
            assert "make: ***" not in output, output
            return bool(re.search(r"^\W*READY", output, re.MULTILINE)) or output[-1500:]

        wait_until(ready, timeout_seconds, "READY")
        return time.monotonic() - self.began

    def stop(self) -> None:
        """Ctrl-C, and until all has ended."""
        typed(self.container, "kill -INT $(cat crypto/.local/lock)")
        wait_until(lambda: self.output().rstrip().endswith("\nstopped") or self.output()[-500:], 60, "stopped")


def test_the_machine_has_nothing_but_python_git_and_make(container: str) -> None:
    assert typed(container, "command -v java javac mvn postgres psql initdb docker curl || echo nothing") == "nothing\n"
    assert typed(container, "id --user") != "0\n"


def test_demo_starts_with_the_two_commands_of_the_readme(container: str) -> None:
    typed(container, "git clone --quiet /crypto.bundle crypto")
    cold = Demo(container)
    cold_seconds = cold.ready_within(COLD_SECONDS)
    read = "import urllib.request as u; print(u.urlopen('http://localhost:5000/klines').read(2))"
    rows = typed(container, f'python3 -c "{read}"')
    assert rows == "b'[{'\n"
    cold.stop()
    fetched = typed(container, "du -sm ~/.cache crypto/.local/jars crypto/.local/venv 2>/dev/null || true")
    print(f"\ncold: READY after {cold_seconds:.0f} s; MiB on disk:\n{fetched}")

    warm = Demo(container)
    warm_seconds = warm.ready_within(WARM_SECONDS)
    print(f"warm: READY after {warm_seconds:.0f} s")
    warm.stop()


def test_unit_tests_pass(container: str) -> None:
    typed(container, "cd crypto && make test-unit")
