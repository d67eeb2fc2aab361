"""Finds redis-server on this machine. Knows where it may be; starts nothing."""

import os
import re
import shutil
import subprocess

from local.layout import STATE

MIN_MAJOR = 7  # scripts that say in their first line what they may do
# Where .ci/run unpacks it if the machine has none.
UNPACKED = STATE / "redis" / "bin"
MISSING = (
    "not installed (package redis-server, 7 or newer): the API reads the current state from Cassandra alone, "
    "everything else is the same"
)


def find() -> str | None:
    """The path of redis-server; None if there is none, or an old one."""
    program = shutil.which("redis-server", path=os.pathsep.join([os.environ.get("PATH", ""), str(UNPACKED)]))
    if program is None:
        return None
    try:
        text = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r" v=(\d+)", text)
    return program if found and int(found.group(1)) >= MIN_MAJOR else None
