import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest
from prometheus_client import REGISTRY

from pipeline.api import cache
from pipeline.api.cache import Cache
from pipeline.errors import StoreUnavailable


@pytest.fixture
def refresher():
    """The executor of the background reads; `shutdown()` waits for those that run."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def make_cache(now: list[float], refresher: Executor) -> Cache[Any]:
    """Fresh for 0.5 s of a clock that shows `now[0]`."""
    return Cache("rows", 0.5, 10, clock=lambda: now[0], refresher=refresher)


def must_not_read() -> Any:
    pytest.fail("a second read")


def unavailable() -> Any:
    raise StoreUnavailable("unavailable")


def waiting_requests() -> float:
    """How many requests have waited for another request's read so far."""
    labels = {"memory": "rows", "result": "shared"}
    return REGISTRY.get_sample_value("api_cache_lookups_total", labels) or 0


def wait_until(condition: Callable[[], bool], timeout_seconds: float = 10) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.001)


def test_value_is_cached_while_fresh_and_read_again_after_it_has_expired(refresher):
    now, reads = [0.0], []
    values = make_cache(now, refresher)

    def read():
        reads.append(now[0])
        return len(reads)

    assert [values.get_or_read("a", read), values.get_or_read("a", read)] == [1, 1]
    now[0] = 0.49
    assert values.get_or_read("a", read) == 1
    now[0] = 1.01
    assert values.get_or_read("a", read) == 2


def test_stale_value_is_served_while_one_background_read_refreshes_it(refresher):
    now, go_on = [0.0], threading.Event()
    values = make_cache(now, refresher)
    assert values.get_or_read("a", lambda: 1) == 1

    def slow():
        go_on.wait(5)
        return 2

    now[0] = 0.6
    assert values.peek("a") is None
    assert values.get_or_read("a", slow) == 1
    assert values.get_or_read("a", must_not_read) == 1
    go_on.set()
    refresher.shutdown(wait=True)
    assert values.peek("a") == 2


def test_background_error_is_not_cached_and_the_first_request_after_expiry_reads(refresher):
    now = [0.0]
    values = make_cache(now, refresher)
    values.get_or_read("a", lambda: 1)
    now[0] = 0.6
    assert values.get_or_read("a", unavailable) == 1
    refresher.shutdown(wait=True)
    now[0] = 1.1
    with pytest.raises(StoreUnavailable):
        values.get_or_read("a", unavailable)
    assert values.get_or_read("a", lambda: 3) == 3


def test_concurrent_misses_share_one_read():
    values, reads, started = Cache("rows", 10, 10), [], threading.Barrier(20)

    def read():
        reads.append(1)
        return object()

    def request(_):
        started.wait()
        return values.get_or_read("a", read)

    with ThreadPoolExecutor(20) as pool:
        assert len(set(map(id, pool.map(request, range(20))))) == 1
    assert len(reads) == 1


def test_failed_read_is_raised_in_every_waiting_request_and_not_cached():
    values, reading, fail = Cache("rows", 10, 10), threading.Event(), threading.Event()
    waiting_before = waiting_requests()

    def read():
        reading.set()
        fail.wait(10)
        raise StoreUnavailable("unavailable")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(values.get_or_read, "a", read)
        reading.wait(5)
        second = pool.submit(values.get_or_read, "a", must_not_read)
        wait_until(lambda: waiting_requests() == waiting_before + 1)
        fail.set()
        for each in (first, second):
            with pytest.raises(StoreUnavailable):
                each.result(5)
    assert values.get_or_read("a", lambda: 5) == 5


def test_waiting_for_another_requests_read_is_bounded(monkeypatch):
    monkeypatch.setattr(cache, "MAX_WAIT_SECONDS", 0.05)
    values, reading, go_on = Cache("rows", 10, 10), threading.Event(), threading.Event()

    def read():
        reading.set()
        go_on.wait(5)
        return 1

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(values.get_or_read, "a", read)
        reading.wait(5)
        with pytest.raises(StoreUnavailable):
            values.get_or_read("a", read)
        go_on.set()
        assert first.result(5) == 1


def test_size_is_bounded_and_a_value_larger_than_the_cache_is_returned_but_not_cached():
    values = Cache("rows", 10, 100, size=len)
    for number in range(50):
        values.get_or_read(number, lambda: "x" * 10)
    cached = [value for number in range(50) if (value := values.peek(number)) is not None]
    assert 0 < sum(map(len, cached)) <= 100
    assert values.get_or_read("large", lambda: "x" * 101) == "x" * 101
    assert values.get_or_read("large", lambda: "again") == "again"
