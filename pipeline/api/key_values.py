"""Values of key columns as they stand in a query string, by CQL type. Knows no table."""

import ipaddress
import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from pipeline.times import iso_to_ms

MIN_MS, MAX_MS = -62_135_596_800_000, 253_402_300_799_999  # the years 1 to 9999
INSTANT_EXPECTED = "epoch milliseconds or ISO 8601, e.g. 1700000000000 or 2026-01-31T12:00:00Z"


def instant(text: str) -> int:
    """ms since 1970. The + of an offset arrives as a space if the client did not encode it. Raises
    ValueError."""
    ms = int(text) if re.fullmatch("-?[0-9]{1,15}", text) else iso_to_ms(text.strip().replace(" ", "+"))
    if not MIN_MS <= ms <= MAX_MS:
        raise ValueError(text)
    return ms


def whole(bits: int | None) -> Callable[[str], int]:
    """An integer of so many bits, or of any size."""

    def parse(text: str) -> int:
        if not re.fullmatch("-?[0-9]{1,1000}", text):
            raise ValueError(text)
        number = int(text)
        if bits is not None and not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError(text)
        return number

    return parse


def flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


def blob(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError(text)
    return bytes.fromhex(text[2:])


def day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def time_of_day(text: str) -> str:
    """Up to nine digits of a second."""
    match = re.fullmatch(r"([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(\.[0-9]{1,9})?", text)
    if match is None:
        raise ValueError(text)
    return time.fromisoformat(match[1]).isoformat() + (match[2] or "")


def number(text: str) -> float:
    return float(text)


def decimal(text: str) -> Decimal:
    if not re.fullmatch(r"-?[0-9]{1,500}(\.[0-9]{1,500})?([eE][+-]?[0-9]{1,3})?", text):
        raise ValueError(text)
    return Decimal(text)


def address(text: str) -> str:
    return str(ipaddress.ip_address(text))


# CQL type: how a value is read, and what is expected.
PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "text": (str, "text"),
    "ascii": (lambda text: text.encode("ascii").decode(), "ASCII text"),
    "boolean": (flag, "true or false"),
    "tinyint": (whole(8), "a whole number from -128 to 127"),
    "smallint": (whole(16), "a whole number of 16 bits"),
    "int": (whole(32), "a whole number of 32 bits"),
    "bigint": (whole(64), "a whole number of 64 bits"),
    "varint": (whole(None), "a whole number"),
    "decimal": (decimal, "a decimal number, e.g. 19.90"),
    "float": (number, "a number"),
    "double": (number, "a number"),
    "uuid": (UUID, "a UUID"),
    "timeuuid": (UUID, "a UUID"),
    "blob": (blob, "0x and hexadecimal digits"),
    "timestamp": (instant, INSTANT_EXPECTED),
    "date": (day, "a date, e.g. 2026-01-31"),
    "time": (time_of_day, "a time of day, e.g. 12:00:00.5"),
    "inet": (address, "an IP address"),
}
# What a parser raises for a value that does not fit.
BAD_VALUE = (ValueError, KeyError, OverflowError, InvalidOperation)
