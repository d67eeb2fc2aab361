"""A supervisor that is killed with -9 leaves no child, and the next one starts."""

import json
import os
import signal
import subprocess

from local import pidfile, procfs
from local.layout import ROOT
from tests.unit.local.conftest import sh, until

SUPERVISOR = """
import sys, time
from pathlib import Path
from local.runner import Runner
from tests.unit.local.conftest import sh
deaf = "trap '' TERM INT HUP; while true; do sleep 1; done"
runner = Runner([sh("cassandra"), sh("api", deaf, after=("cassandra",))], Path(sys.argv[1]))
runner.start()
print("started", flush=True)
time.sleep(600)
"""


def killed_supervisor(python: str, state_dir) -> list[int]:
    """Start a supervisor with two services, kill it, return the pids of the services."""
    program = [python, "-c", SUPERVISOR, str(state_dir)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout.readline() == "started\n"
        pids = [entry["pid"] for entry in json.loads((state_dir / "pids.json").read_text())]
        supervisor.kill()
    return pids


def test_children_die_with_a_killed_supervisor(python, tmp_path):
    pids = killed_supervisor(python, tmp_path)
    assert len(pids) == 2
    until(lambda: not any(procfs.start_ticks(pid) for pid in pids), "end of both children")


def test_the_next_supervisor_starts(python, tmp_path, runner_of):
    killed_supervisor(python, tmp_path)
    runner = runner_of(sh("cassandra"))
    runner.start()
    assert runner.is_running("cassandra")


def orphan(state_dir, script: str = "exec sleep 600") -> subprocess.Popen:
    """A process as a supervisor would leave it if the kernel did not end it: in its own session,
    marked, recorded."""
    environ = {**os.environ, pidfile.MARK: str(state_dir)}
    return subprocess.Popen(["sh", "-c", script], env=environ, start_new_session=True)


def test_a_child_left_behind_is_stopped_by_the_next_start(tmp_path, runner_of, reports):
    left = orphan(tmp_path)
    record = pidfile.Record("kafka", left.pid, procfs.start_ticks(left.pid))
    pidfile.PidFile(tmp_path / "pids.json").add(record)
    runner_of()
    assert left.wait(5) == -signal.SIGTERM
    assert reports.names("was left behind") == ["kafka"]
