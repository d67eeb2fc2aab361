"""Every result is what exact decimal arithmetic gives, for all numbers of up to 15 digits."""

from decimal import Decimal
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from pipeline.api import exact

# Prices and quantities as an exchange sends them: up to 15 digits, up to 8 of them decimals.
DECIMALS = st.integers(0, 8)
NUMBERS = st.builds(lambda units, places: Decimal(units).scaleb(-places), st.integers(0, 10**12), DECIMALS)
SIDES = st.lists(NUMBERS, min_size=1, max_size=300)


def printed(number: float) -> Decimal:
    """The number as JSON shows it."""
    return Decimal(repr(number))


def assert_exact(result: float, expected: Decimal) -> None:
    """Equal if a double can hold the decimal; else different by less than a unit of the 15th
    digit."""
    to_15_digits = Decimal(f"{expected:.15g}")
    if to_15_digits == expected:
        assert printed(result) == expected
    else:
        assert abs(printed(result) - expected) <= Decimal(1).scaleb(expected.adjusted() - 14)


@given(SIDES)
def test_sum_is_exact(numbers):
    assert_exact(exact.exact_sum(map(float, numbers)), sum(numbers))


@given(SIDES)
def test_sum_of_sums_is_the_sum_of_all(numbers):
    """Downsampled rows are summed again. A sum of more than 15 digits was rounded once before."""
    half = len(numbers) // 2
    halves = numbers[:half], numbers[half:]
    total = sum(numbers)
    found = exact.exact_sum(exact.exact_sum(map(float, part)) for part in halves)
    if all(sum(part) == Decimal(f"{sum(part):.15g}") for part in halves):
        assert_exact(found, total)
    else:
        assert abs(printed(found) - total) <= 2 * Decimal(1).scaleb(total.adjusted() - 14)


@given(SIDES)
def test_running_totals_are_exact(numbers):
    totals = list(map(printed, exact.running_totals(map(float, numbers))))
    assert totals == [Decimal(repr(float(total))) for total in accumulate(numbers)]


@given(NUMBERS, NUMBERS)
def test_difference_and_middle_are_exact(one, other):
    assert_exact(exact.difference(float(one), float(other)), one - other)
    assert_exact(exact.middle(float(one), float(other)), (one + other) / 2)


@given(NUMBERS)
def test_decimals_are_those_that_the_number_needs(number):
    places = exact.decimals(float(number))
    assert round(number, places) == number
    assert places == 0 or round(number, places - 1) != number


def test_examples_that_doubles_get_wrong():
    assert exact.difference(95423.61, 95423.58) == 0.03
    assert exact.exact_sum([0.1, 0.2]) == 0.3
    assert list(exact.running_totals([0.1, 0.2, 0.3])) == [0.1, 0.3, 0.6]
