import pytest

from pipeline.backoff import Backoff


def test_delays_double_up_to_the_maximum():
    backoff = Backoff(0.5, 5, rand=lambda: 0.0)
    assert [backoff.next_seconds() for _ in range(6)] == [0.5, 1, 2, 4, 5, 5]


def test_random_part_shortens_a_delay_by_a_quarter_at_most():
    assert Backoff(4, 30, rand=lambda: 0.999999).next_seconds() == pytest.approx(3, abs=0.001)
    assert all(3 < Backoff(4, 30).next_seconds() <= 4 for _ in range(100))


def test_delays_stay_finite_in_an_outage_of_weeks():
    backoff = Backoff(0.2, 30, rand=lambda: 0.0)
    backoff.attempts = 1_000_000
    assert backoff.next_seconds() == 30
    assert backoff.attempts == 1_000_001


def test_reset_starts_again_with_the_first_delay():
    backoff = Backoff(1, 60, rand=lambda: 0.0)
    for _ in range(3):
        backoff.next_seconds()
    assert backoff.attempts == 3
    backoff.reset()
    assert backoff.attempts == 0
    assert backoff.next_seconds() == 1
    assert backoff.attempts == 1
    backoff.reset()
    assert backoff.attempts == 0
