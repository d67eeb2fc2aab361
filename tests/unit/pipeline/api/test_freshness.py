from pipeline.api.freshness import late_after, row_of
from pipeline.settings import load


def test_rows_are_late_after_five_polling_intervals_and_ten_seconds():
    settings = load("api", environ={"STATS_INTERVAL_SECONDS": "60"}, dotenv="/dev/null")
    assert late_after(settings) == {
        "crypto_24h_stats": 310,
        "latest_prices": 20,
        "order_book": 25,
        "recent_trades": 20,
        "klines": 35,
    }


def test_age_counts_from_the_time_in_the_row_and_is_late_only_above_the_threshold():
    assert row_of("klines", 1000, 36_000, 35) == {
        "table": "klines",
        "updated_at": 1000,
        "age_seconds": 35.0,
        "late_after_seconds": 35,
        "late": False,
    }
    assert row_of("klines", 1000, 36_001, 35)["late"]


def test_table_without_rows_is_late_and_has_no_age():
    found = row_of("klines", None, 36_000, 35)
    assert (found["updated_at"], found["age_seconds"], found["late"]) == (None, None, True)


def test_age_is_not_negative_if_the_exchanges_clock_is_ahead():
    assert row_of("recent_trades", 5000, 4000, 20)["age_seconds"] == 0
