"""Which assets the random market has: real names with plausible prices, then invented ones. Knows
no time."""

from dataclasses import dataclass

from simulator.market.hashing import named_seed, unit


@dataclass(frozen=True, slots=True)
class Asset:
    """`rank` 0 has the highest turnover; `turnover_usd` is per day; `daily_volatility` 0.02 means
    about 2 % per day."""

    name: str
    rank: int
    price_usd: float
    turnover_usd: float
    daily_volatility: float


# Name, price in USD, turnover in million USD per day, daily volatility in percent. Orders of
# magnitude, not quotes.
_KNOWN = (
    ("BTC", 95_000, 1900, 1.9),
    ("ETH", 3_400, 1200, 2.6),
    ("BNB", 820, 310, 2.2),
    ("SOL", 190, 560, 3.4),
    ("XRP", 2.4, 440, 3.3),
    ("DOGE", 0.21, 260, 4.0),
    ("ADA", 0.75, 150, 3.6),
    ("AVAX", 26, 115, 3.8),
    ("LINK", 18, 105, 3.6),
    ("DOT", 5.2, 72, 3.5),
    ("LTC", 98, 95, 3.0),
    ("TRX", 0.32, 84, 1.8),
    ("BCH", 510, 64, 3.1),
    ("SUI", 3.4, 78, 4.4),
    ("TON", 3.1, 52, 3.2),
    ("SHIB", 0.0000124, 60, 3.9),
    ("PEPE", 0.0000105, 57, 5.2),
    ("NEAR", 2.7, 48, 4.1),
    ("UNI", 9.3, 46, 3.9),
    ("AAVE", 280, 43, 3.9),
    ("APT", 4.8, 38, 4.2),
    ("ARB", 0.48, 36, 4.4),
    ("OP", 0.72, 33, 4.5),
    ("FIL", 2.4, 30, 3.8),
    ("ATOM", 4.4, 28, 3.4),
    ("ETC", 20.5, 26, 3.2),
    ("ICP", 5.1, 24, 3.9),
    ("XLM", 0.38, 31, 3.5),
    ("HBAR", 0.23, 29, 3.9),
    ("VET", 0.024, 17, 3.6),
    ("ALGO", 0.24, 19, 3.8),
    ("INJ", 12.8, 21, 4.6),
    ("SEI", 0.29, 16, 4.7),
    ("GRT", 0.09, 11, 4.1),
    ("SAND", 0.28, 10, 4.0),
    ("MANA", 0.29, 9.4, 4.0),
    ("AXS", 2.4, 8.7, 4.0),
    ("CHZ", 0.041, 8.1, 3.7),
    ("XTZ", 0.74, 7.6, 3.4),
    ("EOS", 0.62, 7.2, 3.6),
)
KNOWN = {
    name: Asset(name, rank, price, turnover * 1e6, volatility / 100)
    for rank, (name, price, turnover, volatility) in enumerate(_KNOWN)
}


def invented(seed: int, name: str, rank: int) -> Asset:
    """An asset that does not exist: price between 0.002 and 200, turnover that falls with rank and
    is below that of the real names."""
    draws = named_seed(seed, name, "asset")
    price = 0.002 * 100_000 ** unit(draws, 0)
    turnover = 6e6 * (1 + rank / 20) ** -0.9 * (0.8 + 0.4 * unit(draws, 1))
    return Asset(name, rank, price, turnover, 0.03 + 0.03 * unit(draws, 2))


def asset_list(seed: int, count: int, without: str) -> list[Asset]:
    """`count` assets: the known ones (but not the quote asset itself), then SIM000, SIM001, …"""
    chosen = [asset for asset in KNOWN.values() if asset.name != without][:count]
    invented_names = [f"SIM{number:03d}" for number in range(count - len(chosen))]
    return chosen + [invented(seed, name, len(KNOWN) + number) for number, name in enumerate(invented_names)]
