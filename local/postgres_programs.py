"""Finds PostgreSQL's server programs on this machine. Knows where distributions install them;
starts no server."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from glob import glob
from pathlib import Path

MIN_MAJOR = 14


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """A directory with `initdb` and `postgres` of one major version."""

    bin_dir: Path
    major: int


def in_directory(bin_dir: Path) -> PostgresPrograms | None:
    """The programs in `bin_dir`; None when one is missing, does not run, or is too old."""
    if not (bin_dir / "initdb").exists() or not (bin_dir / "postgres").exists():
        return None
    try:
        text = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\) (\d+)", text)
    major = int(found.group(1)) if found else 0
    return PostgresPrograms(bin_dir, major) if major >= MIN_MAJOR else None


def _directories() -> list[Path]:
    found = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    found += [Path(part) for part in glob("/usr/lib/postgresql/*/bin") + glob("/usr/pgsql-*/bin")]
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True)
        found += [Path(answer.stdout.strip())] if answer.returncode == 0 else []
    return list(dict.fromkeys(found))


def installed() -> list[PostgresPrograms]:
    """What the system has, newest first; nothing when LOCAL_POSTGRES=bundled asks for the one that
    is downloaded."""
    if os.environ.get("LOCAL_POSTGRES") == "bundled":
        return []
    found = [programs for programs in map(in_directory, _directories()) if programs]
    return sorted(found, key=lambda programs: -programs.major)


def choose(available: list[PostgresPrograms], data_major: int | None) -> PostgresPrograms | None:
    """The newest, or the one of the major version that created the data: another cannot open it."""
    for programs in available:
        if data_major in (None, programs.major):
            return programs
    return None
