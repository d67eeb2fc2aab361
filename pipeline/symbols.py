"""Which asset a symbol is quoted in, by its ending. Of the exchange it knows the quote assets and
nothing else."""

from functools import lru_cache

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
_LONGEST_FIRST = sorted(QUOTE_ASSETS, key=len, reverse=True)
UNKNOWN = "OTHER"


@lru_cache(maxsize=10_000)
def quote_asset(symbol: str) -> str:
    """`BTCUSDT` → `USDT`. A symbol with an unknown ending is quoted in `OTHER`."""
    return next((quote for quote in _LONGEST_FIRST if symbol.endswith(quote) and symbol != quote), UNKNOWN)
