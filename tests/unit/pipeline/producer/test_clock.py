from pipeline.producer.clock import ExchangeClock


def test_local_clock_is_used_until_the_exchange_has_sent_its_time():
    assert ExchangeClock(lambda: 5000).surely_past_ms() == 5000


def test_clock_that_is_fast_is_corrected_backwards():
    clock = ExchangeClock(lambda: 10_500)
    clock.learn(server_ms=7000, received_at_local_ms=10_000)
    assert clock.surely_past_ms() == 7500


def test_clock_that_is_slow_is_corrected_forwards():
    clock = ExchangeClock(lambda: 5500)
    clock.learn(server_ms=9000, received_at_local_ms=5000)
    assert clock.surely_past_ms() == 9500


def test_estimate_of_the_exchanges_clock_is_never_ahead_of_it():
    """The reply took 800 ms: the exchange is at 9800 by now, and the estimate is lower."""
    clock = ExchangeClock(lambda: 5000)
    clock.learn(server_ms=9000, received_at_local_ms=5000)
    assert clock.surely_past_ms() <= 9800
