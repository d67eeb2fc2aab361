"""The virtual environment of our programs and tests. Created when missing, updated when the
requirements change."""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from local import stamp
from local.layout import ROOT, VENV, VENV_PYTHON
from local.tool import fresh_log, run_tool

RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
LOCAL, JAVA = "local/requirements.txt", "local/requirements-java.txt"


def _files(requirements: str) -> list[Path]:
    """The requirements file and those it includes with `-r`."""
    file = ROOT / requirements
    included = re.findall(r"^-r\s+(\S+)", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [file, *(path for name in included for path in _files(name))]


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _value(requirements: str) -> str:
    # A virtual environment works only with the Python and in the directory it was made for.
    return stamp.digest(_files(requirements), sys.version, str(VENV))


def _stamp(requirements: str) -> Path:
    return VENV / f"{requirements.replace('/', '-')}.stamp"


def _is_usable() -> bool:
    # pip takes half an installation for a whole one, so after an interruption we begin again.
    return stamp.matches(VENV / "made-for", _maker()) and VENV_PYTHON.exists() and not _unfinished().exists()


def _unfinished() -> Path:
    return VENV / "unfinished"


def is_current(requirements: str) -> bool:
    return _is_usable() and stamp.matches(_stamp(requirements), _value(requirements))


def make(requirements: Iterable[str], report: Callable[[str], None], progress: Callable[[str], None]) -> bool:
    """Install those of `requirements` that are not installed. Returns whether there was something
    to do. Raises ToolFailed."""
    wanted = [name for name in requirements if not is_current(name)]
    if not wanted:
        return False
    if not _is_usable():
        fresh_log("venv")
        report("making the virtual environment")
        run_tool("venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
        stamp.write(VENV / "made-for", _maker())
    report(f"installing {', '.join(wanted)}")
    _unfinished().touch()
    _install(wanted, progress)
    _unfinished().unlink()
    for file in (file for name in wanted for file in _files(name)):
        stamp.write(_stamp(_name(file)), _value(_name(file)))
    return True


def _install(wanted: Iterable[str], progress: Callable[[str], None]) -> None:
    def on_line(line: str) -> None:
        if found := re.match(r"\s*(Collecting|Downloading) (\S+)( \([^)]*\))?", line):
            progress(f"{found.group(1).lower()} {found.group(2).rsplit('/', 1)[-1]}{found.group(3) or ''}")
        elif line.startswith("Installing"):
            progress("installing what was downloaded")

    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    for name in wanted:
        options += ["-r", str(ROOT / name)]
    run_tool("venv", [str(VENV_PYTHON), "-m", "pip", "install", *options], on_line)


def _maker() -> str:
    return stamp.digest((), sys.version, sys.base_prefix, str(VENV))
