import signal
import time

import pytest

from local import procfs
from local.runner import StartFailed
from local.waiting import Cancelled, NotReady
from tests.unit.local.conftest import sh, until


def never() -> None:
    raise NotReady("port 1: connection refused")


def test_services_start_after_what_they_need_and_stop_before_it(runner_of, reports):
    schema = sh("schema", "exit 0", after=("cassandra",), one_shot=True)
    runner = runner_of(sh("api", after=("schema",)), schema, sh("cassandra"))
    runner.start()
    runner.stop()
    assert reports.names("starting") == ["cassandra", "api"]
    assert reports.names("stopped") == ["api", "cassandra"]


def test_a_service_is_not_ready_before_its_check_passes(runner_of, tmp_path):
    flag = tmp_path / "ready"

    def ready() -> None:
        if not flag.exists():
            raise NotReady("no file")

    cassandra = sh("cassandra", f"sleep 0.2; touch {flag}; exec sleep 600", ready=ready)
    runner = runner_of(cassandra, sh("api", after=("cassandra",)))
    runner.start()
    assert flag.exists()


def test_a_failed_one_shot_stops_what_was_started(runner_of, reports):
    runner = runner_of(
        sh("cassandra"), sh("schema", "echo syntax error at 7; exit 3", after=("cassandra",), one_shot=True)
    )
    with pytest.raises(StartFailed, match="schema: ended with 3") as failure:
        runner.start()
    assert "syntax error at 7" in failure.value.log.read_text()
    assert reports.names("stopped") == ["cassandra"]
    assert not runner.is_running("cassandra")


def test_a_service_that_dies_while_starting_fails_the_start(runner_of):
    runner = runner_of(sh("cassandra", "exit 7", ready=never))
    with pytest.raises(StartFailed, match="cassandra: ended with 7"):
        runner.start()


def test_a_service_that_never_answers_fails_with_the_last_state_seen(runner_of):
    runner = runner_of(sh("cassandra", ready=never))
    runner.start_service("cassandra")
    with pytest.raises(StartFailed, match=r"not ready after 0\.2 s: port 1: connection refused"):
        runner.wait_ready("cassandra", seconds=0.2)


def test_a_failed_preparation_names_the_program_and_the_log(runner_of):
    runner = runner_of(sh("cassandra", prepare=lambda run: run("sh", "-c", "echo disk full; exit 2")))
    with pytest.raises(StartFailed, match="sh ended with 2") as failure:
        runner.start()
    assert "disk full" in failure.value.log.read_text()


def test_cancel_ends_a_start_that_waits(runner_of):
    def cancel_the_wait() -> None:
        runner.cancel()
        never()

    runner = runner_of(sh("cassandra", ready=cancel_the_wait))
    with pytest.raises(Cancelled):
        runner.start()
    assert not runner.is_running("cassandra")


def test_a_service_that_ignores_sigterm_is_killed_after_its_grace(runner_of):
    runner = runner_of(sh("deaf", "trap '' TERM; while true; do sleep 0.1; done", grace_seconds=0.3))
    runner.start()
    pid = runner.pid("deaf")
    started = time.monotonic()
    runner.stop()
    assert time.monotonic() - started < 5
    assert procfs.group_members(pid) == []


def test_descendants_end_with_their_service(runner_of):
    runner = runner_of(sh("gunicorn", "sleep 600 & sleep 600 & wait"))
    runner.start()
    pid = runner.pid("gunicorn")
    until(lambda: len(procfs.group_members(pid)) == 3, "the shell and its two children")
    runner.stop()
    assert procfs.group_members(pid) == []


def test_descendants_of_a_killed_service_are_gone_before_it_starts_again(runner_of):
    runner = runner_of(sh("postgres", "sleep 600 & wait"))
    runner.start()
    first = runner.pid("postgres")
    until(lambda: len(procfs.group_members(first)) == 2, "the shell and its child")
    runner._running["postgres"].send(signal.SIGKILL)
    runner._running["postgres"].wait(5)
    runner.start_service("postgres")
    assert procfs.group_members(first) == []
    assert runner.pid("postgres") != first


def test_kill_all_ends_a_service_that_ignores_its_signal(runner_of):
    runner = runner_of(sh("deaf", "trap '' TERM; while true; do sleep 0.1; done", grace_seconds=60))
    runner.start()
    runner.kill_all()
    started = time.monotonic()
    runner.stop()
    assert time.monotonic() - started < 5


def test_kill_takes_effect_before_it_returns(runner_of):
    runner = runner_of(sh("kafka"))
    runner.start()
    runner.kill("kafka", signal.SIGKILL)
    assert runner.exit_code("kafka") == -signal.SIGKILL


def test_a_missing_program_is_named_in_the_log(runner_of):
    runner = runner_of(sh("kafka", one_shot=True))
    runner.services["kafka"] = sh("kafka", "true", one_shot=True, prepare=lambda run: run("no-such-program"))
    with pytest.raises(StartFailed) as failure:
        runner.start()
    assert "no-such-program: No such file or directory" in failure.value.log.read_text()


def test_the_previous_log_is_kept(runner_of):
    first = runner_of(sh("cassandra", "echo first; exec sleep 600"))
    first.start()
    until(lambda: "first" in first.log_path("cassandra").read_text(), "first log line")
    first.stop()
    second = runner_of(sh("cassandra", "echo second; exec sleep 600"))
    second.start()
    until(lambda: "second" in second.log_path("cassandra").read_text(), "second log line")
    assert "first" in second.log_path("cassandra").with_name("cassandra.log.1").read_text()
