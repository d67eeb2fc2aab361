import os
import signal

import pytest

from pipeline.stopping import Stop, on_signals


@pytest.fixture
def restored_handlers():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("restored_handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_sets_the_stop_and_the_process_lives_on(number):
    stop = on_signals()
    assert not stop.requested
    os.kill(os.getpid(), number)
    assert stop.wait(1)
    assert stop.requested


def test_wait_without_a_stop_takes_its_full_time():
    assert Stop().wait(0.001) is False


def test_wait_ends_at_once_when_stopped():
    stop = Stop()
    stop.set()
    assert stop.wait(60) is True
