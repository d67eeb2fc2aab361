"""reconcile.py as a process: its JSON, its time, CPU and memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from tests.support.chain.chain_world import GROUP, ChainWorld
from tests.support.program import ROOT


class Run(NamedTuple):
    """`found`: its JSON. `peak_mib`: of resident memory."""

    exit_code: int
    found: dict
    seconds: float
    cpu_seconds: float
    peak_mib: float
    errors: str


def reconcile(world: ChainWorld, *options: str) -> Run:
    """Without the exchange, which the chain's world has not."""
    environ = {**world.stack.environ, "CONSUMER_GROUP": GROUP}
    command = [sys.executable, "reconcile.py", "--no-exchange", "--json", *options]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        out.seek(0)
        errors.seek(0)
        text = out.read()
        found = json.loads(text) if text else {}
        cpu_seconds = usage.ru_utime + usage.ru_stime
        return Run(process.returncode, found, seconds, cpu_seconds, usage.ru_maxrss / 1024, errors.read())
