import pytest

from pipeline.intervals import INTERVALS, base_of, ceil_ms, floor_ms, interval_ms, interval_name, origin_ms
from pipeline.times import DAY_MS, HOUR_MS


@pytest.mark.parametrize(
    ("interval", "ms"),
    [("1m", 60_000), ("90m", 90 * 60_000), ("2h", 2 * HOUR_MS), ("3d", 3 * DAY_MS), ("1w", 7 * DAY_MS)],
)
def test_every_interval_but_the_month_has_a_length(interval, ms):
    assert interval_ms(interval) == ms
    assert interval_ms("1M") is None


@pytest.mark.parametrize("text", ["", "m", "0m", "1.5h", "1s", "-1m", "1mm"])
def test_text_that_is_not_an_interval_is_refused(text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        interval_ms(text)


@pytest.mark.parametrize("interval", [name for name in INTERVALS if name not in ("1w", "1M")])
def test_name_of_a_length_matches_the_exchange(interval):
    assert interval_name(interval_ms(interval)) == interval


@pytest.mark.parametrize(
    ("interval", "stored", "base"),
    [
        ("1m", {"1m", "1h"}, "1m"),
        ("5m", {"1m", "1h"}, "1m"),
        ("2h", {"1m", "1h"}, "1h"),
        ("90m", {"1m", "1h"}, "1m"),
        ("3d", {"1m", "1h", "1d"}, "1d"),
        ("3d", {"3d", "1h"}, "3d"),
        ("6d", {"3d", "1h"}, "1h"),
        ("1w", {"1d"}, "1d"),
        ("2w", {"1w"}, None),
        ("1M", {"1d"}, None),
        ("1M", {"1M"}, "1M"),
        ("7m", {"5m"}, None),
        ("1m", set(), None),
    ],
)
def test_base_is_the_longest_stored_interval_that_divides_and_starts_with_it(interval, stored, base):
    assert base_of(interval, stored) == base


def test_weeks_begin_on_monday():
    """2026-03-30 is a Monday."""
    monday = 1_774_828_800_000
    assert floor_ms(monday + 3 * DAY_MS, 7 * DAY_MS, origin_ms("1w")) == monday


def test_ceil_of_a_multiple_is_itself():
    assert (ceil_ms(0, 5), ceil_ms(1, 5), ceil_ms(5, 5), floor_ms(4, 5)) == (0, 5, 5, 0)
