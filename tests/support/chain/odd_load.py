"""A steady stream of changes to the three odd tables: values of many types with their edges, rows
that move in Cassandra's key, totals that a transaction updates many times, TRUNCATE. Knows
PostgreSQL; knows nothing of what comes after it."""

import json
from collections.abc import Callable
from random import Random
from string import ascii_letters
from typing import Any
from uuid import UUID

import psycopg2

from tests.support.chain.load import Statement, SteadyChanges

RATE = 25  # transactions per second
VALUE_IDS, REGIONS, ITEMS, SHELVES, SLOTS, TOTALS = 30, "NESW", 30, "abcdef", 20, 40

Maker = Callable[[Random], Any]


def either(*values: Any) -> Maker:
    return lambda random: random.choice(values)


def many(most: int, one: Maker) -> Maker:
    """An array as PostgreSQL's text, sometimes empty."""
    return lambda random: "{" + ",".join(f'"{one(random)}"' for _ in range(random.randint(0, most))) + "}"


def number(random: Random) -> int:
    return random.choice((0, -1, 2**31 - 1, -(2**31), random.randint(-999, 999)))


def moment(random: Random) -> str:
    year, micros = random.choice((1, 1969, 1970, 2026, 9999)), random.choice((0, 1, 999, 123456, 999999))
    return f"{year:04}-12-{random.randint(1, 31):02} 23:59:59.{micros:06}"


def zoned(random: Random) -> str:
    return f"{random.randint(2, 9998):04}-03-{random.randint(1, 31):02} 01:02:03.{random.randrange(10**6):06}+02"


def uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128)))


def amount(random: Random) -> str:
    return f"{random.randint(-(10**8), 10**8 - 1)}.{random.randrange(10**4):04}"


def details(random: Random) -> str:
    inner = [None, 1.5, True, 'ünï "quoted" \\ \'']
    return json.dumps(random.choice(({}, [], "text", {"b": {"a": inner}, "big": 10**30}, [random.random(), inner])))


def hexadecimal(size: int) -> Maker:
    return lambda random: "\\x" + random.randbytes(size).hex()


def letters(size: int) -> Maker:
    return lambda random: "".join(random.choices(ascii_letters + "äß🚀'\"\\", k=size))


SMALL: dict[str, Maker] = {
    "numbers": many(4, number),
    "words": many(3, either("", "a", "b c", "NULL", "{x,y}", "größer", "a''b", "x,y")),
    "moments": many(3, zoned),
    "ids": many(3, uuid),
    "amounts": many(3, amount),
    "mood": either("calm", "very happy", "größer"),
    "share": either("0.00", "100", "99.99", "0.5"),
    "label": either("a", "a label of 20 chars!", "  blank  "),
    "details": details,
    "bytes": either("\\x", "\\x00", "\\x00ff0a0d5c27"),
    "pause": either(
        "0", "1 year 2 mons 3 days 04:05:06.789", "-1 day -00:00:01.5", "178000000 years", "00:00:00.000001"
    ),
    "measure": either("NaN", "Infinity", "-Infinity", "0.1", "-1e-20", "1e300", "0"),
    "ratio": either("NaN", "Infinity", "-Infinity", "0.1", "1e-300", "-0"),
    "half": either("NaN", "-Infinity", "0.1", "3.4e38", "1e-45"),
    "day": either("0001-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"),
    "at_local": moment,
    "at_zone": zoned,
    "clock": either("00:00", "00:00:00.000001", "12:34:56.5", "23:59:59.999999"),
    "span": either("empty", "[1,5)", "[,5)", "(,)", "[-3,)"),
    "address": either("10.0.0.1", "10.0.0.0/8", "fe80::1"),
    "price": either("0", "-0.01", "1234567.89"),
}
LONG: dict[str, Maker] = {
    "long_text": letters(3000),
    "long_bytes": hexadecimal(3000),
    "long_numbers": lambda random: [random.getrandbits(30) for _ in range(600)],
    "long_moments": lambda random: "{" + ",".join(f'"{zoned(random)}"' for _ in range(300)) + "}",
    "long_amounts": lambda random: "{" + ",".join(amount(random) for _ in range(300)) + "}",
}
COLUMNS = {**SMALL, **LONG}
VALUES_INSERT = (
    f"INSERT INTO odd_values (id, {', '.join(COLUMNS)}) VALUES (%s{', %s' * len(COLUMNS)}) ON CONFLICT (id) DO NOTHING"
)
PLACE_INSERT = "INSERT INTO odd_places VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
PARTS_INSERT = (
    "INSERT INTO odd_parts SELECT 1 + (random() * %s)::int, (random() * 1000)::numeric(9, 3) "
    "FROM generate_series(1, %s)"
)


