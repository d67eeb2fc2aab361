"""Runs before the virtual environment exists: checks the machine, installs what is missing, then
becomes local/run.py. Imports nothing but the standard library and this package."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

from local import jars, java, logfiles, make_lock, needs, repository, tool, venv
from local.clean import StillInUse, clean
from local.console import Console
from local.download import DownloadFailed
from local.layout import ROOT, RUN_LOCK, STATE, VENV_PYTHON
from local.lock import AlreadyRunning, Lock

Job = Callable[[Callable[[str], None], Callable[[str], None]], bool]


def modules() -> tuple[str, ...]:
    """The jars that this machine needs: PostgreSQL's only when the system's cannot be used."""
    return jars.ALWAYS if needs.own_postgres() else (*jars.ALWAYS, jars.postgres_module())


class Setup:
    """Makes the virtual environment and, on request, the jars. `stop` ends the downloads early."""

    def __init__(self, console: Console, requirements: str, with_jars: bool) -> None:
        self._console = console
        self._requirements = [requirements]
        self._with_jars = with_jars
        self._stop = threading.Event()

    def run(self) -> bool:
        """Returns whether everything is there; reports what failed otherwise."""
        lock = Lock(STATE / "setup.lock", wait=True)
        try:
            failures = self._run_all()
        finally:
            lock.release()
        for failure in failures:
            self._console.problem(str(failure))
            for line in logfiles.tail(failure.log) if isinstance(failure, tool.ToolFailed) else ():
                self._console.line(f"    {line}")
        return not failures

    def _run_all(self) -> list[Exception]:
        jobs: dict[str, Job] = {"python packages": self._python_packages}
        if self._with_jars:
            wanted = modules()
            if java.find_installed()[0] is None:
                self._requirements.append(venv.JAVA)
            jobs["jars"] = lambda report, progress: jars.fetch(wanted, report, progress, self._stop)
            no_address = jars.must_download(wanted) and not repository.configured()
            # One of the packages has the address of the repository: that one first.
            if no_address and (failures := self._run({"python packages": self._repository_address})):
                return failures
        return self._run(jobs)

    def _repository_address(self, report: Callable[[str], None], progress: Callable[[str], None]) -> bool:
        return venv.make([venv.LOCAL], report, progress)

    def _python_packages(self, report: Callable[[str], None], progress: Callable[[str], None]) -> bool:
        return venv.make(self._requirements, report, progress)

    def _run(self, jobs: dict[str, Job]) -> list[Exception]:
        """All jobs at the same time. Returns the failures that a person should read."""
        pool = ThreadPoolExecutor(max_workers=len(jobs))
        try:
            running = [pool.submit(self._timed, name, job) for name, job in jobs.items()]
            errors = [error for error in (job.exception() for job in running) if error]
        except BaseException:
            self._stop.set()
            tool.end_all()
            raise
        finally:
            pool.shutdown()
        failures: list[Exception] = []
        for error in errors:
            if not isinstance(error, (tool.ToolFailed, DownloadFailed, LookupError, OSError)):
                raise error
            failures.append(error)
        return failures

    def _timed(self, name: str, job: Job) -> None:
        started = self._console.elapsed()
        if job(lambda text: self._console.report(name, text), lambda text: self._console.progress(name, text)):
            self._console.report(name, f"done ({self._console.elapsed() - started:.1f} s)")


def checks(command: str) -> list[Callable[[], str]]:
    """What to look for: venv only when there is something left to make with it."""
    found = [needs.system_line]
    if not venv.is_current(venv.RUNTIME):
        found.append(needs.python_line)
    if command != "venv":
        found += [needs.java_line, needs.postgres_line, needs.user_line]
    return found


def start(console: Console, mode: str, rest: list[str]) -> int:
    """Become the supervisor. Returns only when that is not possible."""
    try:
        lock = Lock(RUN_LOCK)
    except AlreadyRunning as error:
        console.problem(str(error))
        return 1
    if Setup(console, venv.RUNTIME, with_jars=True).run():
        become_supervisor(console, lock, [mode, *rest])
    return 1


def become_supervisor(console: Console, lock: Lock, arguments: list[str]) -> NoReturn:
    os.environ.update(lock.hand_over(), LOCAL_STARTED=str(console.started))
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), "-m", "local.run", *arguments])


def remove_all(console: Console) -> int:
    try:
        clean(STATE)
    except (AlreadyRunning, StillInUse) as error:
        console.problem(str(error))
        return 1
    console.line("removed .local")
    return 0


def lock_versions(console: Console) -> int:
    try:
        make_lock.main(console.report)
    except (LookupError, tool.ToolFailed) as error:
        console.problem(str(error))
        return 1
    return 0


def prepare(console: Console, command: str, development: bool, rest: list[str]) -> int:
    """The commands that need a virtual environment."""
    lacking = needs.lacking(checks(command))
    for line in lacking:
        console.problem(line)
    if lacking:
        return 1
    try:
        if command in ("demo", "local"):
            return start(console, command, rest)
        requirements = venv.DEVELOPMENT if development else venv.RUNTIME
        return 0 if Setup(console, requirements, with_jars=command == "setup").run() else 1
    except KeyboardInterrupt:
        console.line("stopped")
        return 0 if command in ("demo", "local") else 130


def _requested_stop(*_: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m local", description=__doc__)
    parser.add_argument("command", choices=("demo", "local", "setup", "venv", "lock", "clean"))
    parser.add_argument("--dev", action="store_true", help="setup, venv: with what tests and lint need")
    options, rest = parser.parse_known_args(arguments)
    os.chdir(ROOT)
    console = Console()
    signal.signal(signal.SIGTERM, _requested_stop)
    if options.command == "clean":
        return remove_all(console)
    if options.command == "lock":
        return lock_versions(console)
    return prepare(console, options.command, options.dev, rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
