import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.symbols import LISTED, QUOTE_ASSETS, REQUESTED, UNKNOWN, is_symbol, quote_asset, upper_case


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
        ("币安人生USDT", "USDT"),
        ("БИТКОЙНBTC", "BTC"),
        ("这是测试币456", UNKNOWN),
        ("BTC币", UNKNOWN),
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


@pytest.mark.parametrize(
    "name",
    [
        "BTCUSDT",
        "1000SATSUSDT",
        "A-B_C.D",
        "X" * 20,
        "币安人生USDT",
        "这是测试币456",
        "ΩUSDT",
        "БИТКОЙНUSDT",
        "비트코인",
        "ビットコインUSDT",
        "बिटकॉइनUSDT",
        "بيتكوينUSDT",
        "ביטקוין",
        "บิทคอยน์",
        "ÉTÉ",
        "ßUSDT",
        "крипто",
        "🚀USDT",
        "々USDT",
    ],
)
def test_symbol_may_have_letters_of_any_script(name):
    assert is_symbol(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "X" * 21,
        "btcusdt",
        "BTC USDT",
        "BTC,ETH",
        "A:B",
        "A'B",
        'A"B',
        "<script>",
        "A&B",
        "A/B",
        "A%20",
        "A;B",
        "A#B",
        "A\\B",
        "A\nB",
        "A\0B",
        "A\x7fB",
        "A\x85B",
        "A\u00a0B",
        "A\u200bB",
        "A\u202eB",
        "A\u2028B",
        "A\u3000B",
        "A\ufeffB",
        "A\ufffdB",
        "A\ue000B",
        "A，B",
        "A＜B",
        "A＇B",
        "A\U000e0041B",
        None,
        5,
        ["A"],
        b"A",
    ],
)
def test_symbol_may_not_have_what_needs_escaping_or_is_invisible(name):
    assert not is_symbol(name)


@given(st.characters())
def test_no_space_control_or_line_separator_is_allowed(character):
    if unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp", "Cs", "Co"):
        assert not re.fullmatch(REQUESTED, character)


@given(st.from_regex(re.compile(REQUESTED), fullmatch=True))
def test_requested_symbol_in_upper_case_is_one_that_may_be_listed(name):
    assert re.fullmatch(LISTED, upper_case(name))
    assert upper_case(upper_case(name)) == upper_case(name)
    assert len(upper_case(name)) == len(name)


@pytest.mark.parametrize(
    ("name", "upper"), [("btcUSDT", "BTCUSDT"), ("криптоusdt", "криптоUSDT"), ("ßıſusdt", "ßıſUSDT")]
)
def test_ascii_letters_alone_become_upper_case(name, upper):
    assert upper_case(name) == upper