class OddLoad(SteadyChanges):
    """Changes rows of the three tables, `rate` transactions per second."""

    def __init__(self, connect: Callable[[], psycopg2.extensions.connection], seed: int, rate: float = RATE) -> None:
        super().__init__(connect, seed, rate)
        self._kinds: list[Callable[[], list[Statement]]] = [self._values, self._places, self._totals]

    def first_rows(self) -> list[Statement]:
        """Rows that are there before the tables are mirrored."""
        values = [self._new_values(number) for number in range(VALUE_IDS // 2)]
        return [*values, *(self._new_place() for _ in range(60)), (PARTS_INSERT, (TOTALS, 200))]

    def _transaction(self) -> list[Statement]:
        (kind,) = self._random.choices(self._kinds, (4, 5, 2))
        return kind()

    def _values(self) -> list[Statement]:
        chance, row = self._random.random(), self._random.randrange(VALUE_IDS)
        if chance < 0.15:
            return [self._new_values(row)]
        if chance < 0.20:
            return [("DELETE FROM odd_values WHERE id = %s", (row,))]
        if chance < 0.25:  # another key, and every long value unchanged
            other = self._random.randrange(VALUE_IDS)
            free = "NOT EXISTS (SELECT FROM odd_values WHERE id = %s)"
            return [(f"UPDATE odd_values SET id = %s WHERE id = %s AND {free}", (other, row, other))]
        if chance < 0.30:
            return [("DELETE FROM odd_values WHERE id = %s", (row,)), self._new_values(row), self._changed_values(row)]
        return [self._changed_values(row) for _ in range(self._random.choice((1, 1, 2)))]

    def _new_values(self, row: int) -> Statement:
        return VALUES_INSERT, (row, *(self._value(name) for name in COLUMNS))

    def _changed_values(self, row: int) -> Statement:
        names = self._random.sample(list(SMALL), self._random.randint(1, 4))
        if self._random.random() < 0.1:
            names.append(self._random.choice(list(LONG)))
        changes = ", ".join(f"{name} = %s" for name in names)
        return f"UPDATE odd_values SET {changes} WHERE id = %s", (*map(self._value, names), row)

    def _value(self, name: str) -> Any:
        return None if self._random.random() < 0.1 else COLUMNS[name](self._random)

    def _places(self) -> list[Statement]:
        a, b, place = self._thing(), self._thing(), self._place()
        return self._random.choice(
            (
                [self._new_place()],
                [self._noted(a)],
                [("SELECT odd_move(%s, %s, %s, %s)", (*a, *place))],
                [("SELECT odd_swap(%s, %s, %s, %s)", (*a, *b))],
                [self._noted(a), self._noted(a), ("SELECT odd_swap(%s, %s, %s, %s)", (*a, *b)), self._noted(b)],
                [("SELECT odd_follow(%s, %s, %s, %s)", (*a, *b))],
                [self._noted(a), self._noted(a), ("SELECT odd_follow(%s, %s, %s, %s)", (*a, *b))],
                [("DELETE FROM odd_places WHERE (region, item) = (%s, %s)", a), self._new_place()],
                [
                    (
                        "UPDATE odd_places SET region = %s, item = %s WHERE (region, item) = (%s, %s) AND NOT EXISTS "
                        "(SELECT FROM odd_places WHERE (region, item) = (%s, %s))",
                        (*b, *a, *b),
                    )
                ],
            )
        )

    def _thing(self) -> tuple[str, int]:
        return self._random.choice(REGIONS), self._random.randrange(ITEMS)

    def _place(self) -> tuple[str, int]:
        return self._random.choice(SHELVES), self._random.randrange(SLOTS)

    def _new_place(self) -> Statement:
        return PLACE_INSERT, (*self._thing(), *self._place(), self._random.random(), None)

    def _noted(self, thing: tuple[str, int]) -> Statement:
        note = "".join(self._random.choices(ascii_letters, k=8))
        return "UPDATE odd_places SET note = %s WHERE (region, item) = (%s, %s)", (note, *thing)

    def _totals(self) -> list[Statement]:
        chance = self._random.random()
        parts: Statement = (PARTS_INSERT, (self._random.choice((1, 3, TOTALS)), self._random.randint(1, 40)))
        if chance < 0.02:
            return [("TRUNCATE odd_totals", ())]
        if chance < 0.04:
            return [parts, ("TRUNCATE odd_totals", ()), parts]
        if chance < 0.10:
            return [parts, ("DELETE FROM odd_totals WHERE id = %s", (self._random.randrange(TOTALS),)), parts]
        return [parts]
