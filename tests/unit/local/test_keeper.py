import signal

from local.keeper import MAX_SECONDS, STABLE_AFTER_SECONDS, Keeper
from local.waiting import NotReady
from tests.unit.local.conftest import sh, until


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class DyingRunner:
    """One service that has ended whenever it is checked. `ran`: seconds it ran each time."""

    def __init__(self, ran: float = 0.1) -> None:
        self.ran = ran
        self.starts = 0
        self.services = {"connect": sh("connect")}

    def long_running(self):
        return ["connect"]

    def exit_code(self, name):
        return 137

    def ran_seconds(self, name):
        return self.ran

    def start_service(self, name):
        self.starts += 1

    def log_path(self, name):
        return "connect.log"


def delays(ran: float, failures: int) -> list[float]:
    clock, reports = Clock(), []
    runner = DyingRunner(ran)
    keeper = Keeper(runner, lambda name, text: reports.append(text), clock)
    waits = []
    for _ in range(failures):
        keeper.step()  # sees the failure
        failed, starts = clock.now, runner.starts
        while runner.starts == starts:
            clock.now += 0.25
            keeper.step()
        waits.append(clock.now - failed)
    return waits


def test_delays_double_to_half_a_minute():
    assert delays(ran=0.1, failures=7) == [1, 2, 4, 8, 16, MAX_SECONDS, MAX_SECONDS]


def test_a_service_that_ran_a_minute_starts_again_quickly():
    assert delays(ran=STABLE_AFTER_SECONDS, failures=4) == [1, 1, 1, 1]


def test_a_killed_service_is_restarted_and_both_are_reported(runner_of, reports):
    runner = runner_of(sh("kafka"))
    runner.start()
    clock = Clock()
    keeper = Keeper(runner, reports, clock)
    runner.kill("kafka", signal.SIGKILL)
    keeper.step()
    assert not runner.is_running("kafka")
    clock.now += 1
    keeper.step()
    assert runner.is_running("kafka")
    keeper.step()
    log = runner.log_path("kafka")
    assert ("kafka", f"was ended by signal 9; starting it again in 1 s; log: {log}") in reports
    assert reports.names("ready again") == ["kafka"]


def test_the_log_is_shown_when_a_failure_repeats(runner_of, reports):
    runner = runner_of(sh("api", "echo cannot bind; exit 5"))
    runner.start_service("api")
    clock = Clock()
    keeper = Keeper(runner, reports, clock)
    for _ in range(2):
        until(lambda: runner.exit_code("api") == 5, "end of api")
        assert not reports.names("  | cannot bind")
        keeper.step()
        clock.now += 60
        keeper.step()
    assert reports.names("  | cannot bind")
    assert reports.names("ended with exit code 5") == ["api", "api"]


def test_one_shots_are_not_started_again(runner_of, reports):
    runner = runner_of(sh("schema", "exit 0", one_shot=True))
    runner.start()
    Keeper(runner, reports).step()
    assert reports.names("ended") == []


def test_recovery_is_reported_only_when_the_check_passes(runner_of, reports):
    answers = []

    def ready() -> None:
        if not answers:
            raise NotReady("refused")

    runner = runner_of(sh("kafka", ready=ready))
    runner.start_service("kafka")
    clock = Clock()
    keeper = Keeper(runner, reports, clock)
    runner.kill("kafka", signal.SIGKILL)
    keeper.step()
    clock.now += 1
    keeper.step()
    keeper.step()
    assert reports.names("ready again") == []
    answers.append(True)
    keeper.step()
    assert reports.names("ready again") == ["kafka"]
