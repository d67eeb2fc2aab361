import subprocess
import sys

from pipeline.stream.progress_watchdog import LIMIT_SECONDS, watch


def test_consumer_without_progress_is_ended_and_reported(clock, caplog):
    ended = []
    began = clock.now
    watch(lambda: began, lambda: ended.append(clock.now), clock, clock.sleep)
    assert len(ended) == 1
    assert LIMIT_SECONDS <= ended[0] - began < LIMIT_SECONDS + 10
    [line] = caplog.records
    assert (line.msg, line.levelname) == ("no_progress", "ERROR")


def test_consumer_that_goes_on_is_left_alone(clock):
    """Ten hours with some progress every two minutes; then none."""
    began, last = clock.now, [clock.now]

    def progress_at():
        if clock.now - began < 36_000 and clock.now - last[0] > 120:
            last[0] = clock.now
        return last[0]

    ended = []
    watch(progress_at, lambda: ended.append(clock.now), clock, clock.sleep)
    assert ended[0] - began > 36_000


def test_process_ends_with_exit_code_1_although_its_main_thread_hangs():
    program = (
        "import threading\n"
        "from pipeline.stream import progress_watchdog\n"
        "progress_watchdog.start(lambda: float('-inf'))\n"
        "threading.Event().wait(60)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == 1
