import threading

from pipeline.producer.pool import Pool


def test_finished_call_is_returned_with_its_result_and_time(clock):
    pool = Pool(2, clock)
    pool.submit("job", lambda: 42)
    assert pool.next_done(5) == ("job", 42, None, 1000.0)
    assert pool.busy == 0


def test_error_of_a_call_is_returned_and_the_thread_continues(clock):
    pool, error = Pool(1, clock), ValueError("wrong")

    def fail():
        raise error

    pool.submit("bad", fail)
    pool.submit("good", lambda: 1)
    assert pool.next_done(5) == ("bad", None, error, 1000.0)
    assert pool.next_done(5) == ("good", 1, None, 1000.0)


def test_no_more_calls_run_at_a_time_than_there_are_threads():
    pool, release, running, most = Pool(2), threading.Event(), [], []
    lock = threading.Lock()

    def call():
        with lock:
            running.append(1)
            most.append(len(running))
        release.wait(5)
        with lock:
            running.pop()

    for number in range(5):
        pool.submit(number, call)
    assert pool.busy == 5
    assert pool.next_done(0) is None
    release.set()
    for _ in range(5):
        assert pool.next_done(5) is not None
    assert max(most) <= 2


def test_pool_returns_none_if_no_call_finishes_in_time():
    assert Pool(1).next_done(0) is None
    assert Pool(1).next_done(-1) is None
