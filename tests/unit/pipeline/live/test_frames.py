import threading
import time

from pipeline.live import metrics
from pipeline.live.channels import points
from pipeline.live.frames import MAX_MESSAGE_BYTES, MIN_INTERVAL_SECONDS, Frame, Frames, messages
from tests.unit.pipeline.live.changes import price


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def sent(frames: Frames) -> list[str]:
    return [text for message in frames.take() for text in message.text.split("\n")]


def test_first_value_is_sent_at_once_and_the_next_ones_after_the_interval() -> None:
    clock = Time()
    frames = Frames(clock)
    frames.put(points(price("1", 1)))
    assert len(sent(frames)) == 2
    for version in range(2, 10):
        frames.put(points(price(str(version), version)))
        clock.now += MIN_INTERVAL_SECONDS / 100
        assert sent(frames) == []
    clock.now += MIN_INTERVAL_SECONDS
    assert [text.split(" ")[1] for text in sent(frames)] == ["price=9.0"] * 2


def test_what_is_dropped_is_counted() -> None:
    counter = metrics.DROPPED.labels("superseded")
    frames, before = Frames(Time()), counter._value.get()
    for version in range(1, 11):
        frames.put(points(price("1", version)))
    assert counter._value.get() - before == 18  # on two channels


def test_memory_does_not_grow_while_nothing_is_taken() -> None:
    frames = Frames(Time())
    for version in range(1, 1000):
        frames.put(points(price("1", version)))
    assert len(sent(frames)) == 2


def test_new_connection_gets_the_current_values() -> None:
    clock = Time()
    frames = Frames(clock)
    frames.put(points(price("1", 1)))
    sent(frames)
    clock.now += 1
    frames.restore()
    assert len(sent(frames)) == 2


def test_waiting_ends_as_soon_as_something_comes() -> None:
    frames = Frames()
    threading.Timer(0.05, lambda: frames.put(points(price("1", 1)))).start()
    began = time.monotonic()
    frames.wait(10)
    assert time.monotonic() - began < 5
    assert len(sent(frames)) == 2


def test_waiting_lasts_until_the_channel_may_send_again() -> None:
    frames = Frames()
    frames.put(points(price("1", 1)))
    sent(frames)
    frames.put(points(price("2", 2)))
    began = time.monotonic()
    while not sent(frames):
        frames.wait(10)
    assert MIN_INTERVAL_SECONDS * 0.9 < time.monotonic() - began < 5


def test_messages_stay_below_the_limit() -> None:
    frames = [Frame("price", ["x" * 1000] * 10, 0) for _ in range(10)]
    found = messages(frames)
    assert len(found) == 4
    assert all(len(each.text) <= MAX_MESSAGE_BYTES for each in found)
    assert [frame for each in found for frame in each.frames] == frames
    assert messages([]) == []
