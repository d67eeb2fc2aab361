import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.api import cache
from pipeline.api.cache import Cache
from pipeline.errors import StoreUnavailable


def test_value_is_kept_for_its_time_and_read_again_after_it():
    now, reads = [0.0], []
    kept = Cache("rows", 0.5, 10, timer=lambda: now[0])

    def read():
        reads.append(now[0])
        return len(reads)

    assert [kept.get("a", read), kept.get("a", read)] == [1, 1]
    now[0] = 0.49
    assert kept.get("a", read) == 1
    now[0] = 1.01
    assert kept.get("a", read) == 2


def test_old_value_is_given_while_one_reads_it_again_behind_the_reply():
    now, going_on = [0.0], threading.Event()
    kept = Cache("rows", 0.5, 10, timer=lambda: now[0])
    assert kept.get("a", lambda: 1) == 1

    def slow():
        going_on.wait(5)
        return 2

    now[0] = 0.6
    assert kept.peek("a") is None
    assert kept.get("a", slow) == 1
    assert kept.get("a", lambda: pytest.fail("must not read as well")) == 1
    going_on.set()
    kept._background.shutdown(wait=True)
    assert kept.peek("a") == 2


def test_error_behind_a_reply_is_nobodys_and_the_next_who_finds_nothing_reads():
    now = [0.0]
    kept = Cache("rows", 0.5, 10, timer=lambda: now[0])
    kept.get("a", lambda: 1)

    def fail():
        raise StoreUnavailable("away")

    now[0] = 0.6
    assert kept.get("a", fail) == 1
    kept._background.shutdown(wait=True)
    now[0] = 1.1
    with pytest.raises(StoreUnavailable):
        kept.get("a", fail)
    assert kept.get("a", lambda: 3) == 3


def test_of_many_who_ask_at_once_one_reads_and_all_get_it():
    kept, reads, asked = Cache("rows", 10, 10), [], threading.Barrier(20)

    def read():
        reads.append(1)
        return object()

    def ask(_):
        asked.wait()
        return kept.get("a", read)

    with ThreadPoolExecutor(20) as pool:
        assert len(set(map(id, pool.map(ask, range(20))))) == 1
    assert len(reads) == 1


def test_failed_read_goes_to_all_who_wait_and_is_not_kept():
    kept, reading, fail = Cache("rows", 10, 10), threading.Event(), threading.Event()

    def read():
        reading.set()
        fail.wait(5)
        raise StoreUnavailable("away")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "a", read)
        reading.wait(5)
        second = pool.submit(kept.get, "a", lambda: pytest.fail("must not read as well"))
        while not second.running():
            pass
        threading.Timer(0.05, fail.set).start()
        for each in (first, second):
            with pytest.raises(StoreUnavailable):
                each.result(5)
    assert kept.get("a", lambda: 5) == 5


def test_waiting_for_another_s_read_is_bounded(monkeypatch):
    monkeypatch.setattr(cache, "WAIT_SECONDS", 0.05)
    kept, reading, go_on = Cache("rows", 10, 10), threading.Event(), threading.Event()

    def read():
        reading.set()
        go_on.wait(5)
        return 1

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept.get, "a", read)
        reading.wait(5)
        with pytest.raises(StoreUnavailable):
            kept.get("a", read)
        go_on.set()
        assert first.result(5) == 1


def test_memory_is_bounded_by_size_and_what_is_too_large_is_answered_all_the_same():
    kept = Cache("rows", 10, 100, size=len)
    for number in range(50):
        kept.get(number, lambda: "x" * 10)
    assert kept._kept.currsize <= 100
    assert kept.get("large", lambda: "x" * 101) == "x" * 101
    assert kept.get("large", lambda: "again") == "again"
