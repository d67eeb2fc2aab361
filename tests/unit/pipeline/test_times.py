from datetime import UTC, datetime, timedelta, timezone

import pytest
from cassandra.cqltypes import DateType

from pipeline import times

MOMENT_US = 1_795_461_947_123_456  # 2026-11-23T19:25:47.123456Z


def test_naive_datetime_is_taken_as_utc():
    assert times.datetime_to_ms(datetime(2026, 11, 23, 19, 25, 47, 123_456)) == MOMENT_US // 1000


def test_aware_datetime_is_the_same_time_in_any_zone():
    in_india = datetime(2026, 11, 24, 0, 55, 47, 123_456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert times.datetime_to_ms(in_india) == MOMENT_US // 1000


@pytest.mark.parametrize("ms", [0, 1, 999, 1_725_321_659_999, 253_402_300_799_999, -1])
def test_ms_survive_conversion_to_datetime_and_back(ms):
    assert times.datetime_to_ms(times.ms_to_datetime(ms)) == ms


def test_ms_become_an_aware_utc_datetime():
    assert times.ms_to_datetime(1_725_321_600_000) == datetime(2024, 9, 3, tzinfo=UTC)
    assert times.ms_to_datetime(1_725_321_600_000).tzinfo is UTC


@pytest.mark.parametrize(
    ("sent", "ms"),
    [
        (1_735_689_600_000, 1_735_689_600_000),
        (1_735_689_600_000_000, 1_735_689_600_000),
        (1_735_689_600_123_999, 1_735_689_600_123),
        (99_999_999_999_999, 99_999_999_999_999),
        (100_000_000_000_000, 100_000_000_000),
    ],
)
def test_microseconds_are_recognised_by_magnitude(sent, ms):
    assert times.exchange_ms(sent) == ms


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T19:25:47.123456Z",
        "2026-11-23T19:25:47.123456+00:00",
        "2026-11-24T00:55:47.123456+05:30",
        "2026-11-23T14:25:47.123456-05:00",
        "2026-11-23T19:25:47.123456",
    ],
)
def test_iso_text_with_z_offset_or_neither_is_the_same_time(text):
    assert times.iso_to_us(text) == MOMENT_US
    assert times.iso_to_ms(text) == MOMENT_US // 1000


@pytest.mark.parametrize(
    ("fraction", "us"), [("", 0), (".1", 100_000), (".12", 120_000), (".12345", 123_450), (".123456789", 123_456)]
)
def test_iso_text_with_any_number_of_decimals_is_read(fraction, us):
    assert times.iso_to_us(f"2026-11-23T19:25:47{fraction}Z") == MOMENT_US // 1_000_000 * 1_000_000 + us


def test_iso_text_is_exact_to_the_microsecond_far_from_the_epoch():
    assert times.iso_to_us("9999-12-31T23:59:59.999999Z") == 253_402_300_799_999_999
    assert times.iso_to_us("1969-12-31T23:59:59.999999Z") == -1


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", "2026-11-23T25:00:00Z", "1700000000000 ms"])
def test_text_that_is_not_a_time_raises_value_error(text):
    with pytest.raises(ValueError):
        times.iso_to_us(text)


@pytest.mark.parametrize(
    ("ms", "hour"),
    [(0, 0), (3_599_999, 0), (3_600_000, 3_600_000), (1_725_321_659_999, 1_725_321_600_000), (-1, -3_600_000)],
)
def test_hour_starts_at_the_full_utc_hour(ms, hour):
    assert times.hour_of(ms) == hour


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("45s", 45), ("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("1.5H", 5400)]
)
def test_duration_with_each_unit_becomes_seconds(text, seconds):
    assert times.duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "ten minutes", "5w", "1h30m"])
def test_text_that_is_not_a_duration_raises_value_error(text):
    with pytest.raises(ValueError):
        times.duration_seconds(text)


def test_now_is_milliseconds_of_this_century():
    assert 1_600_000_000_000 < times.now_ms() < 4_100_000_000_000


def test_now_in_microseconds_agrees_with_now_in_milliseconds():
    before_ms = times.now_ms()
    now_us = times.now_us()
    assert before_ms <= now_us // 1000 <= times.now_ms()


@pytest.mark.parametrize(
    ("seconds", "ms"), [(0, 0), (0.05, 50), (1.5, 1500), (0.0004, 0), (0.0006, 1), (600.0, 600_000)]
)
def test_seconds_become_whole_milliseconds(seconds, ms):
    assert times.seconds_to_ms(seconds) == ms
    assert isinstance(times.seconds_to_ms(seconds), int)


def test_milliseconds_and_microseconds_become_seconds():
    assert times.ms_to_seconds(1_500) == 1.5
    assert times.us_to_seconds(1_500_000) == 1.5


def test_text_of_a_time_is_in_utc_without_fractions():
    assert times.ms_to_text(MOMENT_US // 1000) == "2026-11-23 19:25:47"


@pytest.mark.parametrize("ms", [0, -1, 1_795_000_000_123, 34_372_854_123_198, 253_402_300_799_998, -62_135_596_799_997])
def test_timestamp_that_the_driver_read_is_the_whole_millisecond(ms: int) -> None:
    """The driver returns 3059-03-26 23:02:03.197998 for …198 ms."""
    read = DateType.deserialize(ms.to_bytes(8, "big", signed=True), 5)
    assert times.cassandra_datetime_to_ms(read) == ms
