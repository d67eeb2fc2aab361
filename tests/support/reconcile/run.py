"""reconcile.py as a process: its JSON, its time, CPU and memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
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


def reconcile(world: ChainWorld, *options: str, **environ: str) -> Run:
    """Without the exchange, which the chain's world has not. `environ`: further settings."""
    environ = {**world.stack.environ, "CONSUMER_GROUP": GROUP, **environ}
    command = [sys.executable, "reconcile.py", "--no-exchange", "--json", *options]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=errors)
        peak_mib, ended = 0.0, 0
        while not ended:
            peak_mib = max(peak_mib, peak_memory_mib(process.pid))
            time.sleep(0.1)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        out.seek(0)
        errors.seek(0)
        text = out.read()
        found = json.loads(text) if text else {}
        cpu_seconds = usage.ru_utime + usage.ru_stime
        return Run(process.returncode, found, seconds, cpu_seconds, peak_mib, errors.read())


def peak_memory_mib(pid: int) -> float:
    """Of a running process. What wait4 says includes the memory of the parent that it was forked
    from."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
