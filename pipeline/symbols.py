"""Which names a symbol may have, and which asset it is quoted in, by its ending. Of the exchange it
knows the quote assets and nothing else."""

import re
from functools import lru_cache
from urllib.parse import quote

# Quote assets of the exchange (exchangeInfo, 2026). The longest match wins: XUSDT is quoted in
# USDT. AEUR, XUSD and BUSD are left out, because they would match common pairs of a shorter quote
# asset: ADAEUR, AVAXUSD, BNBUSD.
QUOTE_ASSETS = (
    "USDT",
    "USDC",
    "FDUSD",
    "TUSD",
    "USDP",
    "USD1",
    "USDE",
    "RLUSD",
    "DAI",
    "USD",
    "BTC",
    "ETH",
    "BNB",
    "SOL",
    "XRP",
    "TRX",
    "DOGE",
    "DOT",
    "EUR",
    "EURI",
    "GBP",
    "TRY",
    "BRL",
    "AUD",
    "JPY",
    "ARS",
    "COP",
    "CZK",
    "MXN",
    "PLN",
    "RON",
    "UAH",
    "ZAR",
    "IDR",
    "IDRT",
    "BIDR",
    "BKRW",
    "BVND",
    "NGN",
    "RUB",
    "VAI",
    "PAX",
    "USDS",
    "UST",
)
# A symbol is 1 to 20 characters of any script, e.g. 币安人生USDT. It may not contain ASCII
# punctuation except - _ . (it would need escaping in a URL, a list or HTML), lower-case ASCII
# letters (a request may use them, they become upper case), spaces, control and invisible
# formatting characters (two names would look the same), wide forms of the same punctuation, U+FFFD
# (bytes that were not UTF-8). Ranges of a character class, which means the same in Python,
# ECMAScript and JSON Schema.
FORBIDDEN = (
    r"\x00-,/:-@\[-\^`{-\xbf"  # ASCII, C1 and Latin-1 signs; not the letters a-z
    r"\u061c\u1680\u180e\u2000-\u206f\u3000-\u3004\u3008-\u3020\ud800-\uf8ff\ufe00-\ufe0f\ufeff"
    r"\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\ufff0-\uffff"
    "\U000e0000-\U0010ffff"
)
MAX_CHARACTERS = 20
# What a request may name, and what the exchange may list.
REQUESTED_CHARACTER, LISTED_CHARACTER = f"[^{FORBIDDEN}]", f"[^a-z{FORBIDDEN}]"
REQUESTED, LISTED = (f"{each}{{1,{MAX_CHARACTERS}}}" for each in (REQUESTED_CHARACTER, LISTED_CHARACTER))
_LISTED = re.compile(LISTED)
_UPPER = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}

_LONGEST_FIRST = sorted(QUOTE_ASSETS, key=len, reverse=True)
UNKNOWN = "OTHER"


def is_symbol(name: object) -> bool:
    """Whether it is a name that a symbol may have."""
    return isinstance(name, str) and _LISTED.fullmatch(name) is not None


def upper_case(name: str) -> str:
    """ASCII letters in upper case. Others stay, because in some scripts upper case is another word
    or length ("ß" would become "SS"): they are compared exactly as the exchange lists them."""
    return name.translate(_UPPER)


@lru_cache(maxsize=10_000)
def quote_asset(symbol: str) -> str:
    """`BTCUSDT` → `USDT`. A symbol with an unknown ending is quoted in `OTHER`."""
    return next((quote for quote in _LONGEST_FIRST if symbol.endswith(quote) and symbol != quote), UNKNOWN)


@lru_cache(maxsize=10_000)
def ascii_name(symbol: str) -> str:
    """The symbol in the characters that a channel of Grafana Live may have: each character beyond
    ASCII becomes the bytes of its UTF-8 form as `=E5`. `BTCUSDT` stays, `币安USDT` becomes
    `=E5=B8=81=E5=AE=89USDT`. No two symbols become one."""
    return quote(symbol, safe="").replace("~", "=7E").replace("%", "=")
