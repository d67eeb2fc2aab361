"""Exact numbers as the exchange formats them: strings with eight decimals. Knows no market."""

from decimal import Decimal

PLACES = 8
UNIT = 10**PLACES
ZERO = "0.00000000"


def fixed(value: int, decimals: int) -> str:
    """`value` units of 10^-decimals as a string with eight decimals: fixed(12345, 2) is
    '123.45000000'."""
    whole, fraction = divmod(abs(value) * 10 ** (PLACES - decimals), UNIT)
    return f"{'-' if value < 0 else ''}{whole}.{fraction:08d}"


def fixed_decimal(value: Decimal) -> str:
    """A Decimal with eight decimals; further ones are truncated, as on the exchange."""
    return fixed(int(value.scaleb(PLACES)), PLACES)


def percent_change(first: Decimal, last: Decimal) -> str:
    """Change from `first` to `last` in percent with three decimals, like priceChangePercent."""
    return f"{(last - first) * 100 / first:.3f}" if first else "0.000"
