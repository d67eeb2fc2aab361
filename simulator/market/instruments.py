"""The trading parameters of one pair: tick, lot, pace, size. Knows assets; knows no time and no
single trade."""

from dataclasses import dataclass
from math import floor, log10

from simulator.market.assets import KNOWN, Asset, asset_list, invented
from simulator.market.hashing import named_seed
from simulator.source import Listing

# Pairs with other quote assets, always listed; their price is the ratio of the two assets' prices.
CROSSES = ("ETHBTC", "BNBETH", "XRPETH")
_QUOTES = ("USDT", "USDC", "FDUSD", "BTC", "ETH", "BNB")
_CROSS_SHARE = 0.04  # of the base asset's turnover in the main pair


@dataclass(frozen=True, slots=True)
class Instrument:
    """A block is `block_ms` long and holds `trades_per_block` aggregate trades (see
    `blocks.py`)."""

    listing: Listing
    base: Asset
    quote: Asset | None  # None: a currency whose price never changes, e.g. USDT
    base_price: float  # in quote asset
    mean_quantity: float  # of an aggregate trade, in base asset
    block_ms: int
    trades_per_block: int


def _pace(rank: int) -> tuple[int, int]:
    """(block_ms, trades_per_block) by rank: half a second between trades at the top, up to a minute
    at the bottom."""
    if rank < 2:
        return 20_000, 40
    if rank < 6:
        return 20_000, 16
    if rank < 12:
        return 30_000, 12
    if rank < len(KNOWN):
        return 60_000, 12
    return 300_000, max(5, 20 - (rank - len(KNOWN)) // 12)


def make_instrument(base: Asset, quote_name: str, turnover_share: float = 1.0) -> Instrument:
    """The pair base/quote. Price and quantity have at most eight decimals together, so price ×
    quantity is exact in eight decimals."""
    quote = KNOWN.get(quote_name)
    price = base.price_usd / (quote.price_usd if quote else 1)
    magnitude = floor(log10(price))
    price_decimals = min(8, max(2, 4 - magnitude))
    # A lot is worth about one dollar, as on the exchange.
    quantity_decimals = max(0, min(5, floor(log10(base.price_usd)) + 1, 8 - price_decimals))
    block_ms, trades = _pace(base.rank) if turnover_share == 1.0 else (60_000, 12)
    trades_per_day = 86_400_000 / block_ms * trades
    listing = Listing(
        base.name + quote_name,
        base.name,
        quote_name,
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
    )
    quantity = base.turnover_usd * turnover_share / trades_per_day / base.price_usd
    return Instrument(listing, base, quote, price, quantity, block_ms, trades)


def split_symbol(symbol: str, quotes: tuple[str, ...] = _QUOTES) -> tuple[str, str]:
    """(base asset, quote asset) by the known quote assets; for an unknown ending the last four
    letters are the quote asset."""
    for quote in quotes:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol[: -len(quote)], quote
    return symbol[:-4] or symbol, symbol[-4:]


def _cross(symbol: str) -> Instrument:
    base, quote = split_symbol(symbol)
    return make_instrument(KNOWN[base], quote, _CROSS_SHARE)


def instrument_list(seed: int, count: int, quote_name: str) -> list[Instrument]:
    """The listed pairs: `count` against `quote_name`, then the crosses."""
    main = [make_instrument(asset, quote_name) for asset in asset_list(seed, count, without=quote_name)]
    taken = {instrument.listing.symbol for instrument in main}
    return main + [_cross(symbol) for symbol in CROSSES if symbol not in taken]


def unlisted_instrument(seed: int, symbol: str) -> Instrument:
    """A pair that is listed while the market runs (fault `new_symbol`): as little traded as the
    invented ones."""
    base, quote = split_symbol(symbol)
    rank = len(KNOWN) + named_seed(seed, symbol, "rank") % 100
    return make_instrument(KNOWN.get(base) or invented(seed, base, rank), quote)
