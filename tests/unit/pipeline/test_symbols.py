import pytest

from pipeline.symbols import QUOTE_ASSETS, UNKNOWN, quote_asset


@pytest.mark.parametrize(
    ("symbol", "quote"),
    [
        ("BTCUSDT", "USDT"),
        ("ETHBTC", "BTC"),
        ("BTCUSDC", "USDC"),
        ("BTCFDUSD", "FDUSD"),
        ("BTCTUSD", "TUSD"),
        ("BTCUSD", "USD"),
        ("USDTTRY", "TRY"),
        ("USDCUSDT", "USDT"),
        ("BTCEURI", "EURI"),
        ("BTCEUR", "EUR"),
        ("USDTIDRT", "IDRT"),
        ("WBETHETH", "ETH"),
        ("1000SATSUSDT", "USDT"),
    ],
)
def test_quote_asset_follows_from_the_ending(symbol, quote):
    assert quote_asset(symbol) == quote


def test_euro_pair_of_an_asset_that_ends_in_a_is_quoted_in_euro():
    assert [quote_asset(symbol) for symbol in ("ADAEUR", "LUNAEUR", "GALAEUR")] == ["EUR"] * 3


@pytest.mark.parametrize("symbol", ["", "BTC", "USDT", "FOOBAR", "btcusdt"])
def test_symbol_with_unknown_ending_is_quoted_in_other(symbol):
    assert quote_asset(symbol) == UNKNOWN


def test_quote_assets_are_listed_once_each():
    assert len(set(QUOTE_ASSETS)) == len(QUOTE_ASSETS)
