import os
import signal
import subprocess

import pytest

from local import pidfile, procfs
from local.pidfile import PidFile, Record
from tests.unit.local.conftest import until


@pytest.fixture
def sleeper():
    def restore_sigint() -> None:
        # A shell starts background programs with SIGINT ignored, which their children inherit.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(["sleep", "600"], start_new_session=True, preexec_fn=restore_sigint) as process:
        yield process
        process.kill()


def write(path, *records: Record) -> None:
    file = PidFile(path)
    for record in records:
        file.add(record)


def test_a_reused_pid_is_not_killed(tmp_path, sleeper):
    path = tmp_path / "pids.json"
    write(path, Record("kafka", sleeper.pid, procfs.start_ticks(sleeper.pid) - 1))
    assert pidfile.stop_stale(path, tmp_path) == []
    assert sleeper.poll() is None


def test_the_same_process_is_stopped_with_its_own_signal(tmp_path, sleeper):
    path = tmp_path / "pids.json"
    write(path, Record("postgres", sleeper.pid, procfs.start_ticks(sleeper.pid), signal.SIGINT))
    assert pidfile.stop_stale(path, tmp_path) == ["postgres"]
    assert sleeper.wait(5) == -signal.SIGINT


def test_what_ignores_the_signal_is_killed(tmp_path):
    path = tmp_path / "pids.json"
    script = "trap '' TERM; echo deaf; while true; do sleep 0.1; done"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True) as deaf:
        assert deaf.stdout.readline() == b"deaf\n"
        write(path, Record("connect", deaf.pid, procfs.start_ticks(deaf.pid)))
        pidfile.stop_stale(path, tmp_path, grace_seconds=0.3)
        assert deaf.wait(5) == -signal.SIGKILL


@pytest.mark.parametrize(("mark", "stopped"), [(True, True), (False, False)])
def test_workers_without_their_leader_are_stopped_only_when_marked_as_ours(tmp_path, mark, stopped):
    environ = {**os.environ, **({pidfile.MARK: str(tmp_path)} if mark else {})}
    leader = subprocess.Popen(["sh", "-c", "sleep 600 & wait"], env=environ, start_new_session=True)
    until(lambda: len(procfs.group_members(leader.pid)) == 2, "leader and worker")
    path = tmp_path / "pids.json"
    write(path, Record("api", leader.pid, procfs.start_ticks(leader.pid)))
    leader.kill()
    leader.wait()
    (worker,) = procfs.group_members(leader.pid)
    try:
        assert pidfile.stop_stale(path, tmp_path, grace_seconds=2) == (["api"] if stopped else [])
        assert (worker not in procfs.group_members(leader.pid)) is stopped
    finally:
        if not stopped:
            os.kill(worker, signal.SIGKILL)


@pytest.mark.parametrize("content", ["", "[{", '{"pid": 1}', '[{"unknown": 1}]'])
def test_a_damaged_file_is_ignored(tmp_path, content):
    path = tmp_path / "pids.json"
    path.write_text(content)
    assert pidfile.stop_stale(path, tmp_path) == []


def test_removed_records_are_forgotten(tmp_path):
    path = tmp_path / "pids.json"
    file = PidFile(path)
    file.add(Record("kafka", 1, 1))
    file.add(Record("api", 2, 2))
    file.remove(1)
    assert pidfile.read(path) == [Record("api", 2, 2)]
