import threading

from pipeline.producer.pool import Pool


def test_finished_call_comes_back_with_its_result():
    pool = Pool(2)
    pool.submit("job", lambda: 42)
    assert pool.next_done(5) == ("job", 42, None)
    assert pool.busy == 0


def test_error_of_a_call_comes_back_and_the_thread_lives_on():
    pool, error = Pool(1), ValueError("wrong")

    def fail():
        raise error

    pool.submit("bad", fail)
    pool.submit("good", lambda: 1)
    assert pool.next_done(5) == ("bad", None, error)
    assert pool.next_done(5) == ("good", 1, None)


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


def test_nothing_finished_in_time_is_none_and_not_a_wait_for_ever():
    assert Pool(1).next_done(0) is None
    assert Pool(1).next_done(-1) is None
