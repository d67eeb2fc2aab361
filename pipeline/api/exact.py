"""Arithmetic with stored numbers that shows no noise of binary fractions: 0.1 + 0.2 is 0.3. Knows
no table.

A stored double stands for the decimal that was written. If that has at most 15 significant digits,
as prices and quantities of the exchange have, the shortest text of the double is that decimal; and
a result whose error is below 5e-16 of its size is the exact decimal once it is rounded to 15
digits. That holds for a sum of numbers of one sign, because `fsum` rounds only once: its error is
at most two roundings of 1.1e-16. A difference loses digits, so it is computed with Decimal."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import accumulate
from math import fsum

DIGITS = 15


def exact(value: float) -> Decimal:
    """The decimal that a stored double stands for."""
    return Decimal(repr(value))


def rounded(value: float) -> float:
    """The value with 15 significant digits."""
    return float(f"{value:.{DIGITS}g}")


def exact_sum(values: Iterable[float]) -> float:
    """The sum of numbers of one sign."""
    return rounded(fsum(values))


def running_totals(values: Iterable[float]) -> Iterator[float]:
    """The sum of the first number, of the first two, and so on."""
    return map(float, accumulate(map(exact, values)))


def difference(larger: float, smaller: float) -> float:
    return float(exact(larger) - exact(smaller))


def middle(one: float, other: float) -> float:
    return rounded((one + other) / 2)


def decimals(value: float | Decimal) -> int:
    """How many decimals a number needs: 2 for 0.05, 0 for 10."""
    exponent = (value if isinstance(value, Decimal) else exact(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
