"""Digests of two sets of rows: what differs is found, and nothing else."""

from random import Random

import pytest

from pipeline.reconciliation.digests import Digests


def rows(count: int, seed: int = 1) -> list[tuple[bytes | None, ...]]:
    random = Random(seed)
    return [(b"S%d" % (n % 3), b"%d" % n, random.randbytes(8), None) for n in range(count)]


def differing(source: list, stored: list, buckets: int = 512) -> Digests:
    digests = Digests(buckets, key_columns=2)
    digests.add(source)
    digests.take(stored)
    return digests


def test_equal_rows_in_any_order_leave_nothing() -> None:
    source = rows(5000)
    assert differing(source, source[::-1]).differing() == []
    assert differing([], []).groups(10) == []


@pytest.mark.parametrize("change", ["missing", "extra", "different", "null"])
def test_one_row_of_many_is_found(change: str) -> None:
    source = rows(5000)
    stored = list(source)
    key = source[77][:2]
    if change == "missing":
        del stored[77]
    elif change == "extra":
        key = (b"S9", b"9")
        stored.append((*key, b"", None))
    else:
        stored[77] = (*key, None if change == "null" else b"other", None)
    digests = differing(source, stored)
    assert digests.differing() == [digests.bucket(key)]
    (is_wanted,) = digests.groups(1000)
    assert is_wanted(key)
    assert sum(is_wanted(row[:2]) for row in source) < 40  # the others of its bucket


def test_a_row_that_is_there_twice_is_no_row_that_is_there_once() -> None:
    source = rows(10)
    assert differing([*source, source[3], source[3]], source).differing() != []


def test_values_that_changed_places_between_two_rows_are_found() -> None:
    first, second = (b"a", b"1", b"x"), (b"a", b"2", b"y")
    swapped = [(*first[:2], second[2]), (*second[:2], first[2])]
    assert differing([first, second], swapped, buckets=1).differing() == [0]


def test_many_differences_come_in_groups_of_bounded_size() -> None:
    source = rows(4096)
    digests = differing(source, [], buckets=1024)
    groups = digests.groups(max_rows=400)
    sizes = [sum(is_wanted(row[:2]) for row in source) for is_wanted in groups]
    assert sum(sizes) == len(source)
    assert max(sizes) < 800
