"""Runs before the virtual environment exists: checks the machine, installs what is missing, then
becomes local/run.py. Imports nothing but the standard library and this package."""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

from local import jars, logfiles, needs, postgres_home, postgres_programs, tool, venv
from local.clean import StillInUse, clean
from local.console import Console
from local.layout import ROOT, RUN_LOCK, STATE, VENV_PYTHON
from local.lock import AlreadyRunning, Lock


def postgres_modules() -> tuple[str, ...]:
    """PostgreSQL from Maven, if the system's cannot be used."""
    data_major = postgres_home.data_major(STATE / "postgres")
    return () if postgres_programs.choose(postgres_programs.installed(), data_major) else (jars.POSTGRES,)


def make_ready(console: Console, requirements: str, with_jars: bool) -> bool:
    """Virtual environment and jars, at the same time. Returns whether both are there."""
    lock = Lock(STATE / "setup.lock", wait=True)
    pool = ThreadPoolExecutor(max_workers=2)

    def timed(name: str, make: Callable[..., bool], what: object) -> None:
        started = console.elapsed()
        if make(what, lambda text: console.report(name, text), lambda text: console.progress(name, text)):
            console.report(name, f"done ({console.elapsed() - started:.1f} s)")

    try:
        jobs = [pool.submit(timed, "python packages", venv.make, requirements)]
        if with_jars:
            jobs.append(pool.submit(timed, "jars", jars.fetch, (*jars.ALWAYS, *postgres_modules())))
        failures = [error for error in (job.exception() for job in jobs) if error]
    except BaseException:
        tool.end_all()
        raise
    finally:
        pool.shutdown()
        lock.release()
    for error in failures:
        if not isinstance(error, tool.ToolFailed):
            raise error
        console.problem(str(error))
        for line in logfiles.tail(error.log):
            console.line(f"    {line}")
    return not failures


def checks(command: str) -> list[Callable[[], str]]:
    """What to look for: Maven and venv only when there is something left to make with them."""
    found = [needs.system_line]
    if not venv.is_current(venv.RUNTIME):
        found.append(needs.python_line)
    if command != "venv":
        found += [needs.java_line, needs.user_line]
        if jars.missing((*jars.ALWAYS, *postgres_modules())):
            found.append(needs.maven_line)
    return found


def start(console: Console, mode: str, rest: list[str]) -> int:
    """Become the supervisor. Returns only when that is not possible."""
    try:
        lock = Lock(RUN_LOCK)
    except AlreadyRunning as error:
        console.problem(str(error))
        return 1
    if make_ready(console, venv.RUNTIME, with_jars=True):
        become_supervisor(console, lock, [mode, *rest])
    return 1


def become_supervisor(console: Console, lock: Lock, arguments: list[str]) -> NoReturn:
    os.environ.update(lock.hand_over(), LOCAL_STARTED=str(console.started))
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), "-m", "local.run", *arguments])


def _requested_stop(*_: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m local", description=__doc__)
    parser.add_argument("command", choices=("demo", "local", "setup", "venv", "clean"))
    parser.add_argument("--dev", action="store_true", help="setup, venv: with what tests and lint need")
    options, rest = parser.parse_known_args(arguments)
    os.chdir(ROOT)
    console = Console()
    signal.signal(signal.SIGTERM, _requested_stop)
    if options.command == "clean":
        try:
            clean(STATE)
        except (AlreadyRunning, StillInUse) as error:
            console.problem(str(error))
            return 1
        console.line("removed .local")
        return 0
    lacking = needs.lacking(checks(options.command))
    for line in lacking:
        console.problem(line)
    if lacking:
        return 1
    try:
        if options.command in ("demo", "local"):
            return start(console, options.command, rest)
        requirements = venv.DEVELOPMENT if options.dev else venv.RUNTIME
        return 0 if make_ready(console, requirements, with_jars=options.command == "setup") else 1
    except KeyboardInterrupt:
        console.line("stopped")
        return 0 if options.command in ("demo", "local") else 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
