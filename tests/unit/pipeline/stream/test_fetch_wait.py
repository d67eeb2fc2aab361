import pytest

from pipeline.stream.fetch_wait import COLLECT_BYTES, MAX_MS, fetch_wait


def test_first_record_after_a_pause_is_answered_at_once():
    assert fetch_wait(0, idle_ms=500) == (1, 500)


@pytest.mark.parametrize("count", [1, 2, 5, 100, 5000])
def test_records_that_follow_each_other_are_collected_for_a_bounded_time(count):
    min_bytes, wait_ms = fetch_wait(count, idle_ms=500)
    assert min_bytes == COLLECT_BYTES
    assert 0 < wait_ms <= MAX_MS


def test_single_changes_wait_less_than_many():
    assert fetch_wait(1, 500)[1] < fetch_wait(10, 500)[1] / 2
