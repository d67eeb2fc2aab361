"""A value that its column cannot hold, and how messages show it. Knows no type."""

import struct
from decimal import InvalidOperation
from typing import Any

MAX_QUOTED_CHARACTERS = 60


class BadValue(ValueError):
    """A value that its column cannot hold. The message says why, and what to do instead."""


def expected(what: str, value: Any) -> BadValue:
    """For a JSON value of the wrong kind."""
    names = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "an array"}
    got = "an object" if isinstance(value, dict) else names.get(type(value), type(value).__name__)
    return BadValue(f"expected {what}, got {got}")


def quoted(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MAX_QUOTED_CHARACTERS else text[:MAX_QUOTED_CHARACTERS] + "…"


# What an encoder can raise: BadValue by itself, the others from Python's own conversions.
BAD_VALUE = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, struct.error, InvalidOperation)
